"""Health: what works, what does not, and what to do about it. One list for people and machines.

A part that is down but costs only time (the generation service: pictures wait) is degraded, and so
is a chat that is not connected, for the other ways in stand open; one without which nothing is
taken in (the records, the inbox's folder, a full disk) has failed.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from bot.core.connections import Connection
from bot.core.errors import HousestyleError
from bot.core.house import House
from bot.core.lives import OutboxState, PublicationState
from bot.core.ports import Clock, Store
from bot.core.ports.census import Counts
from brand.spec import RendererHealth, RenderError

PATIENCE_S = 2.0
FRESH_S = 1.0
SLOW_STORE_S = 0.25
MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000
DISK_NEEDED, DISK_ENOUGH = 500 * MEGABYTE, 5 * GIGABYTE
"""Free space: less than the first is a failure, less than the second worth a look."""
CLOCK_MAY_DIFFER = timedelta(seconds=5)
CHAIN_MAY_WAIT = 1000
"""Events that may wait to be chained before it is worth a look."""
OLD_JOB = timedelta(minutes=30)


class Condition(StrEnum):
    """How a part is."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One part. `name` is a word for machines, `label` the same for people."""

    name: str
    label: str
    condition: Condition
    says: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All findings, and what the generation service said of itself."""

    findings: tuple[Finding, ...]
    renderer: RendererHealth | None = None

    @property
    def ready(self) -> bool:
        """Whether commands can be taken in."""
        return all(each.condition is not Condition.FAILED for each in self.findings)

    @property
    def condition(self) -> Condition:
        """The worst one."""
        found = {each.condition for each in self.findings}
        worst_first = (Condition.FAILED, Condition.DEGRADED)
        return next((each for each in worst_first if each in found), Condition.OK)


class Examiner:
    """Looks at most once in FRESH_S seconds, however many ask: anybody may ask for the probes."""

    def __init__(self, house: House, folder: Path | None) -> None:
        self._house = house
        self._folder = folder
        self._looking = asyncio.Lock()
        self._report: Report | None = None
        self._at = 0.0

    async def report(self) -> Report:
        """The newest report."""
        async with self._looking:
            if self._report is None or time.monotonic() - self._at > FRESH_S:
                self._report = await examine(self._house, self._folder)
                self._at = time.monotonic()
            return self._report


async def examine(house: House, folder: Path | None) -> Report:
    """Look at everything now; `folder` is where the data lies on this machine."""
    records, (service, said), local = await asyncio.gather(
        look_at_records(house.store, house.clock), _service(house), _local(folder)
    )
    chats = [_chat(platform, each) for platform, each in house.connections.now().items()]
    return Report(findings=(*records, service, *chats, *local), renderer=said)


def room_on_disk(folder: Path) -> Finding:
    """Whether the disk under this folder has room. Blocking."""
    usage = shutil.disk_usage(folder)
    says = f"{_size(usage.free)} of {_size(usage.total)} free"
    fix = "Make room, prune the archive, or move data_dir to a larger disk."
    condition = Condition.OK
    if usage.free < DISK_NEEDED:
        condition = Condition.FAILED
    elif usage.free < DISK_ENOUGH:
        condition = Condition.DEGRADED
    fix = "" if condition is Condition.OK else fix
    return Finding(name="disk", label="Disk", condition=condition, says=says, fix=fix)


def can_be_written(folder: Path, *, name: str, label: str) -> Finding:
    """Whether files can be made in this folder, which may not be there yet. Blocking."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    probe = there / f".housestyle-probe-{os.getpid()}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as exc:
        why = exc.strerror or type(exc).__name__
        return Finding(
            name=name,
            label=label,
            condition=Condition.FAILED,
            says=f"{folder} can't be written: {why}",
            fix="Give this account the right to write there, or set data_dir to another folder.",
        )
    return Finding(name=name, label=label, condition=Condition.OK, says="Can be written")


async def _local(folder: Path | None) -> tuple[Finding, ...]:
    if folder is None:
        return ()
    inbox = await asyncio.to_thread(
        can_be_written, folder / "inbox", name="inbox", label="Inbox of this machine"
    )
    return (inbox, await asyncio.to_thread(room_on_disk, folder))


async def look_at_records(store: Store, clock: Clock) -> Sequence[Finding]:
    """Whether the records answer, and what they tell of the house."""
    label = "Records"
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_S):
            current = await store.is_current()
            async with store.read() as tx:
                counts = await tx.census.counts()
                unchained = await tx.ledger.waiting()
                newest = await tx.ledger.recent(limit=1)
    except (HousestyleError, TimeoutError) as exc:
        says = str(exc) or f"No answer within {PATIENCE_S:g} s"
        fix = "Check that the database runs; what comes in meanwhile waits in the inbox."
        failed = Finding(
            name="records", label=label, condition=Condition.FAILED, says=says, fix=fix
        )
        return [failed]
    took = time.perf_counter() - began
    slow = took >= SLOW_STORE_S
    answers = Finding(
        name="records",
        label=label,
        condition=Condition.DEGRADED if slow else Condition.OK,
        says=f"Answer in {took * 1000:.0f} ms",
        fix="That is slow: look at the disk and the database." if slow else "",
    )
    ahead = newest[0].at - clock.now() if newest else timedelta()
    return [
        answers,
        _tables(current=current),
        _clock(ahead),
        _queue(counts, clock),
        _messages(counts),
        _chain(unchained),
    ]


