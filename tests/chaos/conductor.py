"""Runs the whole thing: starts the processes, lets people ask, kills and freezes, and waits until
everything is settled."""

import asyncio
import itertools
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import Roles, open_house
from bot.core.ids import new_id
from bot.core.people import ANY_BRAND, Identity, Person, Role
from storage.engines import create_engine
from storage.tables import PublicationRow, table_of
from tests.acceptance.product import free_port
from tests.chaos import naive
from tests.chaos.nodes import Node, freeze, some, thaw
from tests.chaos.people import People
from tests.chaos.plan import APPROVER, KIT, NAIVE, PUBLIC, REQUESTERS, WORKING, Plan
from tests.chaos.points import FREEZING, KILLING, SURE, WORST
from tests.fakes.http_chat import PLATFORM

_PUBLICATIONS = table_of(PublicationRow)
LOOK_S = 0.5
LIMIT_S = 1500.0
STUCK_S = 150.0
"""Nothing has moved for so long: it will not any more."""
FREEZE_LEASES = (2.0, 4.0)
WORST_LEASES = (5.0, 8.0)
"""At the worst point: long enough for others to ask a person and to post again."""
OVER_S = 20.0
"""The same where no work is left: what is still armed is not reached any more."""
LOOKS_SOON_S = 6.0
"""A look at the copies of a post that is due within so long is waited for."""
CALM_LEASES = 2
"""So long nothing may be open before a run counts as settled: whoever was frozen until the last
moment still sends what it had in hand, and has it looked at."""
AHEAD = 6
"""Named points that wait to be reached at the same time."""
NAMED_BY = 0.7
"""The share of the work by which all named points are armed."""
Point = tuple[str, str]
"""("kill" or "stop", name)."""
OPEN = {
    "jobs": "state NOT IN ('done', 'failed', 'cancelled')",
    "reviews": "state IN ('open', 'escalated')",
    "publications": "state IN ('pending', 'sending', 'ambiguous')",
    "outbox": "state IN ('pending', 'sending', 'ambiguous')",
    "ledger": "seq IS NULL",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a run shall do."""

    jobs: int
    kills: int
    freezes: int = 0
    backend: str
    seed: int = 1
    lease_s: float = 2.0
    naive_posts: int = 20


@dataclass
class Run:
    """What a run did."""

    wanted: Wanted
    plan: Plan
    people: People
    nodes: list[Node]
    controls: list[Node]
    luck: random.Random
    random_kills: int = 0
    freezes: int = 0
    left: list[Point] = field(default_factory=list)
    """Named points to be armed yet."""
    points: int = 0
    """How many there were."""

    @property
    def kills(self) -> int:
        """Processes of the product that were killed."""
        return sum(node.deaths for node in self.nodes)

    @property
    def hits(self) -> list[str]:
        """Named points that were reached."""
        names = [path.name.partition("@")[0] for path in (self.plan.folder / "hit").iterdir()]
        return [name for name in names if name != naive.POINT]

    @property
    def waiting(self) -> list[Point]:
        """Named points that are armed and were not reached."""
        waiting = []
        for path in (self.plan.folder / "armed").iterdir():
            with suppress(FileNotFoundError):
                if path.name != naive.POINT:
                    waiting.append((path.read_text(), path.name))
        return waiting


def say(line: str) -> None:
    """Tell how it goes."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


@asynccontextmanager
async def running(wanted: Wanted, folder: Path, database_url: str) -> AsyncIterator[Run]:
    """All processes, started; stopped at the end."""
    for name in ("armed", "hit", "logs", "brands", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "brands" / "acme.toml").write_text(KIT)
    async with AsyncExitStack() as stack:
        chat_url = await _chat_server(stack, folder, wanted.seed)
        plan = Plan(
            folder=folder,
            database_url=database_url,
            chat_url=chat_url,
            port=free_port(),
            lease_s=wanted.lease_s,
        )
        await _invite(plan)
        naive.prepare(folder, wanted.naive_posts)
        nodes, controls = _nodes(plan), _controls(plan)
        for node in (*nodes, *controls):
            await node.start()
            stack.push_async_callback(node.stop)
        chat = await stack.enter_async_context(httpx.AsyncClient(base_url=chat_url, timeout=30))
        run = Run(
            wanted=wanted,
            plan=plan,
            people=People(chat=chat, jobs=wanted.jobs),
            nodes=nodes,
            controls=controls,
            luck=random.Random(wanted.seed),
            left=_named(wanted),
        )
        run.points = len(run.left)
        yield run


def _named(wanted: Wanted) -> list[Point]:
    """Kills and freezes at named points, in turn; with few kills or freezes only some of them."""
    names = KILLING if wanted.kills >= len(KILLING) else SURE[: wanted.kills]
    kills = [("kill", name) for name in names]
    stops = [("stop", name) for name in FREEZING[: wanted.freezes]]
    both = list(itertools.zip_longest(kills, stops))
    return [point for pair in both for point in pair if point is not None]


async def _chat_server(stack: AsyncExitStack, folder: Path, seed: int) -> str:
    channels = ",".join((PUBLIC, WORKING, NAIVE))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.chaos.chat_server", str(folder), str(seed), channels),
        stdout=asyncio.subprocess.PIPE,
    )

    async def end() -> None:
        process.terminate()
        await process.wait()

    stack.push_async_callback(end)
    assert process.stdout is not None
    return f"http://127.0.0.1:{int(await process.stdout.readline())}"


