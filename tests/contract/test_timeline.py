"""The Timeline port."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import Conflict, Mistake, NotFound
from bot.core.messages import Card
from storage.database import OpenStore
from tests.contract.values import digest, later, make_message

CARD = Card(kind="job", title="A red mug", subject="job:1", progress=0.5)


async def test_a_message_comes_back_as_it_was_written(store: OpenStore) -> None:
    spoken = make_message("hello 🙂", reactions=(("tada", "ola"), ("eyes", "mia")))
    posted = make_message("", card=CARD, outgoing="o1", blob=digest("png"), only_for="mia")
    for message in (spoken, posted):
        assert await store.timeline.add(message) == message
        assert await store.timeline.get(message.id) == message
    with pytest.raises(NotFound):
        await store.timeline.get("nothing")
    with pytest.raises(Conflict):
        await store.timeline.add(spoken)
    with pytest.raises(Mistake):
        await store.timeline.add(make_message("nul \x00"))


async def test_what_is_sent_twice_under_one_id_stands_once(store: OpenStore) -> None:
    async def send(number: int) -> str:
        message = make_message(f"try {number}", outgoing="o1")
        return (await store.timeline.add(message)).id

    ids = await asyncio.gather(*(send(number) for number in range(6)))
    assert len(set(ids)) == 1
    found = await store.timeline.by_outgoing("o1")
    assert found is not None
    assert found.id == ids[0]
    assert len(await store.timeline.page("drafts", user="mia")) == 1
    assert await store.timeline.by_outgoing("o2") is None
    await store.timeline.add(make_message())
    assert await store.timeline.by_outgoing("") is None


async def test_a_card_is_replaced_in_place(store: OpenStore) -> None:
    first = make_message("", card=CARD)
    await store.timeline.add(first)
    await store.timeline.add(make_message("later"))
    done = replace(CARD, progress=None, state="done")
    replaced = await store.timeline.replace(first.id, done, later(9))
    assert replaced == replace(first, card=done, edited_at=later(9), version=1)
    assert (await store.timeline.page("drafts", user="mia"))[0] == replaced
    with pytest.raises(NotFound):
        await store.timeline.replace("nothing", done, later(9))


async def test_a_reaction_counts_once_a_person_and_can_be_taken_back(store: OpenStore) -> None:
    message = await store.timeline.add(make_message())

    async def react(emoji: str, user: str, *, on: bool) -> tuple[tuple[str, str], ...]:
        return (await store.timeline.react(message.id, emoji, user, on=on)).reactions

    assert await react("tada", "ola", on=True) == (("tada", "ola"),)
    assert await react("tada", "ola", on=True) == (("tada", "ola"),)
    assert await react("tada", "kim", on=True) == (("tada", "ola"), ("tada", "kim"))
    assert await react("tada", "ola", on=False) == (("tada", "kim"),)
    assert await react("tada", "ola", on=False) == (("tada", "kim"),)
    assert (await store.timeline.get(message.id)).version == 3
    with pytest.raises(NotFound):
        await store.timeline.react("nothing", "tada", "ola", on=True)


async def test_reactions_at_once_are_all_kept(store: OpenStore) -> None:
    message = await store.timeline.add(make_message())
    users = [f"user-{number}" for number in range(8)]
    await asyncio.gather(
        *(store.timeline.react(message.id, "tada", user, on=True) for user in users)
    )
    reactions = (await store.timeline.get(message.id)).reactions
    assert sorted(user for _, user in reactions) == users


async def test_a_page_shows_what_its_reader_may_see_oldest_first(store: OpenStore) -> None:
    messages = [make_message(str(number)) for number in range(7)]
    for message in messages:
        await store.timeline.add(message)
    secret = make_message("for Ola", only_for="ola")
    await store.timeline.add(secret)
    await store.timeline.add(make_message("elsewhere", channel="social"))
    page = await store.timeline.page("drafts", user="mia", limit=3)
    assert page == messages[4:]
    page = await store.timeline.page("drafts", user="mia", before=page[0].id, limit=3)
    assert page == messages[1:4]
    page = await store.timeline.page("drafts", user="mia", before=page[0].id, limit=3)
    assert page == messages[:1]
    assert (await store.timeline.page("drafts", user="ola"))[-1] == secret
    with pytest.raises(NotFound):
        await store.timeline.page("drafts", user="mia", before="nothing")


async def test_a_removed_message_is_gone_with_its_reactions_and_its_id_is_free(
    store: OpenStore,
) -> None:
    message = await store.timeline.add(make_message(outgoing="o1"))
    kept = await store.timeline.add(make_message("stays"))
    await store.timeline.react(message.id, "tada", "ola", on=True)
    for _ in range(2):
        await store.timeline.remove(message.id)
    with pytest.raises(NotFound):
        await store.timeline.get(message.id)
    assert await store.timeline.by_outgoing("o1") is None
    assert await store.timeline.page("drafts", user="mia") == [kept]
    assert (await store.timeline.add(make_message(outgoing="o1"))).reactions == ()