def _tables(*, current: bool) -> Finding:
    return Finding(
        name="tables",
        label="Tables",
        condition=Condition.OK if current else Condition.FAILED,
        says="Of this version" if current else "Of another version than this program",
        fix="" if current else "Restart every process with the same version.",
    )


def _clock(ahead: timedelta) -> Finding:
    off = ahead > CLOCK_MAY_DIFFER
    return Finding(
        name="clock",
        label="Clock",
        condition=Condition.DEGRADED if off else Condition.OK,
        says=f"{ahead.total_seconds():.0f} s behind the newest event" if off else "Goes right",
        fix="Let the clocks of all machines be set by NTP." if off else "",
    )


def _queue(counts: Counts, clock: Clock) -> Finding:
    waiting, held = counts.jobs.get("queued", 0), counts.jobs.get("held", 0)
    age = clock.now() - counts.oldest_queued if counts.oldest_queued else timedelta()
    old = age > OLD_JOB
    says = f"{waiting} waiting, {held} held by a budget"
    return Finding(
        name="queue",
        label="Queue",
        condition=Condition.DEGRADED if old else Condition.OK,
        says=says + (f"; the oldest for {age.total_seconds() / 60:.0f} min" if old else ""),
        fix="See whether a worker runs, and whether the generation service is fast enough."
        if old
        else "",
    )


def _messages(counts: Counts) -> Finding:
    said = counts.messages
    waiting = said.get(OutboxState.PENDING, 0) + said.get(OutboxState.SENDING, 0)
    unclear = said.get(OutboxState.AMBIGUOUS, 0)
    unclear += counts.publications.get(PublicationState.AMBIGUOUS, 0)
    failed = said.get(OutboxState.FAILED, 0)
    fix = "Refused messages are named in the log with the reason." if failed else ""
    if unclear:
        fix = "Unclear posts wait for their requester to say whether they arrived."
    return Finding(
        name="messages",
        label="Messages and posts",
        condition=Condition.DEGRADED if unclear or failed else Condition.OK,
        says=f"{said.get(OutboxState.SENT, 0)} sent, {waiting} on their way, {unclear} unclear, "
        f"{failed} refused",
        fix=fix,
    )


def _chain(unchained: int) -> Finding:
    behind = unchained > CHAIN_MAY_WAIT
    return Finding(
        name="ledger",
        label="Ledger",
        condition=Condition.DEGRADED if behind else Condition.OK,
        says=f"{unchained} events wait to be chained",
        fix="See whether a process with the role sequencer runs." if behind else "",
    )


async def _service(house: House) -> tuple[Finding, RendererHealth | None]:
    name, label = "generation", "Generation service"
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = await house.renderer.health()
    except (RenderError, TimeoutError) as exc:
        why = str(exc) or f"no answer within {PATIENCE_S:g} s"
        finding = Finding(
            name=name,
            label=label,
            condition=Condition.DEGRADED,
            says=f"Not reachable: {why}",
            fix="Pictures wait in the queue and are rendered once it is back.",
        )
        return finding, None
    load = f"{said.running} running, {said.queued} waiting"
    if said.ready:
        ready = f"Ready on {said.device}: {load}"
        return Finding(name=name, label=label, condition=Condition.OK, says=ready), said
    says = f"Starting on {said.device}. {said.detail}".strip()
    fix = "The model is being loaded."
    return Finding(name=name, label=label, condition=Condition.DEGRADED, says=says, fix=fix), said


def _chat(platform: str, line: Connection) -> Finding:
    if line.is_open:
        says = f"Connected, but {line.reason}" if line.reason else "Connected"
        condition = Condition.DEGRADED if line.reason else Condition.OK
        return Finding(name=platform, label=line.name, condition=condition, says=says, fix=line.fix)
    why = line.reason or "it is being opened"
    return Finding(
        name=platform,
        label=line.name,
        condition=Condition.DEGRADED,
        says=f"Not connected: {why}",
        fix=line.fix
        or "It is opened anew by itself; until then people there may be told that nobody answered.",
    )


def _size(count: int) -> str:
    return f"{count / GIGABYTE:.1f} GB" if count >= GIGABYTE else f"{count / MEGABYTE:.0f} MB"
