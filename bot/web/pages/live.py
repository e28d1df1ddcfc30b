"""One event stream a browser: what changed, as addresses to fetch and numbers to show.

Nothing that only some may read travels here: an event names a message or a job, and the page
asks for it with its own session. A lost event costs only delay.
"""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from bot.core.errors import NotFound
from bot.core.ports import Signal
from bot.core.progressing import progress_words
from bot.core.seeing import Sight
from bot.web.frame import Frame, Framed
from bot.web.messages import preview_version
from bot.web.visitor import visitor_of

router = APIRouter()
STEP_S = 0.2
"""Progress of one job is told at most so often."""
PATIENCE_S = 20.0
RECHECK = timedelta(seconds=20)
"""A stream outlives the session or the roles it was opened with by so much at most."""
MAX_JOBS = 1000


class Teller:
    """Turns signals into the events of one visitor."""

    def __init__(self, frame: Frame, channels: frozenset[str]) -> None:
        self._frame = frame
        self._channels = channels
        self._may: dict[str, bool] = {}
        self._told: dict[str, float] = {}

    async def event(self, signal: Signal) -> dict[str, Any] | None:
        """The event, or None where it is not this visitor's business or too soon."""
        kind, _, rest = signal.topic.partition(":")
        if kind == "channel":
            return self._message(rest, signal.data)
        if kind == "job":
            return await self._job(rest, signal.kind)
        if kind in ("queue", "reviews", "calendar"):
            return {"type": kind}
        return None

    def _message(self, channel: str, data: dict[str, Any]) -> dict[str, Any] | None:
        visitor = self._frame.visitor
        if channel not in self._channels or data.get("only_for") not in ("", visitor.user):
            return None
        slug = "me" if channel == visitor.direct_line else channel
        return {"type": "message", "channel": slug, "id": data["message"]}

    async def _job(self, job_id: str, kind: str) -> dict[str, Any] | None:
        live = self._frame.house.live.get(job_id)
        if kind != "progress" or live is None:
            return {"type": "queue"}
        now = time.monotonic()
        if now - self._told.get(job_id, 0.0) < STEP_S or not await self._sees(job_id):
            return None
        if len(self._told) > MAX_JOBS:
            self._told.clear()
        self._told[job_id] = now
        return {
            "type": "job",
            "id": job_id,
            "fraction": round(live.fraction, 3),
            "status": progress_words(live),
            "preview": preview_version(live.preview),
        }

    async def _sees(self, job_id: str) -> bool:
        if len(self._may) > MAX_JOBS:
            self._may.clear()
        if job_id not in self._may:
            async with self._frame.house.store.read() as tx:
                try:
                    sight = Sight(tx, self._frame.visitor.person)
                    self._may[job_id] = await sight.job(await tx.jobs.get(job_id))
                except NotFound:
                    self._may[job_id] = False
        return self._may[job_id]


@router.get("/events", response_class=EventSourceResponse)
async def events(frame: Framed) -> AsyncIterator[ServerSentEvent]:
    """The stream. It starts by naming the portal's version, so that an old page knows itself."""
    visitor, site = frame.visitor, frame.site
    rooms = await site.desk.rooms(visitor.person.id, visitor.user)
    teller = Teller(frame, frozenset(room.channel for room in rooms))
    checked = site.house.clock.now()
    yield ServerSentEvent(data={"type": "hello", "version": site.files.version}, retry=2000)
    async with site.house.signals.subscribe() as signals:
        async for signal in site.streams.until_stopped(signals, every_s=PATIENCE_S):
            if (now := site.house.clock.now()) - checked >= RECHECK:
                if not await _still_the_same(frame):
                    return  # the browser asks again, and is answered by what holds now
                checked = now
            if signal is None:
                continue
            event = await teller.event(signal)
            if event is not None:
                yield ServerSentEvent(data=event)


async def _still_the_same(frame: Frame) -> bool:
    """Whether the visitor is still signed in, with the same roles and accounts."""
    now, then = await visitor_of(frame.request), frame.visitor.person
    if now is None:
        return False
    return (now.person.roles, now.person.identities) == (then.roles, then.identities)
