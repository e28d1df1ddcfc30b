"""The pictures of one job: rendered side by side, or taken from the archive.

The engine schedules rows of many pictures at once, so all of a job's pictures are asked for
together. One that fails takes the others along: a job is done as a whole or not at all.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.cancelling import stop_renders
from bot.core.heeding import Heeding
from bot.core.house import House
from bot.core.jobs import Job, JobItem
from bot.core.live import LiveProgress
from bot.core.measuring import timed
from bot.core.ports import Signal
from bot.core.reusing import archived_picture
from bot.core.submitting import picture_of
from brand.spec import (
    Picture,
    Progress,
    RenderBusy,
    RenderCancelled,
    RenderError,
    RenderRequest,
    RenderUnavailable,
)

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Pictures of one job that are asked for together; the service shares its rows among all jobs."""
TOLD_S = 2.0
"""So long the other renders of a job that ends without its pictures are listened to: each says
what it used when it stops, at its next step."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """An item with its picture, before the gates."""

    item: JobItem
    picture: Picture
    reused: str = ""
    """Id of the earlier asset whose pixels these are; empty where it was rendered."""


async def pictures_of(house: House, job: Job, used: dict[int, float]) -> Sequence[Rendered]:
    """All pending pictures of a job, in their order. `used` gets the device seconds of each by its
    item's index, also of those that were cancelled. Raises the RenderError tree."""
    progress = _Progress(house, job)
    heeding = progress.heeding
    room, over = asyncio.Semaphore(AT_ONCE), asyncio.Event()

    async def one(item: JobItem) -> Rendered:
        async with room:
            if over.is_set():
                raise RenderCancelled("Another picture of the job failed.")
            try:
                await heeding.begin(item.render_id)
                rendered = await _picture(house, job, item, progress)
            except RenderError as exc:
                used[item.index] = exc.seconds
                over.set()
                raise
            finally:
                heeding.end(item.render_id)
            used[item.index] = rendered.picture.seconds
            return rendered

    watching = asyncio.create_task(heeding.watch())
    tasks = [asyncio.create_task(one(item)) for item in job.pending]
    try:
        return await asyncio.gather(*tasks)
    except RenderUnavailable:
        raise  # those that the service still has are picked up again under their ids
    except Exception:
        over.set()
        await stop_renders(house, [job])
        _, silent = await asyncio.wait(tasks, timeout=TOLD_S)
        if silent:
            await _end(tasks)
            await stop_renders(house, [job])  # one may have begun meanwhile
        raise
    finally:
        await _end([*tasks, watching])


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _picture(house: House, job: Job, item: JobItem, progress: "_Progress") -> Rendered:
    if item.reuse and (kept := await archived_picture(house, job.brand, item)):
        progress.finished(item)
        return Rendered(item=item, picture=kept, reused=item.reuse)
    request = RenderRequest(
        render_id=item.render_id,
        brand=job.brand,
        spec=item.spec,
        priority=job.priority,
        team=(job.charge.team if job.charge else "") or job.requester,
    )
    with timed(house, "rendering"), house.watch.span("submit", picture=item.index):
        picture = await _rendered(house, request, item, progress)
    progress.finished(item)
    return Rendered(item=item, picture=picture)


async def _rendered(
    house: House, request: RenderRequest, item: JobItem, progress: "_Progress"
) -> Picture:
    """Waits with the job in hand while the service is full: that is no failed start."""
    while True:
        try:
            return await picture_of(house, request, lambda event: progress.note(item, event))
        except RenderBusy as exc:
            await house.clock.sleep(exc.retry_after_s)


class _Progress:
    """How far a job is: its pictures' progress in one."""

    def __init__(self, house: House, job: Job) -> None:
        self._house, self._job = house, job
        self._done = len(job.items) - len(job.pending)
        self._finished = self._done
        self._parts: dict[int, float] = {}
        self._places: dict[int, int] = {}
        self._due: dict[int, datetime] = {}
        """When each picture is expected; some tell of themselves less often than others."""
        self.heeding = Heeding(house, job, self._changed)

    def _changed(self) -> None:
        """It is paused, or goes on: others have its place, or no longer."""
        self._tell(b"")
        self._house.signals.publish(Signal(topic="queue", kind="room", data={}))

    def note(self, item: JobItem, event: Progress) -> None:
        """Take in how far one picture is."""
        self.heeding.note(item.render_id, event)
        self._parts[item.index] = event.done / event.total if event.total else 0.0
        self._places[item.index] = event.place
        if event.eta_s is not None:
            self._due[item.index] = self._house.clock.now() + timedelta(seconds=event.eta_s)
        self._tell(event.preview)

    def finished(self, item: JobItem) -> None:
        """One picture is there."""
        self._finished += 1
        self._parts[item.index] = 1.0
        self._places.pop(item.index, None)
        self._due.pop(item.index, None)
        if self._finished < len(self._job.items):
            self._tell(b"")

    def _left_s(self) -> float | None:
        """Until the last picture is there."""
        if not self._due:
            return None
        left = max(self._due.values()) - self._house.clock.now()
        return max(0.0, left.total_seconds())

    def _tell(self, preview: bytes) -> None:
        total = len(self._job.items)
        progress = LiveProgress(
            fraction=(self._done + sum(self._parts.values())) / total,
            place=min(self._places.values(), default=0),
            eta_s=None if self.heeding.paused else self._left_s(),
            preview=preview,
            picture=min(self._finished + 1, total),
            pictures=total,
            paused=self.heeding.paused,
        )
        self._house.live.put(self._job.id, progress)
        data = {
            "fraction": round(progress.fraction, 4),
            "place": progress.place,
            "eta_s": progress.eta_s,
            "preview": bool(preview),
            "picture": progress.picture,
            "pictures": total,
            "paused": progress.paused,
        }
        topic = f"job:{self._job.id}"
        self._house.signals.publish(Signal(topic=topic, kind="progress", data=data))
