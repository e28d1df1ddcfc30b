"""Erasing a person: afterwards no trace of their name and words, on every kind of store."""

import asyncio
import gc
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.chat.local_chat.chat import LocalChat
from bot.chat.local_chat.intake import LocalIntake
from bot.core import api_keys
from bot.core.actions import parse_action
from bot.core.archive import recipe_of
from bot.core.assets import Asset, AssetQuery
from bot.core.auditing import verify_ledger
from bot.core.caller import Caller
from bot.core.commands import (
    Approve,
    Cancel,
    ErasePerson,
    Find,
    Imagine,
    Invite,
    LinkAccount,
    ListPeople,
    Reject,
    SendToApproval,
    SetActive,
    SetRole,
    Show,
    Vary,
)
from bot.core.dispatch import Dispatch
from bot.core.errors import NotFound
from bot.core.ids import new_id
from bot.core.ledger import ERASED
from bot.core.lives import AssetState, JobState, ReviewState, ScheduleState
from bot.core.messages import Actor, Card, ChannelRef
from bot.core.people import ANY_BRAND, Identity, KeyKind, Person, Role
from bot.core.sequencing import chain_all
from brand.templates import Brief
from storage.database import OpenStore, SqlStore
from storage.engines import create_engine
from storage.inbox import JournalInbox
from storage.memory import MemoryStore
from storage.tables import METADATA
from tests.contract.values import NOW, make_job, make_publication, make_schedule, make_slot
from tests.fakes.chat import FakeChat
from tests.fakes.town import START, Town, make_town

NAME = "Quixanna Ö'Trace"
WORD = "zyxwvutcanary"
SLACK = Identity(platform="slack", user="U0QUIXANNA", team="T1")
LOCAL = Identity(platform="local", user="quixlocal")
CANARIES = (NAME, "Quixanna", WORD, SLACK.user, LOCAL.user)

TOUCHED = {
    "account_links", "assets", "asset_words", "identities", "jobs", "keys", "ledger_personal",
    "link_tries", "outbox", "people", "reactions", "reviews", "roles", "slots", "timeline", "votes",
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
    "schedules": "the company's plan; its owner is an id",
    "spends": "person ids and numbers",
    "turns": "person ids and numbers",
}
"""Tables that erasing leaves alone, and why."""


def test_every_table_is_thought_of() -> None:
    assert TOUCHED | set(IMPERSONAL) == set(METADATA.tables)
    assert not TOUCHED & set(IMPERSONAL)


async def town_of(store: OpenStore) -> Town:
    """A town with the person who will be erased, and the real local chat beside the fake one."""
    town = await make_town(store=store)
    house = replace(town.house, chats={"local": town.chat, "slack": FakeChat("slack")})
    town.house = replace(house, door=Dispatch(house))
    person = Person(
        id=new_id(),
        name=NAME,
        created_at=START,
        roles=((ANY_BRAND, Role.REQUESTER), ("acme", Role.APPROVER)),
        identities=(LOCAL, SLACK),
        team="design",
    )
    async with store.write() as tx:
        await tx.people.add(person)
    town.people["q"] = person
    return town


async def say(town: Town, command: object, user: str = LOCAL.user) -> Card:
    """What the person does, in the working channel of the local chat."""
    return await town.say(command, user)


async def newest(town: Town) -> Asset:
    """The picture rendered last."""
    async with town.house.store.read() as tx:
        return (await tx.assets.find(AssetQuery(brand="acme")))[0]


async def picture(town: Town, words: str, user: str = LOCAL.user) -> Asset:
    """A rendered picture."""
    await say(town, Imagine(brief=Brief(words=words, negative=f"no {words}")), user)
    await town.settle()
    return await newest(town)


async def busy_life(town: Town) -> None:
    """Leave words and names wherever the product takes them."""
    house, person = town.house, town.people["q"]
    await picture(town, f"{WORD} mug")  # never sent
    sent = await picture(town, f"{WORD} pot")
    await say(town, SendToApproval(asset=sent.id, channel="#social", caption=f"{WORD}!"))
    waits = await picture(town, f"{WORD} cup")
    await say(town, SendToApproval(asset=waits.id, channel="#social", caption=f"{WORD}?"))
    await town.say(Reject(review=sent.id, reason="too dark"), "ana")
    other = await picture(town, "a blue bowl", "mia")
    await town.say(SendToApproval(asset=other.id, channel="#social"), "mia")
    await say(town, Reject(review=other.id, reason=f"{WORD}: too blue"))
    await say(town, Imagine(brief=Brief(words=f"{WORD} queued")))  # still waits
    await say(town, Imagine(brief=Brief(words=f"{WORD} stopped", private=True)))
    await say(town, Cancel())
    await town.settle()
    actor = town.actor(LOCAL.user)
    stored = Caller(person=person, actor=actor)
    await api_keys.create(house, stored, label=f"key of {NAME}")
    code = (await say(town, LinkAccount())).title.removeprefix("Your code: ")
    line = ChannelRef(platform="slack", channel="@U0QUIXBIS")
    stranger = Actor(platform="slack", user="U0QUIXBIS", name=NAME, channel=line)
    assert house.door is not None
    await house.door.dispatch(LinkAccount(code=code), stranger)
    schedule = make_schedule(owner=person.id)
    async with house.store.write() as tx:
        await tx.schedules.add(schedule)
        await tx.schedules.add_slot(make_slot(schedule.id, reason=f"{NAME} made it and has left."))
        await tx.jobs.add(make_job(hold=f"Ask {NAME} for more.", error=f"{NAME} was away."))
        await tx.publications.add(make_publication(error=f"There is no channel of {NAME}."))
    await chatter(town)
    await town.settle()


