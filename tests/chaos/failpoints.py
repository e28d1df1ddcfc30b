"""Named points at which a process kills or freezes itself, around the ports: the product knows
nothing of them.

A point is armed by a file of its name in `armed/`, which holds `kill` or `stop`; the first process
to get there takes the file away and does it. What happened stands in `hit/`.
"""

import inspect
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.messages import ChannelRef, MessageRef
from bot.core.ports import (
    BlobStore,
    Chat,
    Checked,
    Delivery,
    Inbox,
    Outgoing,
    Renderer,
    Store,
    Studio,
)
from bot.core.publications import Publication
from brand.kit import BrandKit
from brand.spec import Picture, Progress, RenderRequest, RenderSpec

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class Failpoints:
    """The points of one process."""

    def __init__(self, folder: Path) -> None:
        self._armed, self._hit = folder / "armed", folder / "hit"
        self._folder = folder

    def reached(self, name: str) -> None:
        """Die or freeze here, if that is asked for."""
        if (what := self._taken(name)) is not None:
            os.kill(os.getpid(), SIGNALS[what])

    def reached_by_another(self, name: str, pid: int) -> None:
        """Let that process die or freeze while this one is here."""
        if (what := self._taken(name)) is not None:
            os.kill(pid, SIGNALS[what])

    def _taken(self, name: str) -> str | None:
        # A process may come to the same point twice, and each time has to be seen.
        hit = self._hit / f"{name}@{os.getpid()}@{time.monotonic_ns()}"
        try:
            (self._armed / name).rename(hit)
        except FileNotFoundError:
            return None
        return hit.read_text()


class FailingStore:
    """A store whose transactions say what they did, right before and right after the commit."""

    def __init__(self, store: Store, points: Failpoints, role: str) -> None:
        self._store = store
        self._points = points
        self._role = role

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        """As the store's."""
        async with self._store.read() as tx:
            yield tx
        self._points.reached(f"{self._role}: after a look into the store")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        """As the store's."""
        done: list[str] = []
        async with self._store.write() as tx:
            yield _Watched(tx, done)
            for what in done:
                self._points.reached(f"{self._role}: {what}, before the commit")
        for what in done:
            self._points.reached(f"{self._role}: {what}, after the commit")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._store, name)


class _Watched:
    """A transaction whose stores note what they are asked to change."""

    def __init__(self, tx: Any, done: list[str]) -> None:  # noqa: ANN401  (any of its stores)
        self._tx = tx
        self._done = done

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return _WatchedStore(name, getattr(self._tx, name), self._done)


class _WatchedStore:
    def __init__(self, name: str, store: Any, done: list[str]) -> None:  # noqa: ANN401
        self._name = name
        self._store = store
        self._done = done

    def __getattr__(self, verb: str) -> Any:  # noqa: ANN401
        method = getattr(self._store, verb)
        if not inspect.iscoroutinefunction(method):
            return method

        async def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401
            result = await method(*given, **named)
            if result is not None or verb in ("add", "append", "chain"):
                state = getattr(result, "state", None) if verb.startswith("update") else None
                to = f" to {state.value}" if state is not None else ""
                self._done.append(f"{self._name} {verb}{to}")
            return result

        return call


class FailingInbox:
    """An inbox with points around it."""

    def __init__(self, inbox: Inbox, points: Failpoints) -> None:
        self._inbox = inbox
        self._points = points

    async def put(self, delivery: Delivery) -> None:
        """As the inbox's."""
        self._points.reached("bot: before the inbox")
        await self._inbox.put(delivery)
        self._points.reached("bot: between inbox and ack")

    async def done(self, platform: str, delivery_id: str) -> None:
        """As the inbox's."""
        self._points.reached("bot: between commit and done")
        await self._inbox.done(platform, delivery_id)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._inbox, name)


class FailingBlobs:
    """A blob store with a point after each file."""

    def __init__(self, blobs: BlobStore, points: Failpoints) -> None:
        self._blobs = blobs
        self._points = points

    async def put(self, data: bytes) -> str:
        """As the store's."""
        sha256 = await self._blobs.put(data)
        self._points.reached("worker: between blob and row")
        return sha256

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (all else is the store's own)
        return getattr(self._blobs, name)


class FailingRenderer:
    """A renderer during whose work this process or the generation service ends."""

    def __init__(self, renderer: Renderer, points: Failpoints, service_pid: Path) -> None:
        self._renderer = renderer
        self._points = points
        self._service_pid = service_pid

    async def render(self, request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        """As the renderer's."""
        async for event in self._renderer.render(request):
            self._points.reached_by_another(
                "generation: while it renders", int(self._service_pid.read_text())
            )
            self._points.reached("worker: between submission and picture")
            yield event

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._renderer, name)


class FailingStudio:
    """A studio with a point between the gates and the files."""

    def __init__(self, studio: Studio, points: Failpoints) -> None:
        self._studio = studio
        self._points = points

    async def check(
        self, png: bytes, spec: RenderSpec, kit: BrandKit, known: Sequence[tuple[str, str]]
    ) -> Checked:
        """As the studio's."""
        checked = await self._studio.check(png, spec, kit, known)
        self._points.reached("worker: between gates and files")
        return checked

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._studio, name)


class FailingChat:
    """A chat with points around every call."""

    def __init__(self, chat: Chat, points: Failpoints) -> None:
        self._chat = chat
        self._points = points
        self.platform = chat.platform

    async def send(self, message: Outgoing) -> MessageRef:
        """As the chat's."""
        self._points.reached("worker: between claim and send")
        ref = await self._chat.send(message)
        self._points.reached("worker: between send and record")
        return ref

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """As the chat's."""
        self._points.reached("worker: between the last look at the lease and the post")
        ref = await self._chat.post(publication, data, mime, alt)
        self._points.reached("worker: between post and record")
        return ref

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> Sequence[MessageRef]:
        """As the chat's."""
        self._points.reached("worker: before a look-up")
        found = await self._chat.look_up(
            outgoing_id, target, since=since, until=until, only_for=only_for
        )
        self._points.reached("worker: between look-up and record")
        return found

    async def delete(self, ref: MessageRef) -> None:
        """As the chat's."""
        await self._chat.delete(ref)
        self._points.reached("worker: between deletion and record")
