"""What the probes, the Health page and the doctor find."""

import asyncio
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core import health
from bot.core.commands import Imagine
from bot.core.connections import Connection
from bot.core.errors import Unavailable
from bot.core.health import Condition, Examiner, Report, can_be_written, examine, room_on_disk
from bot.core.ledger import Event
from bot.core.once import OnceStore
from brand.spec import RendererHealth, RenderUnavailable
from brand.templates import Brief
from tests.fakes.town import START, Town, make_town


def found(report: Report, name: str) -> health.Finding:
    """The finding of this part."""
    return next(each for each in report.findings if each.name == name)


class Gone(OnceStore):
    """A store that does not answer."""

    def __init__(self) -> None:
        """Nothing behind it."""

    async def is_current(self) -> bool:
        """Never."""
        raise Unavailable("The database does not answer.", fix="Start it.")


class Older(OnceStore):
    """A store with the tables of another version."""

    async def is_current(self) -> bool:
        """Not this version."""
        return False


async def test_a_house_in_which_all_is_well_is_ready(tmp_path: Path) -> None:
    town = await make_town()
    report = await examine(town.house, tmp_path)
    assert report.ready
    names = {each.name for each in report.findings}
    assert names >= {"records", "tables", "clock", "queue", "messages", "ledger"}
    assert names >= {"generation", "inbox", "disk"}


@pytest.mark.parametrize(
    ("line", "condition", "says"),
    [
        (Connection(name="Discord", is_open=True), Condition.OK, "Connected"),
        (Connection(name="Discord", is_open=False), Condition.DEGRADED, "being opened"),
        (
            Connection(name="Discord", is_open=True, reason="it is deaf.", fix="Ask it."),
            Condition.DEGRADED,
            "Connected, but it is deaf.",
        ),
        (
            Connection(name="Discord", is_open=False, reason="No token.", fix="Get one."),
            Condition.DEGRADED,
            "No token.",
        ),
    ],
)
async def test_a_chat_without_its_line_is_told_and_the_house_stays_ready(
    line: Connection, condition: Condition, says: str
) -> None:
    house = (await make_town()).house
    with house.connections.asking("discord", lambda: line):
        report = await examine(house, None)
    assert report.ready
    chat = found(report, "discord")
    assert (chat.condition, bool(chat.fix)) == (condition, condition is not Condition.OK)
    assert says in chat.says
    assert line.fix in chat.fix
    assert "discord" not in {each.name for each in (await examine(house, None)).findings}


async def test_without_its_records_nothing_can_be_taken_in() -> None:
    town = await make_town()
    report = await examine(replace(town.house, store=Gone()), None)
    assert not report.ready
    assert "does not answer" in found(report, "records").says


async def test_without_the_generation_service_pictures_wait_and_commands_come_in() -> None:
    town = await make_town()

    async def gone() -> RendererHealth:
        raise RenderUnavailable("nothing listens there")

    town.renderer.health = gone  # type: ignore[method-assign]
    report = await examine(town.house, None)
    assert report.ready
    assert report.condition is Condition.DEGRADED
    assert "wait in the queue" in found(report, "generation").fix


async def test_tables_of_another_version_are_a_failure() -> None:
    town = await make_town()
    older = Older(town.house.store, town.actor("mia"), town.house.clock)
    assert not (await examine(replace(town.house, store=older), None)).ready


async def test_a_clock_behind_the_records_is_told(tmp_path: Path) -> None:
    town = await make_town()
    async with town.house.store.write() as tx:
        ahead = START + timedelta(minutes=2)
        await tx.ledger.append(Event(action="job.queued", subject="job:0", at=ahead))
    said = found(await examine(town.house, None), "clock")
    assert said.condition is Condition.DEGRADED
    assert "120 s behind" in said.says


async def test_a_job_that_waits_for_long_is_worth_a_look() -> None:
    town = await make_town()
    await town.say(Imagine(brief=Brief(words="a red mug"), brand="acme"))
    assert found(await examine(town.house, None), "queue").condition is Condition.OK
    await town.clock.advance(3600)
    said = found(await examine(town.house, None), "queue")
    assert (said.condition, "60 min" in said.says) == (Condition.DEGRADED, True)


def test_a_folder_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("a file where the folder should be")
    said = can_be_written(tmp_path / "inbox" / "deeper", name="inbox", label="Inbox")
    assert said.condition is Condition.FAILED
    assert can_be_written(tmp_path, name="inbox", label="Inbox").condition is Condition.OK
    assert [each.name for each in tmp_path.iterdir()] == ["inbox"]


@pytest.mark.parametrize(
    ("free", "condition"),
    [
        (400_000_000, Condition.FAILED),
        (2_000_000_000, Condition.DEGRADED),
        (9_000_000_000, Condition.OK),
    ],
)
def test_room_on_the_disk_is_judged_by_what_is_free(
    free: int, condition: Condition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert room_on_disk(tmp_path).condition is condition


async def test_many_who_ask_at_once_make_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    town: Town = await make_town()
    looks = 0

    async def counted() -> RendererHealth:
        nonlocal looks
        looks += 1
        raise RenderUnavailable("counted")

    town.renderer.health = counted  # type: ignore[method-assign]
    examiner = Examiner(town.house, None)
    reports = await asyncio.gather(*(examiner.report() for _ in range(20)))
    assert looks == 1
    assert len(set(map(id, reports))) == 1