async def chatter(town: Town) -> None:
    """Lines, reactions and cards in the local chat, through its real intake."""
    house, timeline = town.house, town.house.timeline
    local = LocalChat(
        timeline=timeline,
        signals=house.signals,
        store=house.store,
        blobs=house.blobs,
        clock=house.clock,
    )
    house = replace(house, chats={**house.chats, "local": local})
    desk = LocalIntake(house, Dispatch(house))
    person = town.people["q"]

    async def line(who: Person, user: str, text: str, channel: str = "drafts") -> None:
        place = ChannelRef(platform="local", channel=channel)
        await desk.say(
            Actor(
                platform="local",
                user=user,
                name=who.name,
                person=who.id,
                channel=place,
                delivery=new_id(),
            ),
            text,
        )

    await line(person, LOCAL.user, f"I like the {WORD}")
    await line(person, LOCAL.user, f"talking to myself of {WORD}", f"@{LOCAL.user}")
    await line(person, LOCAL.user, "/find nothing --brnd x")
    mia = town.people["mia"]
    await line(mia, "mia", f"ask {NAME} about it")
    (said,) = [m for m in await timeline.page("drafts", user="mia") if m.user == "mia"]
    await timeline.react(said.id, "tada", LOCAL.user, on=True)
    await line(town.people["ida"], "ida", "/people")
    await line(town.people["ida"], "ida", f"/erase {NAME}")


async def erase(town: Town) -> Card:
    """Ask, and press the button."""
    asked = await town.say(ErasePerson(person=NAME), "ida")
    assert asked.title == f"Erase {NAME}?"
    return await town.say(parse_action(asked.buttons[0].action), "ida")


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


async def test_erasing_takes_accounts_roles_and_keys_and_leaves_the_id(store: OpenStore) -> None:
    town = await town_of(store)
    await busy_life(town)
    await erase(town)
    person = town.people["q"]
    async with store.read() as tx:
        left = await tx.people.get(person.id)
        assert left == replace(
            person, name="", roles=(), identities=(), team="", active=False, version=left.version
        )
        assert await tx.people.by_identity("slack", SLACK.user, "T1") is None
        for kind in KeyKind:
            assert await tx.keys.of_person(person.id, kind) == []
        assert await tx.links.of_person(person.id) == []
    rows = (await town.say(ListPeople(), "ida")).rows
    assert person.id not in {row[-1] for row in rows}


async def test_what_was_under_way_ends_and_what_others_did_stays(store: OpenStore) -> None:
    town = await town_of(store)
    await busy_life(town)
    await erase(town)
    person = town.people["q"]
    async with store.read() as tx:
        jobs = await tx.jobs.recent(requester=person.id)
        assert {job.state for job in jobs} == {JobState.DONE, JobState.CANCELLED}
        assert {item.asset for job in jobs for item in job.items} == {""}
        assert {job.brief.words for job in jobs} == {""}
        assert [review.requester for review in await tx.reviews.open()] == []
        (schedule,) = await tx.schedules.of_brand("acme")
        assert schedule.state is ScheduleState.PAUSED
        own = [asset for job in jobs for asset in await tx.assets.of_job(job.id)]
        assert {asset.state for asset in own} == {AssetState.REJECTED, AssetState.WITHDRAWN}
        assert all(asset.is_erased and not asset.renditions for asset in own)
        (blue,) = await tx.assets.find(AssetQuery(brand="acme"))
        assert blue.words == "a blue bowl"
        (review,) = await tx.reviews.of_asset(blue.id)
        assert review.state is ReviewState.DECIDED
        assert review.votes[0].person == person.id
        assert (review.votes[0].name, review.votes[0].reason) == ("", "")
        assert await tx.assets.find(AssetQuery(brand="acme", text=WORD)) == []
        assert [a.id for a in await tx.assets.find(AssetQuery(text="bowl"))] == [blue.id]


