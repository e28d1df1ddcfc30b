"""Erasing a person: afterwards no trace of their name and words, on every kind of store."""

import asyncio
import gc
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.chat.local_chat.intake import LocalIntake
from bot.core.commands import (
    ErasePerson,
    Invite,
    SetActive,
    SetRole,
)
from bot.core.dispatch import Dispatch
from bot.core.errors import NotFound
from bot.core.ledger import ERASED
from bot.core.messages import Actor, ChannelRef
from storage.database import OpenStore, SqlStore
from storage.engines import create_engine
from storage.inbox import JournalInbox
from storage.memory import MemoryStore
from storage.tables import METADATA
from tests.contract.erasing import (
    CANARIES,
    LOCAL,
    NAME,
    WORD,
    busy_life,
    chatter,
    erase,
    town_of,
)
from tests.contract.values import NOW

TOUCHED = {
    "account_links", "assets", "asset_words", "identities", "installs", "jobs", "keys",
    "ledger_personal", "link_tries", "outbox", "people", "reactions", "requests", "reviews",
    "roles", "slots", "timeline", "uploads", "votes",
}  # fmt: skip
IMPERSONAL = {
    "budgets": "person ids and team names only",
    "current_kits": "the company's",
    "deliveries": "ids that platforms give",
    "kits": "the company's",
    "ledger": "ids and commitments; names stand in ledger_personal",
    "loras": "the kit's owner, as the kit says it",
    "publications": "what was published, with the id of who asked",
    "renditions": "files",
    "sent_files": "ids and hashes of files",
    "schedules": "the company's plan; its owner is an id",
    "spends": "person ids and numbers",
    "turns": "person ids and numbers",
}
"""Tables that erasing leaves alone, and why."""


def test_every_table_is_thought_of() -> None:
    assert TOUCHED | set(IMPERSONAL) == set(METADATA.tables)
    assert not TOUCHED & set(IMPERSONAL)


async def everything(store: OpenStore) -> str:
    """All that the store holds, as text."""
    if isinstance(store, MemoryStore):
        return repr(store._state) + repr(store.timeline._messages) + repr(store.timeline._outgoing)
    assert isinstance(store, SqlStore)
    address = store._engine.url.render_as_string(hide_password=False)
    engine = create_engine(address)
    found = []
    async with engine.connect() as connection:
        for table in METADATA.tables.values():
            rows = (await connection.execute(select(table))).all()
            found.append(f"{table.name}: {rows!r}")
    await engine.dispose()
    return "\n".join(found)


def around(text: str, word: str) -> str:
    """Where a word stands."""
    return text[max(0, text.index(word) - 300) :][:400]


def contents(folder: Path) -> bytes:
    """All files of a folder, one after the other."""
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


async def test_nothing_of_an_erased_person_is_left_in_any_table(store: OpenStore) -> None:
    town = await town_of(store)
    await busy_life(town)
    before = await everything(store)
    assert [word for word in CANARIES if word in before] == list(CANARIES)
    card = await erase(town)
    assert card.title == "Erased", card
    after = await everything(store)
    assert {word: around(after, word) for word in CANARIES if word in after} == {}


async def test_the_file_itself_holds_nothing_of_an_erased_person(
    upgraded_sqlite: Path, tmp_path: Path
) -> None:
    path = tmp_path / "house.db"
    shutil.copy(upgraded_sqlite, path)
    store = SqlStore(create_engine(f"sqlite:///{path}"))
    town = await town_of(store)
    await busy_life(town)
    await erase(town)
    held = contents(tmp_path)
    for word in CANARIES:
        assert word.encode() not in held, word
        assert word.casefold().encode() not in held, word
    await store.close()


async def test_the_inbox_holds_nothing_of_what_was_worked_off(tmp_path: Path) -> None:
    town = await town_of(MemoryStore())
    inbox = await JournalInbox.open(tmp_path / "inbox")
    house = replace(town.house, inbox=inbox)
    town.house = replace(house, door=Dispatch(house))
    await chatter(town)
    await erase(town)
    held = contents(tmp_path / "inbox")
    for word in CANARIES:
        assert word.encode() not in held, word
    await inbox.close()
    gc.collect()


async def test_a_failure_on_the_way_erases_nothing(store: OpenStore) -> None:
    if isinstance(store, MemoryStore):
        pytest.skip("the timeline in memory knows no transaction")
    town = await town_of(store)
    await busy_life(town)
    before = await everything(store)

    async def broken() -> None:
        async with store.write() as tx:
            person = await tx.people.get(town.people["q"].id)
            await tx.erasure.erase(person, NOW)
            await tx.ledger.forget(person.id)
            await tx.people.get("nobody")

    with pytest.raises(NotFound):
        await broken()
    assert await everything(store) == before


async def test_what_is_still_worked_off_when_they_are_erased_leaves_no_trace(
    store: OpenStore,
) -> None:
    town = await town_of(store)
    person = town.people["q"]
    desk = LocalIntake(town.house, Dispatch(town.house), answer_within_s=60)
    await erase(town)
    place = ChannelRef(platform="local", channel="drafts")
    late = Actor(platform="local", user=LOCAL.user, name=NAME, person=person.id, channel=place)
    for text in (f"{WORD} again", f"/imagine {WORD}"):
        assert await desk.say(late, text) is None
    after = await everything(store)
    assert [word for word in CANARIES if word in after] == []


async def test_erasing_asks_first_and_only_admins_may(store: OpenStore) -> None:
    town = await town_of(store)
    card = await town.say(ErasePerson(person=NAME, sure=True), "ana")
    assert "Only an admin" in card.lines[0]
    await town.say(ErasePerson(person=NAME), "ida")
    async with store.read() as tx:
        assert (await tx.people.get(town.people["q"].id)).name == NAME


async def test_the_last_admin_cannot_be_erased_and_the_last_but_one_can(store: OpenStore) -> None:
    town = await town_of(store)
    ida = town.people["ida"].id
    card = await town.say(ErasePerson(person=ida, sure=True), "ida")
    assert "last admin" in card.lines[0]
    await town.say(SetRole(person="Ana", role="admin"), "ida")
    assert (await town.say(ErasePerson(person=ida, sure=True), "ida")).title == "Erased"


async def test_an_erased_person_stays_erased(store: OpenStore) -> None:
    town = await town_of(store)
    key = town.people["q"].id
    await erase(town)
    card = await town.say(ErasePerson(person=key, sure=True), "ida")
    assert "erased already" in card.lines[0]
    card = await town.say(SetActive(person=key, active=True), "ida")
    assert "was erased" in card.lines[0]
    card = await town.say(SetRole(person=key, role="approver"), "ida")
    assert card.kind == "error"
    assert (await town.say(Invite(name=NAME), "ida")).title == f"{NAME} is invited"


async def test_two_who_press_the_button_at_once_erase_once(store: OpenStore) -> None:
    town = await town_of(store)
    key = town.people["q"].id
    cards = await asyncio.gather(
        *(town.say(ErasePerson(person=key, sure=True), "ida") for _ in range(3))
    )
    assert [card.title for card in cards].count("Erased") == 1
    async with store.read() as tx:
        gone = [event for event in await tx.ledger.recent() if event.action == ERASED]
    assert len(gone) == 1
