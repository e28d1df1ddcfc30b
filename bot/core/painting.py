"""A running job's message moves: its progress every few seconds, and two looks at the picture.

Each step is a row of the outbox, where a later one replaces what was not sent yet; the last word
on a job is its own card, queued by whoever ends it. What is drawn here may be late, never last.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bot.core.errors import ChatError, HousestyleError, NotFound
from bot.core.house import House
from bot.core.live import LiveProgress
from bot.core.messages import PictureRef
from bot.core.ports import Signal
from bot.core.progressing import percent, tell_progress
from bot.core.waking import first_of

log = logging.getLogger(__name__)

T = TypeVar("T")

EVERY_S = 2.5
"""Between two steps of one job."""
LOOKS = (1 / 3, 2 / 3)
"""How far a job is when its preview is shown anew; each is a file that has to be uploaded."""
LINGERS_S = 30.0
"""How long a preview stays once a later card has taken its place: that card may still
have to be sent."""
SWEEP_S = 3600.0
"""How often previews are taken away that a process left when it died."""
LEAVING_S = 3.0
"""How long taking previews away may hold up the end of the process."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Which platform's jobs are painted, and how quickly it lets messages change."""

    platform: str
    name: str
    """As people call it."""
    share_s: float
    """Between two steps of all jobs together that share a rate, in seconds."""
    by_channel: bool = False
    """Whether each channel has a rate of its own; else each workspace has."""


