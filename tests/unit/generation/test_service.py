"""The service's HTTP interface itself: who gets in, what it answers, what it refuses."""

import asyncio
import hashlib
import json
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from brand.spec import HighRes, RenderRequest, RenderSpec, SpecInvalid
from generation.server import bind
from generation.service import check_limits
from generation.settings import Limits, ServiceSettings, SettingsInvalid
from generation.wire import request_to_json
from tests.fakes.generation_service import (
    TOKEN,
    Running,
    SteppedEngine,
    running_service,
    tcp_settings,
    unix_settings,
)
from tests.fakes.waiting import until

STEPS = 3
LIMITS = Limits(queued=1, blob_bytes=1000, request_bytes=4096, steps=50, pixels=256 * 256)


@pytest.fixture
def engine() -> SteppedEngine:
    return SteppedEngine()


@pytest.fixture
async def running(engine: SteppedEngine, tmp_path: Path) -> AsyncIterator[Running]:
    async with running_service(engine, unix_settings(tmp_path, limits=LIMITS)) as running:
        yield running


@pytest.fixture
async def http(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(uds=str(running.settings.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


def body(render_id: str = "r1", **spec: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"prompt": "a red mug", "model": "drawn", "seed": 1, "steps": STEPS}
    plain |= {"width": 64, "height": 64, **spec}
    wanted = RenderRequest(render_id=render_id, brand="b", spec=RenderSpec(**plain))
    return request_to_json(wanted)


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        kind, _, data = block.partition("\n")
        if data:
            found.append((kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def test_a_render_is_taken_once_and_then_known(
    http: httpx.AsyncClient, engine: SteppedEngine
) -> None:
    engine.go_on(STEPS)
    first, second = (
        await http.post("/renders", json=body()),
        await http.post("/renders", json=body()),
    )
    assert (first.status_code, second.status_code) == (202, 200)
    told = events_of((await http.get("/renders/r1/events")).text)
    assert told[-1][0] == "done"
    picture = await http.get("/renders/r1/picture")
    assert picture.headers["content-type"] == "image/png"
    assert hashlib.sha256(picture.content).hexdigest() == told[-1][1]["sha256"]
    assert (await http.get("/renders/r1/picture")).content == picture.content
    assert engine.rendered == ["r1"]


async def test_a_second_watcher_and_a_late_one_see_the_present_state(
    http: httpx.AsyncClient, engine: SteppedEngine
) -> None:
    await http.post("/renders", json=body())
    engine.go_on(2)
    kind, data = await first_event_with(http, "r1", done=2)
    assert (kind, data["total"]) == ("progress", STEPS)
    assert (await first_event_with(http, "r1", done=2))[1]["done"] == 2
    engine.go_on(1)
    assert events_of((await http.get("/renders/r1/events")).text)[-1][0] == "done"


async def first_event_with(
    http: httpx.AsyncClient, render_id: str, *, done: int
) -> tuple[str, dict[str, Any]]:
    """Attach, read until so much is done, and drop the connection."""
    async with http.stream("GET", f"/renders/{render_id}/events") as response:
        text = ""
        async for part in response.aiter_text():
            text += part
            for event in events_of(text[: text.rfind("\n\n") + 2]):
                if event[1].get("done") == done:
                    return event
    raise AssertionError("the stream ended before")


async def test_a_picture_that_is_not_finished_is_not_there_yet(http: httpx.AsyncClient) -> None:
    await http.post("/renders", json=body())
    answer = await http.get("/renders/r1/picture")
    assert answer.status_code == 409
    assert "not finished" in answer.json()["detail"]


async def test_cancelling_answers_at_once_and_ends_the_stream(http: httpx.AsyncClient) -> None:
    await http.post("/renders", json=body())
    assert (await http.delete("/renders/r1")).status_code == 204
    kind, data = events_of((await http.get("/renders/r1/events")).text)[-1]
    assert (kind, data["code"]) == ("error", "cancelled")
    assert (await http.get("/renders/r1/picture")).status_code == 410
    assert (await http.delete("/renders/unknown")).status_code == 204


async def test_a_full_queue_is_429_with_retry_after(
    http: httpx.AsyncClient, running: Running
) -> None:
    await http.post("/renders", json=body("running"))
    await until(lambda: running.service.queue.running)
    await http.post("/renders", json=body("waiting", seed=2))
    answer = await http.post("/renders", json=body("too-many", seed=3))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["retry_after_s"] >= 1
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "busy"


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"steps": 51}, 422, "steps may be at most 50"),
        ({"width": 512, "height": 512}, 422, "width × height may be at most"),
        ({"width": 256, "height": 256, "upscale": 4}, 202, ""),
        ({"model": "sdxl"}, 404, "no model 'sdxl'"),
        ({"loras": [{"sha256": "1" * 64}]}, 403, "not on the approved list"),
        ({"init": {"sha256": "1" * 64}}, 409, "PUT /blobs/"),
        ({"tile": True}, 422, "tile"),
        ({"seed": -1}, 422, "seed"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
async def test_what_cannot_be_rendered_is_refused_before_it_queues(
    http: httpx.AsyncClient, change: dict[str, Any], status: int, words: str
) -> None:
    wanted = body()
    wanted["spec"] |= change
    answer = await http.post("/renders", json=wanted)
    assert answer.status_code == status
    if words:
        assert words in answer.json()["detail"]
        assert (await http.get("/renders/r1/events")).status_code == 404


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"scale": 4.0}, "second pass may be at most 65,536 here, got 102,400"),
        ({"scale": 1.5, "steps": 51}, "highres.steps may be at most 50 here, got 51"),
        ({"scale": 1.5, "steps": 50}, ""),
        ({"scale": 1.5}, ""),
    ],
)
def test_a_second_pass_is_bounded_as_the_first_one_is(second: dict[str, Any], words: str) -> None:
    spec = RenderSpec(
        prompt="", model="m", seed=1, steps=50, width=80, height=80, highres=HighRes(**second)
    )
    request = RenderRequest(render_id="r", brand="b", spec=spec)
    if not words:
        check_limits(request, LIMITS)
        return
    with pytest.raises(SpecInvalid, match=re.escape(words)):
        check_limits(request, LIMITS)


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"[" * 4000, 400), (b"[]", 422), (b"x" * 5000, 413)],
)
async def test_a_body_that_is_no_render_is_refused(
    http: httpx.AsyncClient, content: bytes, status: int
) -> None:
    answer = await http.post("/renders", content=content)
    assert answer.status_code == status
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "path", ["/renders/none/events", "/renders/none/picture", "/docs", "/openapi.json", "/../x"]
)
async def test_what_is_not_there_is_a_problem_document(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_upload_must_fit_and_be_what_its_name_says(http: httpx.AsyncClient) -> None:
    data = b"x" * 1000
    name = hashlib.sha256(data).hexdigest()
    assert (await http.head(f"/blobs/{name}")).status_code == 404
    assert (await http.put(f"/blobs/{name}", content=data)).status_code == 204
    assert (await http.head(f"/blobs/{name}")).status_code == 204
    assert (await http.put(f"/blobs/{name}", content=b"other")).status_code == 422
    assert (await http.put(f"/blobs/{name}", content=data + b"x")).status_code == 413
    for odd in ("..%2F..%2Fetc%2Fpasswd", "a" * 63, name.upper(), "%00"):
        assert (await http.put(f"/blobs/{odd}", content=data)).status_code in {404, 422}


async def test_an_upload_that_breaks_off_leaves_nothing(running: Running, tmp_path: Path) -> None:
    socket = str(running.settings.socket)
    reader, writer = await asyncio.open_unix_connection(socket)
    head = f"PUT /blobs/{'0' * 64} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n"
    writer.write(head.encode() + b"half")
    await writer.drain()
    blobs = tmp_path / "state" / "blobs"
    await until(lambda: list(blobs.iterdir()))
    writer.close()
    await until(lambda: not list(blobs.iterdir()))
    del reader


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"sha256s": "1"}', b'{"sha256s": [1]}', b"-"])
async def test_a_malformed_list_of_loras_is_refused(
    http: httpx.AsyncClient, content: bytes
) -> None:
    assert (await http.put("/brands/b/loras", content=content)).status_code in {400, 422}
    assert (await http.put(f"/brands/{'b' * 101}/loras", json={"sha256s": []})).status_code == 422


