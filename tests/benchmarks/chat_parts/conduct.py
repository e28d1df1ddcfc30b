"""Starts the processes, lets people type, kills the bots, and waits until every job has a card."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bot.app import open_house
from bot.core.people import Person
from tests.acceptance.product import free_port
from tests.benchmarks.chat_parts.plan import POINT, Plan, Platform, Wanted
from tests.benchmarks.chat_parts.records import read_records
from tests.benchmarks.chat_parts.tries import TYPED, Try, done
from tests.chaos.conductor import say
from tests.chaos.nodes import Node

LOOK_S = 0.5
SOON_S = 0.05
STUCK_S = 180.0
"""Nothing has moved for so long: it will not any more."""
KILLED_BY = 0.9
"""The share of the time by which the last kill is due."""


@dataclass
class Run:
    """What a run is made of."""

    wanted: Wanted
    platform: Platform
    plan: Plan
    chat: asyncio.subprocess.Process
    control: httpx.AsyncClient
    nodes: list[Node] = field(default_factory=list)

    def tries(self) -> list[Try]:
        """Every try that has ended, acknowledged or not."""
        return done(self.plan.folder / TYPED)

    def made(self) -> dict[str, str]:
        """Job -> the trigger that it came of; also of jobs that were never committed."""
        found: dict[str, str] = {}
        for log in (self.plan.folder / "made").iterdir():
            lines = (line.partition(" ") for line in log.read_text().splitlines())
            found |= {job: delivery.rpartition(":")[2] for job, _, delivery in lines}
        return found

    def killed(self) -> list[str]:
        """The triggers of what was killed before its commit, in order."""
        hits = sorted((self.plan.folder / "hit").iterdir(), key=lambda hit: hit.stat().st_mtime)
        pids = [hit.name.split("@")[1] for hit in hits]
        taken = [(self.plan.folder / "taken" / pid).read_text() for pid in pids]
        return [delivery.rpartition(":")[2] for delivery in taken]

    def good_kills(self) -> int:
        """Kills between an acknowledgement and its commit: the chat had the one, the records not
        the other."""
        acked = {tried.trigger for tried in self.tries() if tried.acked}
        return sum(trigger in acked for trigger in self.killed())

    async def ask(self, **deed: Any) -> Any:  # noqa: ANN401
        """Have the chat do something."""
        answer = await self.control.post("/_control", json=deed)
        answer.raise_for_status()
        return answer.json()

    async def stop(self) -> None:
        """End the product's processes with SIGTERM, the one that draws last: others end what they
        have in hand. What the chat holds stays there to be counted."""
        drawing, others = self.nodes[:1], self.nodes[1:]
        for nodes in (others, drawing):
            await asyncio.gather(*(node.stop() for node in nodes))
        self.nodes.clear()


@asynccontextmanager
async def running(platform: Platform, wanted: Wanted, folder: Path) -> AsyncIterator[Run]:
    """All processes, started and warm."""
    for name in ("armed", "hit", "taken", "made", "logs", "brands", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "brands" / "acme.toml").write_text(platform.kit)
    ports = {name: free_port() for name in wanted.bots}
    async with AsyncExitStack() as stack:
        orders = asdict(wanted) | platform.orders(ports)
        chat, facts = await _chat(stack, platform, orders, folder)
        control = await stack.enter_async_context(
            httpx.AsyncClient(base_url=facts["base"], timeout=30)
        )
        plan = platform.plan(folder, ports, facts)
        await _invite(plan, platform.members())
        run = Run(wanted=wanted, platform=platform, plan=plan, chat=chat, control=control)
        stack.push_async_callback(run.stop)
        for node in _nodes(run):
            await node.start()
            run.nodes.append(node)
        await platform.warm(run)
        yield run


async def _chat(
    stack: AsyncExitStack, platform: Platform, orders: dict[str, Any], folder: Path
) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    path = folder / "orders.json"
    path.write_text(json.dumps(orders))
    with (folder / "logs" / platform.chat).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", platform.parts, platform.chat, str(path)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )

    async def end() -> None:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

    stack.push_async_callback(end)
    assert process.stdout is not None
    facts: dict[str, str] = json.loads(await process.stdout.readline())
    return process, facts


async def _invite(plan: Plan, members: list[Person]) -> None:
    """Make the tables, the members and their accounts."""
    async with (
        open_house(plan.settings("worker"), generation=False) as house,
        house.store.write() as tx,
    ):
        for member in members:
            await tx.people.add(member)


def _nodes(run: Run) -> list[Node]:
    plan, path = run.plan, str(run.plan.write())
    generation = ["-m", "generation", "--engine", "drawn", "--model", "drawn"]
    generation += ["--socket", str(plan.folder / "generation.sock")]
    generation += ["--state-dir", str(plan.folder / "generation")]
    parts = ["-m", run.platform.parts]
    return [
        Node("generation", generation, plan.folder),
        *(Node(name, [*parts, name, path], plan.folder) for name in ("worker", *run.wanted.bots)),
    ]


async def carry_out(run: Run) -> None:
    """Let people type and bots die, until every job has a card in the chat."""
    assert run.chat.stdin is not None
    assert run.chat.stdout is not None
    typed = asyncio.create_task(run.chat.stdout.readline())
    say(f"{run.wanted.deeds} begin, to be done in {run.wanted.seconds:.0f} s")
    run.chat.stdin.write(b"type\n")
    began = time.monotonic()
    await asyncio.gather(_kill(run, typed), run.platform.meanwhile(run))
    await typed
    say(f"all was acknowledged after {time.monotonic() - began:.1f} s")
    await _settled(run)
    say(f"every job had a card after {time.monotonic() - began:.1f} s")


async def _kill(run: Run, typed: "asyncio.Task[bytes]") -> None:
    """Kill at even times; what died before its acknowledgement does not count, and is made up for
    as long as there are acknowledged deeds without a job."""
    start, kills = time.monotonic(), run.wanted.kills
    pace = run.wanted.seconds * KILLED_BY / max(1, kills)
    for number in range(kills):
        due = start + (number + 0.5) * pace
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await _one_kill(run, typed)
    while run.good_kills() < kills and _goes_on(run, typed):
        if not _in_doubt(run):
            await _one_kill(run, typed)
        await asyncio.sleep(SOON_S)


def _goes_on(run: Run, typed: "asyncio.Task[bytes]") -> bool:
    """Whether acknowledged deeds without a job are left to die with."""
    return not typed.done() or not _taken(run) <= _known(run)


def _in_doubt(run: Run) -> bool:
    """Whether what was killed has not been acknowledged yet, nor given up."""
    return not set(run.killed()) <= {tried.trigger for tried in run.tries()}


async def _one_kill(run: Run, typed: "asyncio.Task[bytes]") -> None:
    """Arm the point and wait until a process has got there."""
    armed = run.plan.folder / "armed" / POINT
    new = run.plan.folder / "arming"
    new.write_text("kill")
    new.rename(armed)
    while armed.exists() and _goes_on(run, typed):  # noqa: ASYNC110  (another takes it away)
        await asyncio.sleep(SOON_S)


async def _settled(run: Run) -> None:
    """Every acknowledged try has a job, every job a card that was sent, and nothing is open."""
    moved, told, last = time.monotonic(), 0.0, (-1, -1, -1)
    while True:
        records, open_still = read_records(run.plan.database), await run.platform.open(run)
        now, stands = time.monotonic(), (len(records.jobs), len(records.carded()), open_still)
        if stands != last:
            moved, last = now, stands
        if _taken(run) <= _known(run) and stands[0] == stands[1] and not open_still:
            return
        how = f"{len(_taken(run))} taken in; {stands[0]} jobs, {stands[1]} of them have a card; "
        how += f"{open_still} open"
        if now - moved > STUCK_S:
            say(f"it does not come to an end: {how}")
            return
        if now - told > 10.0:
            told = now
            say(how)
        await asyncio.sleep(LOOK_S)


def _taken(run: Run) -> set[str]:
    return {tried.trigger for tried in run.tries() if tried.acked}


def _known(run: Run) -> set[str]:
    made = run.made()
    return {made[job] for job in read_records(run.plan.database).jobs if job in made}


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 120.0) -> None:
    """Ask until it is so; a process that does not listen yet is asked again."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                if await condition():
                    return
            except httpx.TransportError:
                pass  # not listening yet
            await asyncio.sleep(SOON_S)
