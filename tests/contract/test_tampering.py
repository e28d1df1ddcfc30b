# ruff: noqa: S608  (whoever tampers writes SQL)
"""Whoever changes the ledger's tables behind the product's back is found out."""

import random
import sqlite3
from collections.abc import AsyncIterator, Iterable

import pytest
from sqlalchemy import text

from bot.core.anchors import Anchor
from bot.core.auditing import verify_ledger
from bot.core.chain import Fault, Report
from bot.core.ledger import Event
from storage.database import OpenStore, open_store
from storage.engines import create_engine
from tests.contract.test_sequencing import finish
from tests.fakes.ledger_lines import START, make_chain, make_events, rechained

MANY, FEW = 1000, 100
TABLES = ("ledger", "ledger_personal")
CHANGES = {
    "id": "id = 'x' || id",
    "action": "action = 'job.done'",
    "subject": "subject = 'job:1'",
    "at": "at = '2020-01-01 00:00:00.000000'",
    "actor": "actor = 'zoe'",
    "brand": "brand = 'other'",
    "facts": """facts = '{"n": -1}'""",
    "commitments": """commitments = '{"words": "0"}'""",
    "previous": "previous = 'x' || substr(previous, 2)",
    "hash": "hash = 'x' || substr(hash, 2)",
}
ONLY_SQLITE = {
    "facts that are not JSON": "facts = 'x'",
    "a time that is none": "at = 'x'",
    "bytes for a text": "action = x'ff'",
    "a list of commitments": "commitments = '[1]'",
}


class Tampered:
    """A chained ledger, and someone with the database's password."""

    def __init__(self, url: str, store: OpenStore, lines: int) -> None:
        self.url = url
        self.store = store
        self.lines = lines
        self.anchor = _anchor(make_chain(lines))

    async def fill(self) -> None:
        """Append and chain; keep a copy to go back to."""
        async with self.store.write() as tx:
            for event in make_events(self.lines):
                await tx.ledger.append(event)
        await finish(self.store)
        await self.does(*(f"CREATE TABLE kept_{name} AS SELECT * FROM {name}" for name in TABLES))

    async def undo(self) -> None:
        """Back to what was chained."""
        await self.does(
            *(f"DELETE FROM {name}" for name in reversed(TABLES)),
            *(f"INSERT INTO {name} SELECT * FROM kept_{name}" for name in TABLES),
        )

    async def close(self) -> None:
        """Leave nothing behind."""
        await self.does(*(f"DROP TABLE kept_{name}" for name in TABLES))
        await self.store.close()

    async def does(self, *statements: str) -> None:
        """Change the tables, with no key in the way."""
        if self.url.startswith("sqlite"):
            connection = sqlite3.connect(self.url.removeprefix("sqlite:///"))
            for statement in statements:
                connection.execute(statement)
            connection.commit()
            connection.close()
            return
        engine = create_engine(self.url)
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                await connection.execute(text(statement.replace(":", r"\:")))
        await engine.dispose()

    async def verify(self) -> Report:
        """As `housestyle audit verify --anchor` does."""
        return await verify_ledger(self.store, [self.anchor])

    async def replace_all(self, lines: Iterable[Event]) -> None:
        """Put other lines in the place of all."""
        await self.does("DELETE FROM ledger_personal", "DELETE FROM ledger")
        async with self.store.write() as tx:
            for line in lines:
                await tx.ledger.append(line)


def _anchor(lines: list[Event]) -> Anchor:
    return Anchor(seq=len(lines), hash=lines[-1].hash, count=len(lines), at=START)


def found(report: Report) -> list[tuple[int, Fault]]:
    """Which lines, and what of them."""
    return [(finding.seq, finding.fault) for finding in report.findings]


@pytest.fixture(params=[FEW])
async def ledger(request: pytest.FixtureRequest, url: str) -> AsyncIterator[Tampered]:
    """A chained ledger of FEW lines, or of as many as the test says."""
    made = Tampered(url, await open_store(url), request.param)
    await made.fill()
    yield made
    await made.close()


async def test_an_untouched_ledger_is_sound(ledger: Tampered) -> None:
    report = await ledger.verify()
    assert report.sound
    assert (report.lines, report.anchored) == (FEW, FEW)


@pytest.mark.deep
@pytest.mark.parametrize("ledger", [MANY], indirect=True)
async def test_a_change_of_any_column_is_found_in_each_of_a_thousand_rows(
    ledger: Tampered,
) -> None:
    for column, change in CHANGES.items():
        await ledger.does(f"UPDATE ledger SET {change}")
        report = await ledger.verify()
        assert len(report.findings) + report.more >= MANY, column
        await ledger.undo()


