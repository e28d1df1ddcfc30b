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
from bot.chat.slack_chat.options import Mode
from bot.core.ids import new_id
from bot.core.people import ANY_BRAND, Identity, Person, Role
from tests.acceptance.product import free_port
from tests.benchmarks.slack_parts.plan import POINT, TEAM, Plan, Wanted
from tests.benchmarks.slack_parts.records import read_records
from tests.chaos.nodes import Node
from tests.fakes.drawn_kit import DRAWN_KIT

LOOK_S = 0.5
SOON_S = 0.05
STARTS_S = 120.0
STUCK_S = 180.0
"""Nothing has moved for so long: it will not any more."""
KILLED_BY = 0.9
"""The share of the time by which the last kill is due."""
WARMER = "U0MIA"
"""Who asks for a picture before it begins."""


def say(line: str) -> None:
    """Tell how it goes."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


@dataclass
class Run:
    """What a run is made of."""

    wanted: Wanted
    plan: Plan
    slack: asyncio.subprocess.Process
    control: httpx.AsyncClient
    nodes: list[Node] = field(default_factory=list)

    def tries(self) -> list[dict[str, Any]]:
        """Every try that has ended, acknowledged or not."""
        log = self.plan.folder / "typed.jsonl"
        if not log.exists():
            return []
        whole = log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def killed(self) -> list[str]:
        """The triggers of what was killed before its commit, in order."""
        hits = sorted((self.plan.folder / "hit").iterdir(), key=lambda hit: hit.stat().st_mtime)
        pids = [hit.name.split("@")[1] for hit in hits]
        taken = [(self.plan.folder / "taken" / pid).read_text() for pid in pids]
        return [delivery.rpartition(":trigger:")[2] for delivery in taken]

    def good_kills(self) -> int:
        """Kills between an acknowledgement and its commit: Slack had the one, the records not the
        other."""
        acked = {tried["trigger"] for tried in self.tries() if tried["acked"]}
        return sum(trigger in acked for trigger in self.killed())

    async def ask(self, **deed: Any) -> Any:  # noqa: ANN401
        """Have the Slack do something."""
        answer = await self.control.post("/_control", json=deed)
        answer.raise_for_status()
        return answer.json()

    async def stop(self) -> None:
        """End the product's processes with SIGTERM; what Slack holds stays there to be counted."""
        await asyncio.gather(*(node.stop() for node in self.nodes))
        self.nodes.clear()


@asynccontextmanager
async def running(wanted: Wanted, folder: Path) -> AsyncIterator[Run]:
    """All processes, started and warm."""
    for name in ("armed", "hit", "taken", "logs", "brands", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "brands" / "acme.toml").write_text(DRAWN_KIT)
    ports = {name: free_port() for name in wanted.bots}
    async with AsyncExitStack() as stack:
        slack, facts = await _slack(stack, wanted, folder, ports)
        control = await stack.enter_async_context(
            httpx.AsyncClient(base_url=facts.pop("base"), timeout=30)
        )
        plan = Plan(folder=folder, slack=facts, ports=ports, mode=wanted.mode)
        await _invite(plan, [*wanted.users, WARMER])
        run = Run(wanted=wanted, plan=plan, slack=slack, control=control)
        stack.push_async_callback(run.stop)
        for node in _nodes(plan, wanted):
            await node.start()
            run.nodes.append(node)
        await _warm(run)
        yield run


async def _slack(
    stack: AsyncExitStack, wanted: Wanted, folder: Path, ports: dict[str, int]
) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    url = ""
    if wanted.mode is Mode.HTTP:
        url = f"http://127.0.0.1:{ports['bot-1']}/slack/events"
    orders = folder / "orders.json"
    orders.write_text(json.dumps({**asdict(wanted), "url": url}))
    with (folder / "logs" / "slack").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.benchmarks.slack_parts", "slack", str(orders)),
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


async def _invite(plan: Plan, users: list[str]) -> None:
    """Make the tables, the members and their accounts."""
    async with (
        open_house(plan.settings("worker"), generation=False) as house,
        house.store.write() as tx,
    ):
        for user in users:
            await tx.people.add(
                Person(
                    id=new_id(),
                    name=user.title(),
                    created_at=house.clock.now(),
                    roles=((ANY_BRAND, Role.REQUESTER),),
                    identities=(Identity(platform="slack", user=user, team=TEAM),),
                )
            )