async def test_files_go_unless_a_record_still_speaks_of_them(store: OpenStore) -> None:
    town = await town_of(store)
    blobs = town.house.blobs
    upload, shared = await blobs.put(b"my face"), await blobs.put(b"our logo")
    for reference in (upload, shared):
        await say(town, Imagine(brief=Brief(words="like this", reference=reference)))
        await town.settle()
    draft = await newest(town)
    await say(town, SendToApproval(asset=draft.id, channel="#social"))
    kept = await picture(town, "a kettle")
    await say(town, SendToApproval(asset=kept.id, channel="#social"))
    await town.say(Approve(review=kept.id), "ana")
    await town.settle()
    await town.say(Imagine(brief=Brief(words="ours", reference=shared)), "mia")
    await town.settle()
    async with store.read() as tx:
        files = {sha256 async for _, sha256 in tx.assets.file_hashes()}
    stay = {kept.file_hash, *(r.file_hash for r in kept.renditions)}
    stay |= {sha256 for sha256 in files if sha256 in await files_of_others(town)}
    await erase(town)
    left = {sha256 async for sha256 in blobs.all()}
    assert upload not in left
    assert not {draft.file_hash, *(r.file_hash for r in draft.renditions)} & left
    assert {shared, *stay} <= left
    async with store.read() as tx:
        named = {sha256 async for _, sha256 in tx.assets.file_hashes()}
    assert named <= left


async def files_of_others(town: Town) -> set[str]:
    """The files of pictures that somebody else asked for."""
    async with town.house.store.read() as tx:
        assets = await tx.assets.find(AssetQuery(brand="acme", requester=town.people["mia"].id))
    return {r.file_hash for asset in assets for r in asset.renditions}


async def test_an_erased_picture_is_found_shown_and_varied_by_nobody(store: OpenStore) -> None:
    town = await town_of(store)
    draft = await picture(town, "a draft")
    await erase(town)
    for who in ("ana", "ida"):
        assert (await town.say(Show(target=draft.id), who)).kind == "error"
        assert (await town.say(Vary(asset=draft.id), who)).kind == "error"
        assert (await town.say(SendToApproval(asset=draft.id), who)).kind == "error"
    assert (await town.say(Find(text=""), "ida")).pictures == ()


async def test_what_was_published_keeps_its_recipe_without_the_person(store: OpenStore) -> None:
    town = await town_of(store)
    asset = await picture(town, "a green kettle")
    await say(town, SendToApproval(asset=asset.id, channel="#social", caption="Tea?"))
    await town.say(Approve(review=asset.id), "ana")
    await town.settle()
    async with store.read() as tx:
        before = await tx.assets.get(asset.id)
        posts = await tx.publications.of_asset(asset.id)
    await erase(town)
    async with store.read() as tx:
        after = await tx.assets.get(asset.id)
        assert after == before
        assert await tx.publications.of_asset(asset.id) == posts
        (job,) = await tx.jobs.recent(requester=town.people["q"].id)
        assert job.items[0].spec == before.spec
        assert job.brief.words == ""
        assert [a.id for a in await tx.assets.find(AssetQuery(text="kettle"))] == [asset.id]
    assert NAME not in repr(recipe_of(after))


async def test_the_ledger_keeps_its_commitments_and_says_that_someone_was_erased(
    store: OpenStore,
) -> None:
    town = await town_of(store)
    await busy_life(town)
    async with store.read() as tx:
        before = {event.id: event.body() for event in await tx.ledger.recent(limit=1000)}
    await erase(town)
    person = town.people["q"]
    async with store.read() as tx:
        events = await tx.ledger.recent(limit=1000)
    assert events[0].action == ERASED
    assert events[0].subject == f"person:{person.id}"
    assert events[0].facts["texts"] > 3
    assert {event.id: event.body() for event in events[1:]} == before
    own = [event for event in events if person.id in (event.actor, event.subject[7:])]
    assert all(event.personal == {} for event in own)
    assert any(event.commitments for event in own)


async def test_the_chain_verifies_before_and_after_and_names_the_gap(store: OpenStore) -> None:
    town = await town_of(store)
    await busy_life(town)
    await chain_all(town.house)
    before = await verify_ledger(store)
    await erase(town)
    await chain_all(town.house)
    after = await verify_ledger(store)
    assert (before.sound, before.erased, before.waiting) == (True, 0, 0)
    assert (after.sound, after.waiting) == (True, 0)
    assert after.erased > 3
    assert after.lines > before.lines


async def test_messages_about_their_work_are_blank_and_others_only_lose_the_name(
    store: OpenStore,
) -> None:
    town = await town_of(store)
    await busy_life(town)
    await erase(town)
    shown = await store.timeline.page("drafts", user="mia")
    texts = [(message.author, message.text) for message in shown if message.text]
    assert ("someone", "Erased with the person who wrote it.") in texts
    assert ("Mia", "ask someone about it") in texts
    assert all(not message.reactions for message in shown)
    assert await store.timeline.page(f"@{LOCAL.user}", user=LOCAL.user) == []


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