@pytest.mark.parametrize(
    "header",
    [
        "",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        "Bearer",
        "Bearer ü",
    ],
)
async def test_over_tcp_nothing_answers_without_the_right_token(
    tmp_path: Path, header: str
) -> None:
    async with (
        running_service(SteppedEngine(), tcp_settings(tmp_path)) as running,
        httpx.AsyncClient(base_url=running.url) as http,
    ):
        headers = {"Authorization": header.encode()} if header else {}
        for method, path in (
            ("POST", "/renders"),
            ("GET", "/health"),
            ("GET", "/models"),
            ("GET", "/ready"),
            ("PUT", f"/blobs/{'0' * 64}"),
            ("PUT", "/brands/b/loras"),
            ("DELETE", "/renders/r1"),
            ("GET", "/nowhere"),
        ):
            answer = await http.request(method, path, headers=headers)
            assert answer.status_code == 401, path
            assert answer.json()["code"] == "unauthorized"
        right = await http.get("/health", headers={"Authorization": f"Bearer {TOKEN}"})
        assert right.status_code == 200


async def test_only_this_user_may_connect_to_the_socket(running: Running) -> None:
    socket = running.settings.socket
    assert socket is not None
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600


async def test_the_socket_of_a_crashed_service_is_taken_over(tmp_path: Path) -> None:
    settings = unix_settings(tmp_path)
    bind(settings).close()  # nobody listens, but the file is there
    bind(settings).close()


