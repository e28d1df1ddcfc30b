"""The client brings a render home over dropped connections and restarts, or says why not."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from brand.spec import (
    Picture,
    Progress,
    RenderBusy,
    RenderError,
    RenderRequest,
    RenderSpec,
    RenderUnavailable,
)
from generation.client import DEATHS, RendererClient
from generation.drawn_engine import DrawnEngine
from generation.settings import Limits
from tests.fakes.generation_service import (
    SteppedEngine,
    running_service,
    tcp_settings,
    unix_settings,
)
from tests.fakes.waiting import until

STEPS = 4


def request(render_id: str = "r1") -> RenderRequest:
    spec = RenderSpec(prompt="a mug", model="drawn", seed=1, width=64, height=64, steps=STEPS)
    return RenderRequest(render_id=render_id, brand="b", spec=spec)


async def picture_of(client: RendererClient, wanted: RenderRequest) -> Picture:
    last = [item async for item in client.render(wanted)][-1]
    assert isinstance(last, Picture)
    return last


class CuttingProxy:
    """A UNIX socket before another one, whose connections can be cut."""

    def __init__(self, path: Path, to: Path) -> None:
        self.path = path
        self._to = to
        self._writers: list[asyncio.StreamWriter] = []

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        async with await asyncio.start_unix_server(self._connected, self.path):
            yield
            self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._to)
        self._writers += [writer, far_writer]
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()


async def test_a_dropped_connection_is_taken_up_where_the_render_stands(tmp_path: Path) -> None:
    engine = SteppedEngine()
    settings = unix_settings(tmp_path)
    assert settings.socket is not None
    proxy = CuttingProxy(tmp_path / "proxy.sock", settings.socket)
    async with (
        running_service(engine, settings),
        proxy.serving(),
        RendererClient(socket=proxy.path) as client,
    ):
        engine.go_on(1)
        told: list[Progress | Picture] = []
        async for item in client.render(request()):
            told.append(item)
            if isinstance(item, Progress) and item.done in (1, 2):
                proxy.cut()
                engine.go_on(1 if item.done == 1 else STEPS)
    assert isinstance(told[-1], Picture)
    assert engine.rendered == ["r1"]


async def test_a_restarted_service_gets_the_same_render_again(tmp_path: Path) -> None:
    engine = SteppedEngine()
    settings = unix_settings(tmp_path)
    assert settings.socket is not None
    async with RendererClient(socket=settings.socket) as client:
        following = asyncio.create_task(picture_of(client, request()))
        async with running_service(engine, settings):
            engine.go_on(2)
            await until(lambda: engine.rendered)
        async with running_service(DrawnEngine(), settings):
            picture = await following
            alone = await picture_of(client, request("r2"))
    assert picture.png == alone.png


async def heard(client: RendererClient, wanted: RenderRequest, told: list[Progress]) -> None:
    """Follow a render and note its progress."""
    async for item in client.render(wanted):
        if isinstance(item, Progress):
            told.append(item)


async def test_a_render_that_kills_the_service_again_and_again_is_handed_back(
    tmp_path: Path,
) -> None:
    settings = unix_settings(tmp_path)
    assert settings.socket is not None
    told: list[Progress] = []
    lives = 0
    async with RendererClient(socket=settings.socket) as client:
        following = asyncio.create_task(heard(client, request(), told))
        while not following.done():
            told.clear()
            async with running_service(SteppedEngine(), settings):
                await until(lambda: told or following.done())
            lives += bool(told)
        with pytest.raises(RenderUnavailable, match=f"died {DEATHS} times"):
            await following
    assert lives == DEATHS


async def test_a_render_that_only_waited_when_the_service_died_is_not_blamed(
    tmp_path: Path,
) -> None:
    settings = unix_settings(tmp_path)
    assert settings.socket is not None
    told: list[Progress] = []
    async with RendererClient(socket=settings.socket) as client:
        following: asyncio.Task[None] | None = None
        for life in range(DEATHS + 2):
            engine = SteppedEngine()
            async with running_service(engine, settings) as running:
                first = request(f"first-{life}")
                other = replace(first, spec=replace(first.spec, seed=2))
                running.service.queue.submit(other)
                following = following or asyncio.create_task(heard(client, request(), told))
                told.clear()
                await until(lambda: told)
                assert told[-1].place == 1
        async with running_service(DrawnEngine(), settings):
            assert following is not None
            await following


async def test_more_pictures_than_a_pool_of_connections_are_followed_at_once(
    tmp_path: Path,
) -> None:
    count = 110  # httpx has 100 connections unless told otherwise
    engine = SteppedEngine()
    settings = unix_settings(tmp_path, limits=Limits(queued=count))
    async with running_service(engine, settings) as running, running.client() as client:
        told = [list[Progress]() for _ in range(count)]
        following = [
            asyncio.create_task(heard(client, request(f"r{n}"), mine))
            for n, mine in enumerate(told)
        ]
        await until(lambda: all(told))
        engine.go_on(STEPS)
        await asyncio.gather(*following)


async def test_without_a_sign_of_life_it_gives_up_after_so_many_tries(tmp_path: Path) -> None:
    async with RendererClient(socket=tmp_path / "none.sock", tries=2) as client:
        with pytest.raises(RenderUnavailable, match="does not answer"):
            await picture_of(client, request())


async def test_a_picture_that_always_arrives_damaged_is_given_up(tmp_path: Path) -> None:
    settings = unix_settings(tmp_path)
    async with (
        running_service(DrawnEngine(), settings) as running,
        running.client(tries=2) as client,
    ):
        await picture_of(client, request())
        render = running.service.queue.get("r1")
        assert render is not None
        assert render.picture is not None
        render.picture = replace(render.picture, png=b"other bytes")
        with pytest.raises(RenderUnavailable, match="damaged"):
            await picture_of(client, request())


async def test_a_full_service_is_busy_and_says_for_how_long(tmp_path: Path) -> None:
    engine = SteppedEngine()
    settings = unix_settings(tmp_path, limits=Limits(queued=0))
    async with running_service(engine, settings) as running, running.client() as client:
        with pytest.raises(RenderBusy) as busy:
            await picture_of(client, request())
    assert busy.value.retry_after_s >= 1


async def test_a_wrong_token_is_said_at_once_and_not_tried_again(tmp_path: Path) -> None:
    async with (
        running_service(DrawnEngine(), tcp_settings(tmp_path)) as running,
        running.client(token="x" * 40) as client,
    ):
        for call in (picture_of(client, request()), client.health(), client.put_blob(b"x")):
            with pytest.raises(RenderError, match="token") as refused:
                await call
            assert not refused.value.retryable


async def test_a_stranger_on_the_socket_is_unavailable(tmp_path: Path) -> None:
    async def strange(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_unix_server(strange, tmp_path / "s.sock"),
        RendererClient(socket=tmp_path / "s.sock", tries=1) as client,
    ):
        for call in (client.health(), client.models(), picture_of(client, request())):
            with pytest.raises(RenderUnavailable):
                await call


def test_the_bots_side_loads_neither_torch_nor_a_server(root: Path) -> None:
    heavy = ["torch", "diffusers", "transformers", "peft", "fastapi", "uvicorn", "numpy", "PIL"]
    code = (
        "import sys, generation.client, generation.supervisor, generation.wire\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
