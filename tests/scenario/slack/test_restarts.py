"""The house or Slack goes away and comes back: what was acknowledged is done, the rest is not."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.chat.slack_chat.options import Mode
from storage.database import open_store
from storage.inbox import JournalInbox
from tests.acceptance.product import free_port
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.delivery import Receipt
from tests.fakes.slack.looking import pictured
from tests.fakes.slack_product import STARTS_S, set_up
from tests.fakes.slack_town import SlackTown, running
from tests.fakes.waiting import until

RESTARTS = 4
AT_ONCE = 30
PACE_S = 0.1
STOPS_S = 30.0
BACK_S = 60.0


@dataclass
class House:
    """Where processes that listen to one Slack share a folder."""

    slack: FakeSlack
    data: Path
    environment: dict[str, str]

    async def known(self) -> Counter[str]:
        """The words of every job, and of every delivery that waits to become one."""
        store = await open_store(f"sqlite:///{self.data / 'housestyle.db'}")
        async with store.read() as tx:
            words = [job.brief.words for job in await tx.jobs.recent(limit=1000)]
        await store.close()
        inbox = await JournalInbox.open(self.data / "inbox")
        words += [delivery.payload["text"] for delivery in await inbox.pending()]
        await inbox.close()
        return Counter(words)


@asynccontextmanager
async def house_of(slack: FakeSlack, folder: Path, mode: Mode, port: int) -> AsyncIterator[House]:
    """The settings and records of a house; no process yet."""
    data, environment = await set_up(slack, folder, mode, port)
    yield House(slack=slack, data=data, environment=environment)


@asynccontextmanager
async def listener(house: House, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """`housestyle serve --role bot`, until the end of the block at the latest."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "--data-dir", str(house.data)),
        *("serve", "--role", "bot", "--port", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **house.environment},  # noqa: TID251  (the child's)
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answers(port: int) -> bool:
    """Whether anything listens there."""
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


async def leave(process: asyncio.subprocess.Process) -> None:
    """Let a process end as a supervisor does."""
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), STOPS_S) == 0


@pytest.mark.parametrize("mode", [Mode.SOCKET, pytest.param(Mode.HTTP, marks=pytest.mark.deep)])
async def test_told_to_stop_in_the_middle_it_acknowledges_what_it_took_and_keeps_it(
    tmp_path: Path, mode: Mode
) -> None:
    port = free_port()
    async with FakeSlack() as slack, house_of(slack, tmp_path, mode, port) as house:
        async with listener(house, port) as process:
            if mode is Mode.SOCKET:
                await until(lambda: len(slack.sockets.open) == 2, STARTS_S)
            else:
                await until(lambda: answers(port), STARTS_S)
            mia = slack.person("U0MIA")

            async def command(words: str) -> tuple[str, Receipt]:
                return words, await mia.command("/imagine", words, channel="C0DRAFTS")

            receipts = [await command("a first mug")]
            process.send_signal(signal.SIGSTOP)  # so that it finds all of it at the same time
            commands = [asyncio.create_task(command(f"mug {n}")) for n in range(AT_ONCE)]
            await until(lambda: len(slack.delivery.log) == AT_ONCE + 1)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)
            assert await asyncio.wait_for(process.wait(), STOPS_S) == 0
            receipts += await asyncio.gather(*commands)
        acked = {words for words, receipt in receipts if receipt.acked}
        assert await house.known() == Counter(acked), "acknowledged if and only if it is kept"
        assert acked
        assert slack.violations == []


@dataclass
class Typist:
    """Mia, who types all the time, whether or not earlier commands were acknowledged."""

    slack: FakeSlack
    receipts: dict[str, Receipt] = field(default_factory=dict)
    acked: int = 0

    @asynccontextmanager
    async def typing(self) -> AsyncIterator[None]:
        """Type while the block runs; at its end every command has its answer."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._type(stop, tasks))
            try:
                yield
            finally:
                stop.set()

    async def more(self, count: int = 5) -> None:
        """Wait until so many more are acknowledged."""
        enough = self.acked + count
        await until(lambda: self.acked >= enough)

    async def _type(self, stop: asyncio.Event, tasks: asyncio.TaskGroup) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            tasks.create_task(self._one(f"mug {number}"))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PACE_S)

    async def _one(self, words: str) -> None:
        mia = self.slack.person("U0MIA")
        receipt = await mia.command("/imagine", words, channel="C0DRAFTS")
        self.receipts[words] = receipt
        self.acked += receipt.acked


@pytest.mark.deep
async def test_a_rolling_restart_of_two_processes_loses_nothing(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack())
        house = await stack.enter_async_context(house_of(slack, tmp_path, Mode.SOCKET, 0))

        async def start() -> asyncio.subprocess.Process:
            return await stack.enter_async_context(listener(house, free_port()))

        listening = [await start(), await start()]
        await until(lambda: len(slack.sockets.open) == 4, STARTS_S)
        typist = Typist(slack)
        async with typist.typing():
            for _ in range(RESTARTS):
                await typist.more()
                await leave(listening.pop(0))
                await typist.more()
                listening.append(await start())
                await until(lambda: len(slack.sockets.open) == 4, STARTS_S)
            await typist.more()
            await leave(listening.pop(0))
            await typist.more()
        await leave(listening.pop())
        acked = {words for words, receipt in typist.receipts.items() if receipt.acked}
        assert await house.known() == Counter(acked), "one job for each that was acknowledged"
        assert len(acked) >= 0.95 * len(typist.receipts), "somebody listened all the time"
        assert slack.violations == []


async def test_slack_asks_the_sockets_to_come_anew(slack: FakeSlack, slack_town: SlackTown) -> None:
    async with running(slack, slack_town, mode=Mode.SOCKET):
        first = set(slack.sockets.open)
        await slack.sockets.refresh(reason="warning")
        await _asks(slack, "a red mug")
        await slack.sockets.refresh(after_s=0)
        await until(lambda: len(set(slack.sockets.open) - first) == 2, BACK_S)
        await _asks(slack, "a blue mug")
        assert len(await slack_town.jobs()) == 2


@pytest.mark.parametrize("how", [pytest.param("drop", marks=pytest.mark.deep), "restart"])
async def test_slack_goes_away_and_comes_back(
    slack: FakeSlack, slack_town: SlackTown, how: str
) -> None:
    async with running(slack, slack_town, mode=Mode.SOCKET) as house:
        first = set(slack.sockets.open)
        if how == "drop":
            slack.sockets.drop()
        else:
            await slack.stop()
            await until(lambda: not house.house.connections.now()["slack"].is_open, BACK_S)
            await slack.start()
        await until(lambda: len(set(slack.sockets.open) - first) == 2, BACK_S)
        await _asks(slack, "a red mug")
        await until(lambda: house.house.connections.now()["slack"].is_open, BACK_S)
        assert len(await slack_town.jobs()) == 1


async def _asks(slack: FakeSlack, words: str) -> None:
    """Mia asks, and the picture comes."""
    before = len(slack.messages("C0DRAFTS"))
    assert (await slack.person("U0MIA").command("/imagine", words, channel="C0DRAFTS")).acked
    await until(lambda: sum(map(pictured, slack.messages("C0DRAFTS"))) == before + 1)