class Previews(Protocol):
    """Where previews stand while they are shown. Both raise ChatError and its kin."""

    async def temporary(self, team: str, data: bytes, alt: str) -> str | None:
        """What a picture's `blob` is to be, once it can be shown; None if it can't be."""
        ...

    async def discard(self, team: str, file: str) -> None:
        """Delete it: no card shows it any more."""
        ...

    async def sweep(self) -> None:
        """Delete those of a process that died."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """What a preview says of the job it belongs to."""

    team: str
    rate: str
    """Whose rate its steps take."""
    title: str
    size: tuple[int, int]


class Painter:
    """Follows the jobs that render in this process and were asked for on one platform."""

    def __init__(self, house: House, shelf: Previews, pace: Pace) -> None:
        self._house = house
        self._shelf = shelf
        self._pace = pace
        self._following: dict[str, asyncio.Task[None]] = {}
        self._painting: Counter[str] = Counter()
        """How many jobs are shown at each rate."""
        self._previews = _Files(house, shelf)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow jobs until `stop` is set."""
        try:
            await first_of(stop.wait(), self._listen(), self._sweep())
        finally:
            tasks = list(self._following.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._previews.leave()

    async def _listen(self) -> None:
        async with self._house.signals.subscribe("job:*") as signals:
            async for signal in signals:
                self._noticed(signal)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._shelf.sweep()
            except HousestyleError as exc:
                log.warning(
                    "Previews that were left stay in %s for now: %s", self._pace.name, exc.message
                )
            await self._house.clock.sleep(SWEEP_S)

    def _noticed(self, signal: Signal) -> None:
        job = signal.topic.removeprefix("job:")
        if signal.kind != "progress" or job in self._following:
            return
        task = self._following[job] = asyncio.create_task(self._follow(job))
        task.add_done_callback(lambda _: self._following.pop(job))

    async def _follow(self, job: str) -> None:
        """Until it renders no more. Nothing that goes wrong here may trouble the job."""
        try:
            subject = await self._subject_of(job)
            if subject is None:
                await self._ended(job)
                return
            await self._paint(job, subject)
        except Exception:
            log.exception("A job's progress can't be shown", extra={"job": job})
            await self._ended(job)

    async def _subject_of(self, job_id: str) -> _Subject | None:
        """None where the job was not asked for on this platform."""
        async with self._house.store.read() as tx:
            try:
                job = await tx.jobs.get(job_id)
            except NotFound:
                return None
            if job.origin is None or job.origin.platform != self._pace.platform:
                return None
            kit = await tx.kits.get(job.kit_hash)
        said = job.brief.words or job.brief.template or "a picture"
        team, channel, thread = job.origin.team, job.origin.channel, job.origin.thread
        return _Subject(
            team=team,
            rate=f"{channel}/{thread}" if self._pace.by_channel else team,
            title=f"{kit.name}: {said}"[:900],
            size=job.items[0].spec.output_size,
        )

    async def _paint(self, job: str, subject: _Subject) -> None:
        told: LiveProgress | None = None
        look = _Look(self._previews, subject)
        self._painting[subject.rate] += 1
        try:
            while (progress := await self._next(job, subject.rate)) is not None:
                look.at(progress)
                if progress is told and not look.is_new:
                    continue
                try:
                    await tell_progress(self._house, job, look.shown())
                except HousestyleError:
                    log.exception("A step of a job is left out", extra={"job": job})
                told = progress
        finally:
            self._painting[subject.rate] -= 1
            look.close()

    async def _next(self, job: str, rate: str = "") -> LiveProgress | None:
        """The newest progress after a while; None once it does not render here any more."""
        await self._house.clock.sleep(max(EVERY_S, self._pace.share_s * self._painting[rate]))
        return self._house.live.get(job)

    async def _ended(self, job: str) -> None:
        """Wait for it, so that each of its signals does not lead here again."""
        while await self._next(job) is not None:
            pass


class _Look:
    """The preview that a job's message shows: a new one at each of LOOKS, when it is there."""

    def __init__(self, files: "_Files", subject: _Subject) -> None:
        self._files = files
        self._subject = subject
        self._taken = 0
        """How many of LOOKS were taken."""
        self._coming: asyncio.Task[PictureRef | None] | None = None
        self._shown: PictureRef | None = None

    @property
    def is_new(self) -> bool:
        """Whether there is one that was not shown yet."""
        return self._coming is not None and self._coming.done()

    def at(self, progress: LiveProgress) -> None:
        """Begin to upload the next one where its time has come."""
        due = sum(progress.fraction >= share for share in LOOKS)
        if due > self._taken and progress.preview and self._coming is None:
            self._taken = due
            self._coming = self._files.working(self._upload(progress))

    def shown(self) -> PictureRef | None:
        """The newest that is ready; the one before it is taken away."""
        if self._coming is not None and self._coming.done():
            new = None if self._coming.cancelled() else self._coming.result()
            self._coming = None
            if new is not None:
                self._drop(self._shown)
                self._shown = new
        return self._shown

    def close(self) -> None:
        """The job's own card takes over; what is on its way is taken away when it has come."""
        if self._coming is not None:
            self._coming.add_done_callback(lambda _: self._drop(self.shown()))
        else:
            self._drop(self._shown)

    def _drop(self, ref: PictureRef | None) -> None:
        if ref is not None:
            self._files.drop(self._subject.team, ref.blob)

    async def _upload(self, progress: LiveProgress) -> PictureRef | None:
        subject = self._subject
        alt = f"{subject.title} (being made, {percent(progress.fraction)})"
        file = await self._files.put(subject.team, progress.preview, alt)
        if file is None:
            return None
        width, height = subject.size
        return PictureRef(asset="", blob=file, alt=alt, width=width, height=height)


class _Files:
    """Previews that stand somewhere, and their way out again."""

    def __init__(self, house: House, shelf: Previews) -> None:
        self._house = house
        self._shelf = shelf
        self._there: set[tuple[str, str]] = set()
        self._busy: set[asyncio.Task[Any]] = set()

    async def put(self, team: str, data: bytes, alt: str) -> str | None:
        """What the picture's blob is; None where it can't be shown."""
        try:
            file = await self._shelf.temporary(team, data, alt)
        except ChatError:
            log.exception("A preview can't be shown")
            return None
        if file is not None:
            self._there.add((team, file))
        return file

    def drop(self, team: str, file: str) -> None:
        """Take it away in a while."""
        self.working(self._drop(team, file))

    def working(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it beside the rest, until `leave`."""
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        return task

    async def leave(self) -> None:
        """Take away at once what is there still, as far as that is possible."""
        while self._busy:  # an upload that ends now leaves a file to be dropped
            busy = list(self._busy)
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
        left = [asyncio.create_task(self._discard(*file)) for file in self._there]
        if left:
            await asyncio.wait(left, timeout=LEAVING_S)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _drop(self, team: str, file: str) -> None:
        await self._house.clock.sleep(LINGERS_S)
        await self._discard(team, file)

    async def _discard(self, team: str, file: str) -> None:
        self._there.discard((team, file))
        try:
            await self._shelf.discard(team, file)
        except ChatError:
            log.exception("A preview can't be taken away; nobody is shown it any more")