async def _invite(plan: Plan) -> None:
    """Make the tables, the members and their accounts."""
    async with (
        open_house(plan.settings("bot"), generation=False) as house,
        house.store.write() as tx,
    ):
        for user in (*REQUESTERS, APPROVER):
            role = Role.APPROVER if user == APPROVER else Role.REQUESTER
            await tx.people.add(
                Person(
                    id=new_id(),
                    name=user.title(),
                    created_at=house.clock.now(),
                    roles=((ANY_BRAND, role),),
                    identities=(Identity(platform=PLATFORM, user=user),),
                )
            )


def _nodes(plan: Plan) -> list[Node]:
    path = str(plan.write())
    apart = [role for role in Roles.__dataclass_fields__ if role not in ("web", "worker")]
    roles = {**{role: role for role in apart}, "worker-1": "worker", "worker-2": "worker"}
    nodes = [
        Node(name, ["-m", "tests.chaos", role, path], plan.folder) for name, role in roles.items()
    ]
    generation = ["-m", "generation", "--engine", "drawn", "--model", "drawn"]
    generation += ["--socket", str(plan.folder / "generation.sock")]
    generation += ["--state-dir", str(plan.folder / "generation")]
    pid_file = plan.folder / "generation.pid"
    return [Node("generation", generation, plan.folder, pid_file=pid_file), *nodes]


def _controls(plan: Plan) -> list[Node]:
    command = ["-m", "tests.chaos", "naive", str(plan.folder / "plan.json")]
    return [Node(f"naive-{number}", command, plan.folder) for number in (1, 2)]