async def test_a_change_of_any_column_is_found_in_exactly_that_row(ledger: Tampered) -> None:
    rng = random.Random(9)
    changes = dict(CHANGES)
    if ledger.url.startswith("sqlite"):
        changes |= ONLY_SQLITE
    for change in changes.values():
        seq = rng.randrange(2, FEW)
        await ledger.does(f"UPDATE ledger SET {change} WHERE seq = {seq}")
        assert found(await ledger.verify()) == [(seq, Fault.CHANGED)], change
        await ledger.undo()
    assert (await ledger.verify()).sound


async def test_a_deleted_row_is_found(ledger: Tampered) -> None:
    for seq in (1, 2, 50, FEW - 1):
        await ledger.does(f"DELETE FROM ledger WHERE seq = {seq}")
        assert found(await ledger.verify()) == [(seq, Fault.DELETED)]
        await ledger.undo()


async def test_a_deleted_row_is_found_though_the_later_ones_are_renumbered(
    ledger: Tampered,
) -> None:
    await ledger.does(
        "DELETE FROM ledger WHERE seq = 30",
        "UPDATE ledger SET seq = -seq WHERE seq > 30",
        "UPDATE ledger SET seq = -seq - 1 WHERE seq < 0",
    )
    assert (30, Fault.DELETED) in found(await ledger.verify())


async def test_a_row_with_another_number_is_found(ledger: Tampered) -> None:
    numbers = ["NULL", "0", "-5", "5000"]
    if ledger.url.startswith("sqlite"):
        numbers += ["'x'", "1.5"]
    for number in numbers:
        await ledger.does(f"UPDATE ledger SET seq = {number} WHERE seq = 30")
        assert (30, Fault.DELETED) in found(await ledger.verify()), number
        await ledger.undo()


async def test_an_inserted_row_is_found(ledger: Tampered) -> None:
    forged = rechained([*make_events(29), *make_events(FEW + 1)[-1:]])[-1]
    await ledger.does(
        "UPDATE ledger SET seq = -seq WHERE seq >= 30",
        "UPDATE ledger SET seq = 1 - seq WHERE seq < 0",
    )
    async with ledger.store.write() as tx:
        await tx.ledger.append(forged)
    assert (30, Fault.INSERTED) in found(await ledger.verify())


async def test_swapped_rows_are_found(ledger: Tampered) -> None:
    for one, other in ((4, 5), (10, 90)):
        await ledger.does(
            f"UPDATE ledger SET seq = -1 WHERE seq = {one}",
            f"UPDATE ledger SET seq = {one} WHERE seq = {other}",
            f"UPDATE ledger SET seq = {other} WHERE seq = -1",
        )
        assert found(await ledger.verify()) == [(one, Fault.SWAPPED)]
        await ledger.undo()


async def test_a_tail_that_was_cut_off_is_found(ledger: Tampered) -> None:
    for left in (0, 1, FEW - 1):
        await ledger.does(f"DELETE FROM ledger WHERE seq > {left}")
        assert found(await ledger.verify()) == [(left + 1, Fault.CUT_OFF)]
        await ledger.undo()


async def test_a_tail_that_was_cut_off_is_found_though_the_chain_has_grown_since(
    ledger: Tampered,
) -> None:
    await ledger.does("DELETE FROM ledger WHERE seq > 90")
    async with ledger.store.write() as tx:
        for event in make_events(FEW + 100)[-100:]:
            await tx.ledger.append(event)
    await finish(ledger.store)
    assert found(await ledger.verify()) == [(FEW, Fault.REWRITTEN)]


async def test_a_whole_rewrite_is_found(ledger: Tampered) -> None:
    honest = make_events(FEW)
    await ledger.replace_all(rechained([*honest[:49], *honest[50:], *make_events(FEW + 1)[-1:]]))
    assert found(await ledger.verify()) == [(FEW, Fault.REWRITTEN)]
    assert (await verify_ledger(ledger.store)).sound, "without an anchor it can't be known"


async def test_a_changed_text_is_found(ledger: Tampered) -> None:
    changes = {
        "UPDATE ledger_personal SET value = 'x'": Fault.TEXT_CHANGED,
        "UPDATE ledger_personal SET salt = 'x'": Fault.TEXT_CHANGED,
        "UPDATE ledger_personal SET name = 'x'": Fault.CHANGED,
        "DELETE FROM ledger_personal": Fault.TEXT_MISSING,
    }
    for change, fault in changes.items():
        await ledger.does(f"{change} WHERE event = '{30:022d}'")
        assert found(await ledger.verify()) == [(31, fault)]
        await ledger.undo()
