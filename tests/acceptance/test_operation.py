"""The product as operators meet it: traces, logs, probes, stopping. Real processes."""

import asyncio
import os
import re
import signal
import time
from pathlib import Path

import httpx

from storage.database import open_store
from tests.acceptance.product import Product, free_port, serving, until
from tests.fakes.otlp import collector

DRAWN = ("--engine", "drawn")
DONE = r"Done(:| in)"
ON_BRAND = "/imagine a teal mug in front of diagonal orange and white stripes"


async def asked(product: Product, text: str = ON_BRAND) -> None:
    """Ask for a picture and wait for it."""
    await until(product.served, "a page")
    await product.enter()
    await product.say(text)
    await until(lambda: product.shows("/chat", DONE), "a picture")


async def test_one_trace_leads_from_the_command_into_the_generation_service(
    tmp_path: Path,
) -> None:
    with collector() as found:
        where = {"HOUSESTYLE_OTEL_ENDPOINT": found.address}
        async with serving(tmp_path, free_port(), *DRAWN, environment=where) as product:
            await asked(product)
            assert await product.stop() == 0
    (dispatch,) = [s for s in found.named("dispatch") if s.facts["housestyle.command"] == "imagine"]
    of_command = [span for span in found.spans if span.trace == dispatch.trace]
    names = {(span.service, span.name) for span in of_command}
    assert names >= {
        ("housestyle", "delivery"),
        ("housestyle", "dispatch"),
        ("housestyle", "job"),
        ("housestyle", "queue wait"),
        ("housestyle", "submit"),
        ("housestyle", "gates"),
        ("housestyle", "store"),
        ("housestyle-generation", "service wait"),
        ("housestyle-generation", "render"),
    }
    render = next(span for span in of_command if span.name == "render")
    assert "step 1" in render.events
    assert render.parent in {span.id for span in of_command if span.name == "submit"}
    references = {span.facts.get("housestyle.reference") for span in of_command}
    assert len(references - {None}) == 1
    assert not any(b"teal mug" in body for body in found.bodies)
    assert found.named("send"), "what is sent is measured too"


async def test_without_an_address_no_trace_is_made(tmp_path: Path) -> None:
    async with serving(tmp_path, free_port(), *DRAWN) as product:
        await asked(product)
        store = await open_store(f"sqlite:///{tmp_path / 'housestyle.db'}")
        async with store.read() as tx:
            (job,) = await tx.jobs.recent()
        await store.close()
        assert re.fullmatch(r"\w{8}", job.trail), "the reference id alone"


async def test_a_render_that_runs_when_the_product_is_stopped_is_finished(tmp_path: Path) -> None:
    async with serving(tmp_path, free_port(), *DRAWN) as product:
        await until(product.served, "a page")
        await product.enter()
        service = product.generation_pid()
        os.kill(service, signal.SIGSTOP)
        await product.say(ON_BRAND)
        await until(lambda: product.shows("/chat", "Rendering"), "the job in the service")
        began = time.monotonic()
        product.process.send_signal(signal.SIGTERM)
        os.kill(service, signal.SIGCONT)
        assert await asyncio.wait_for(product.process.wait(), 60) == 0
        assert time.monotonic() - began < 25, "the limit of 20 s and a breath"
    assert await states(tmp_path) == ["done"]


async def test_a_render_that_takes_too_long_goes_back_to_the_queue(tmp_path: Path) -> None:
    limit = {"HOUSESTYLE_STOP_SECONDS": "1"}
    async with serving(tmp_path, free_port(), *DRAWN, environment=limit) as product:
        await until(product.served, "a page")
        await product.enter()
        os.kill(product.generation_pid(), signal.SIGSTOP)
        await product.say(ON_BRAND)
        await until(lambda: product.shows("/chat", "Rendering"), "the job in the service")
        product.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(product.process.wait(), 30) == 0
    assert await states(tmp_path) == ["queued"]
    async with serving(tmp_path, free_port(), *DRAWN) as product:
        await until(product.served, "a page")
        await product.enter()
        await until(lambda: product.shows("/chat", DONE), "the picture after the restart")


async def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    limit = {"HOUSESTYLE_STOP_SECONDS": "600"}
    async with serving(tmp_path, free_port(), *DRAWN, environment=limit) as product:
        await until(product.served, "a page")
        await product.enter()
        os.kill(product.generation_pid(), signal.SIGSTOP)
        await product.say(ON_BRAND)
        await until(lambda: product.shows("/chat", "Rendering"), "the job in the service")
        product.process.send_signal(signal.SIGTERM)
        await until(lambda: refused(product), "nothing is taken in any more")
        product.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(product.process.wait(), 30) == 0
    assert await states(tmp_path) == ["queued"]


async def test_an_open_page_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with serving(tmp_path, free_port(), *DRAWN) as product:
        await until(product.served, "a page")
        await product.enter()
        async with product.browser.stream("GET", "/events") as stream:
            assert stream.status_code == 200
            began = time.monotonic()
            product.process.send_signal(signal.SIGTERM)
            async for _ in stream.aiter_bytes():
                pass
        assert await asyncio.wait_for(product.process.wait(), 30) == 0
        assert time.monotonic() - began < 12


async def refused(product: Product) -> bool:
    """Whether the portal listens no more."""
    try:
        await product.browser.get("/healthz")
    except httpx.TransportError:
        return True
    return False


async def states(folder: Path) -> list[str]:
    """The states of all jobs in the records."""
    store = await open_store(f"sqlite:///{folder / 'housestyle.db'}")
    async with store.read() as tx:
        found = [job.state.value for job in await tx.jobs.recent()]
    await store.close()
    return found