async def carry_out(run: Run) -> None:
    """Let people work and processes die until all is settled, or nothing moves any more."""
    tasks = [asyncio.create_task(run.people.live()), asyncio.create_task(_trouble(run))]
    try:
        await _settled(run, tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await run.people.look()


async def _settled(run: Run, tasks: Sequence[asyncio.Task[None]]) -> None:
    engine = create_engine(run.plan.database_url)
    began = moved = done = time.monotonic()
    last: object = None
    try:
        while True:
            await asyncio.sleep(LOOK_S)
            for task in tasks:
                if task.done():
                    task.result()
            counts = await _counts(engine)
            stands = (run.people.asked, run.people.done, counts, run.kills, run.freezes)
            now = time.monotonic()
            if stands != last:
                moved, last = now, stands
            if any(counts.values()) or not _all_done(run):
                done = now
            elif now - done > CALM_LEASES * run.wanted.lease_s:
                return
            limit_s = STUCK_S if any(counts.values()) else OVER_S
            if now - began > LIMIT_S or now - moved > limit_s:
                say(f"it does not come to an end: {counts}, {run.waiting}")
                return
    finally:
        await engine.dispose()


def _all_done(run: Run) -> bool:
    """Whether everything was asked, decided, killed and frozen, and the control is done too."""
    people = run.people
    return (
        people.done == people.jobs
        and not people.waiting
        and run.kills >= run.wanted.kills
        and run.freezes >= run.wanted.freezes
        and not any(node.frozen for node in run.nodes)
        and not naive.left(run.plan.folder)
    )


async def _counts(engine: AsyncEngine) -> dict[str, int]:
    """What is open in the records."""
    counts = {}
    async with engine.connect() as connection:
        for table, condition in OPEN.items():
            query = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608  (our own)
            counts[table] = int((await connection.execute(text(query))).scalar_one())
        soon = datetime.now(UTC) + timedelta(seconds=LOOKS_SOON_S)  # noqa: TID251  as the product's
        looks = select(func.count()).where(_PUBLICATIONS.c.check_at <= soon)
        counts["looks"] = int((await connection.execute(looks)).scalar_one())
    return counts


async def _trouble(run: Run) -> None:
    """Kill and freeze in step with the work, so that the last ones come near its end."""
    told: set[str] = set()
    thawing: set[asyncio.Task[None]] = set()
    while True:
        await asyncio.sleep(LOOK_S / 2)
        for path in (run.plan.folder / "hit").iterdir():
            if path.name not in told:
                told.add(path.name)
                _was_hit(run, path, thawing)
        share = min(1.0, (run.people.done + 1) / run.people.jobs)
        _arm_some(run, min(1.0, share / NAMED_BY))
        if run.kills + _armed(run, "kill") < share * run.wanted.kills:
            victim = some(run.nodes, run.luck)
            victim.signal(signal.SIGKILL)
            run.random_kills += 1
            _kill_a_control(run)
            say(f"kill {run.kills + 1}: {victim.name}, at random")
            await asyncio.sleep(LOOK_S)
        if run.freezes + _armed(run, "stop") < share * run.wanted.freezes:
            run.freezes += 1
            victim = some(run.nodes, run.luck)
            seconds = _long(run)
            say(f"freeze {run.freezes}: {victim.name} for {seconds:.1f} s, at random")
            thawing.add(asyncio.create_task(freeze(victim, seconds)))


def _was_hit(run: Run, path: Path, thawing: set[asyncio.Task[None]]) -> None:
    name, pid, _ = path.name.split("@")
    if name == naive.POINT:
        return
    if path.read_text() == "kill":
        say(f"kill: {name}")
        _kill_a_control(run)
        return
    run.freezes += 1
    frozen = [node for node in run.nodes if node.pid == int(pid)]
    seconds = _long(run, WORST_LEASES if name == WORST else FREEZE_LEASES)
    say(f"freeze {run.freezes}: {name}, for {seconds:.1f} s")
    for node in frozen:
        thawing.add(asyncio.create_task(thaw(node, seconds)))


def _kill_a_control(run: Run) -> None:
    """The control has as many kills: one at random, the next at its own worst point."""
    victim = run.luck.choice(run.controls)
    if victim.deaths % 2:
        victim.signal(signal.SIGKILL)
    else:
        (run.plan.folder / "armed" / naive.POINT).write_text("kill")


def _arm_some(run: Run, share: float) -> None:
    """Arm named points: not too many at once, and no faster than the work goes."""
    waiting = run.waiting
    for point in list(run.left):
        armed = run.points - len(run.left)
        if len(waiting) >= AHEAD or armed >= share * run.points:
            return
        what, name = point
        if name in {other for _, other in waiting}:
            continue
        new = run.plan.folder / f"arming-{armed}"
        new.write_text(what)
        new.rename(run.plan.folder / "armed" / name)
        run.left.remove(point)
        waiting.append(point)


def _armed(run: Run, what: str) -> int:
    return sum(asks == what for asks, _ in run.waiting)


def _long(run: Run, leases: tuple[float, float] = FREEZE_LEASES) -> float:
    return run.wanted.lease_s * run.luck.uniform(*leases)