def _nodes(plan: Plan, wanted: Wanted) -> list[Node]:
    path = str(plan.write())
    generation = ["-m", "generation", "--engine", "drawn", "--model", "drawn"]
    generation += ["--socket", str(plan.folder / "generation.sock")]
    generation += ["--state-dir", str(plan.folder / "generation")]
    parts = ["-m", "tests.benchmarks.slack_parts"]
    return [
        Node("generation", generation, plan.folder),
        *(Node(name, [*parts, name, path], plan.folder) for name in ("worker", *wanted.bots)),
    ]


async def _warm(run: Run) -> None:
    """Every bot listens, and a first picture stands in Slack."""

    async def listens() -> bool:
        if run.wanted.mode is Mode.SOCKET:
            facts = await run.ask(do="facts")
            return bool(facts["sockets"] >= 2 * len(run.wanted.bots))
        async with httpx.AsyncClient() as browser:
            port = run.plan.ports["bot-1"]
            return (await browser.get(f"http://127.0.0.1:{port}/health")).status_code < 500

    async def stands() -> bool:
        messages = await run.ask(do="everything")
        return any(block["type"] == "image" for m in messages for block in m["blocks"])

    await _until(listens, STARTS_S)
    await run.ask(do="command", user=WARMER, name="/imagine", text="a first mug")
    await _until(stands, STARTS_S)


async def carry_out(run: Run) -> None:
    """Let people type and bots die, until every job has a card in Slack."""
    assert run.slack.stdin is not None
    assert run.slack.stdout is not None
    typed = asyncio.create_task(run.slack.stdout.readline())
    say(f"{run.wanted.commands} commands in {run.wanted.seconds:.0f} s begin")
    run.slack.stdin.write(b"type\n")
    began = time.monotonic()
    await _kill(run, typed)
    await typed
    say(f"all was acknowledged after {time.monotonic() - began:.1f} s")
    await _settled(run)
    say(f"every job had a card after {time.monotonic() - began:.1f} s")


async def _kill(run: Run, typed: "asyncio.Task[bytes]") -> None:
    """Kill at even times; what died before its acknowledgement does not count, and is made up for
    as long as there are acknowledged commands without a job."""
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
    """Whether commands without a job are left to die with."""
    return not typed.done() or not _taken(run.tries()) <= _known(run)


def _in_doubt(run: Run) -> bool:
    """Whether what was killed has not been acknowledged yet, nor given up."""
    ended = {tried["trigger"] for tried in run.tries()}
    return not set(run.killed()) <= ended


async def _one_kill(run: Run, typed: "asyncio.Task[bytes]") -> None:
    """Arm the point and wait until a process has got there."""
    armed = run.plan.folder / "armed" / POINT
    new = run.plan.folder / "arming"
    new.write_text("kill")
    new.rename(armed)
    while armed.exists() and _goes_on(run, typed):  # noqa: ASYNC110  (another takes it away)
        await asyncio.sleep(SOON_S)


async def _settled(run: Run) -> None:
    """Every acknowledged try has a job, and every job a card that was sent."""
    taken = _taken(run.tries())
    moved, told, last = time.monotonic(), 0.0, (-1, -1)
    while True:
        records = read_records(run.plan.database)
        now, stands = time.monotonic(), (len(records.jobs), len(records.carded()))
        if stands != last:
            moved, last = now, stands
        if taken <= set(records.jobs.values()) and stands[0] == stands[1]:
            return
        if now - moved > STUCK_S:
            say(f"it does not come to an end: {len(taken)} taken in, {stands} have (a job, a card)")
            return
        if now - told > 10.0:
            told = now
            say(f"{len(taken)} taken in; {stands[0]} jobs, {stands[1]} of them have a card")
        await asyncio.sleep(LOOK_S)


def _taken(tries: list[dict[str, Any]]) -> set[str]:
    return {tried["words"] for tried in tries if tried["acked"]}


def _known(run: Run) -> set[str]:
    return set(read_records(run.plan.database).jobs.values())


async def _until(condition: Callable[[], Awaitable[bool]], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while True:
            try:
                if await condition():
                    return
            except httpx.TransportError:
                pass  # not listening yet
            await asyncio.sleep(SOON_S)