async def test_the_socket_of_a_living_service_is_not_taken_over(running: Running) -> None:
    with pytest.raises(SettingsInvalid, match="Another generation service"):
        bind(running.settings)


async def test_a_file_that_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "s.sock").write_text("precious")
    with pytest.raises(SettingsInvalid, match="no socket"):
        bind(unix_settings(tmp_path))
    assert (tmp_path / "s.sock").read_text() == "precious"


async def test_a_taken_port_is_said(tmp_path: Path) -> None:
    settings = tcp_settings(tmp_path)
    with bind(settings) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsInvalid, match=f"Cannot listen on 127.0.0.1:{port}"):
            bind(replace(settings, port=port))


class SlowToLoad(SteppedEngine):
    """Takes until `steps` allows it."""

    def load(self) -> None:
        self.steps.acquire()


async def test_health_answers_while_the_model_is_still_loading(tmp_path: Path) -> None:
    engine = SlowToLoad()
    settings = unix_settings(tmp_path)
    serving = asyncio.create_task(hold(engine, settings))
    await until(lambda: settings.socket is not None and settings.socket.exists())
    transport = httpx.AsyncHTTPTransport(uds=str(settings.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        health = (await http.get("/health")).json()
        assert (health["ready"], health["detail"]) == (False, "The model is loading.")
        assert (await http.get("/ready")).status_code == 503
        assert (await http.post("/renders", json=body())).status_code == 202
        engine.go_on(1 + STEPS)
        assert events_of((await http.get("/renders/r1/events")).text)[-1][0] == "done"
        assert (await http.get("/ready")).status_code == 204
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def hold(engine: SteppedEngine, settings: ServiceSettings) -> None:
    async with running_service(engine, settings):
        await asyncio.Event().wait()


async def test_stopping_ends_every_stream_within_three_seconds(
    engine: SteppedEngine, tmp_path: Path
) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "s.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        async with running_service(engine, unix_settings(tmp_path)) as running:
            await http.post("/renders", json=body())
            streaming = asyncio.create_task(http.get("/renders/r1/events"))
            await until(lambda: running.service.queue.running)
            await first_event_with(http, "r1", done=0)
            loop = asyncio.get_running_loop()
            stopped = loop.time()
        assert loop.time() - stopped < 3
        assert events_of((await streaming).text)[-1][0] == "stopping"
