"""The generation process is started, kept alive, and never outlives the one who started it."""

import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from brand.spec import Picture, Progress, RenderRequest, RenderSpec
from generation.client import RendererClient
from generation.supervisor import GenerationProcess, GenerationUnstartable, ProcessOptions
from tests.fakes.waiting import until
from tests.unit.generation.rendering import tiny

STEPS = 6
START_S = 30.0


def options(folder: Path, **changes: object) -> ProcessOptions:
    plain: dict[str, object] = {"state_dir": folder / "state", "engine": "drawn"}
    return ProcessOptions(**plain | changes)  # type: ignore[arg-type]


def request(render_id: str = "r1") -> RenderRequest:
    spec = RenderSpec(prompt="a mug", model="drawn", seed=1, width=64, height=64, steps=STEPS)
    return RenderRequest(render_id=render_id, brand="b", spec=spec)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_a_render_survives_the_death_of_the_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="housestyle.generation")
    async with (
        GenerationProcess(options(tmp_path, step_seconds=0.1)) as process,
        RendererClient(socket=process.socket) as client,
    ):
        killed = 0
        pictures = []
        async for item in client.render(request()):
            if isinstance(item, Progress) and item.done == 2 and not killed and process.pid:
                killed = process.pid
                os.kill(killed, signal.SIGKILL)
            if isinstance(item, Picture):
                pictures.append(item)
        assert killed
        assert process.pid != killed
        assert process.restarts == 1
        pictures += [
            item async for item in client.render(request("r2")) if isinstance(item, Picture)
        ]
        assert pictures[0].png == pictures[1].png
    assert "ended with -9" in caplog.text
    assert "listening on" in caplog.text  # its own log lines are ours


async def test_it_stops_within_five_seconds_even_while_rendering(tmp_path: Path) -> None:
    process = GenerationProcess(options(tmp_path, step_seconds=0.5))
    await process.start()
    pid = process.pid
    assert pid is not None
    async with RendererClient(socket=process.socket, tries=0) as client:
        following = asyncio.create_task(anext(aiter(client.render(request()))))
        await following
        started = time.monotonic()
        await process.stop()
    assert time.monotonic() - started < 5
    assert not is_running(pid)
    assert not process.socket.parent.exists()


async def test_settings_that_cannot_work_are_not_tried_again(tmp_path: Path) -> None:
    process = GenerationProcess(options(tmp_path, engine="steam"))
    with pytest.raises(GenerationUnstartable, match="steam"):
        await process.start()
    assert process.restarts == 0


async def test_it_says_what_it_is_doing_until_it_is_ready(tmp_path: Path) -> None:
    async with GenerationProcess(options(tmp_path)) as process:
        health = await process.wait_ready(START_S)
    assert health.ready
    assert health.engine == "drawn"


async def test_it_ends_when_its_parent_is_killed(tmp_path: Path, root: Path) -> None:
    script = f"""
import asyncio, sys
from pathlib import Path
from generation.supervisor import GenerationProcess, ProcessOptions

async def main():
    options = ProcessOptions(state_dir=Path({str(tmp_path)!r}), engine="drawn")
    async with GenerationProcess(options) as process:
        print(process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=root, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_running(child))


@pytest.mark.deep
@pytest.mark.model
async def test_a_render_of_a_real_model_survives_the_death_of_the_process(
    tmp_path: Path, tiny_models: Path
) -> None:
    started = options(tmp_path, engine="diffusers", models_dir=tiny_models, model="sd1", threads=1)
    wanted = RenderRequest(render_id="r1", brand="b", spec=tiny(steps=60))
    async with (
        GenerationProcess(started) as process,
        RendererClient(socket=process.socket) as client,
    ):
        killed = False
        pictures = []
        async for item in client.render(wanted):
            if isinstance(item, Progress) and item.done >= 5 and not killed and process.pid:
                killed = True
                os.kill(process.pid, signal.SIGKILL)
            if isinstance(item, Picture):
                pictures.append(item)
        again = RenderRequest(render_id="r2", brand="b", spec=wanted.spec)
        pictures += [item async for item in client.render(again) if isinstance(item, Picture)]
    assert killed
    assert pictures[0].png == pictures[1].png
    assert pictures[0].reproduction == pictures[1].reproduction
