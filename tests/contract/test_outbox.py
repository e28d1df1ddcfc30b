"""The Outbox port."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

import pytest

from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.lives import OutboxState
from bot.core.messages import Button, Card, ChannelRef, Field, MessageRef, PictureRef, Swatch
from bot.core.people import Identity
from bot.core.ports import Outgoing
from storage.database import OpenStore, SqlStore
from storage.engines import create_engine
from tests.contract.values import (
    DRAFTS,
    LEASE,
    SOCIAL,
    digest,
    later,
    make_outgoing,
    make_person,
)
from tests.fakes.waiting import ENOUGH_S

STANDING = MessageRef(platform="local", channel="drafts", message="m1")


async def put(store: OpenStore, *messages: Outgoing) -> None:
    """Store messages, each in a transaction of its own."""
    for message in messages:
        async with store.write() as tx:
            await tx.outbox.add(message)


async def claim(store: OpenStore, after: float = 0) -> Outgoing | None:
    """One claim in a transaction of its own."""
    async with store.write() as tx:
        return await tx.outbox.claim("w", now=later(after), lease=LEASE)


async def claim_one(store: OpenStore, after: float = 0) -> Outgoing:
    """As `claim`, where something is due."""
    message = await claim(store, after)
    assert message is not None
    return message


async def change(store: OpenStore, was: Outgoing, **changes: object) -> Outgoing:
    """Compare-and-set in a transaction of its own."""
    async with store.write() as tx:
        new = replace(was, **changes)  # type: ignore[arg-type]
        return await tx.outbox.update(new, was=was)


async def sent(store: OpenStore, message: Outgoing, ref: MessageRef = STANDING) -> Outgoing:
    """Claim the message and record that it stands there."""
    claimed = await claim_one(store)
    assert claimed.id == message.id
    return await change(store, claimed, state=OutboxState.SENT, sent=ref)


async def states(store: OpenStore) -> dict[str, int]:
    """How many messages per state."""
    async with store.read() as tx:
        return await tx.outbox.counts()


async def test_a_whole_card_is_sent_as_it_was_written(store: OpenStore) -> None:
    card = Card(
        kind="review",
        title="A red mug 🫖",
        subject="review:1",
        lines=("one", "two"),
        progress=0.25,
        pictures=(
            PictureRef(
                asset="a",
                blob=digest("png"),
                alt="a mug",
                width=512,
                height=512,
                buttons=(Button(label="Approve", action="approve:1"),),
                fields=(
                    Field(
                        label="palette",
                        value="92 %",
                        swatches=(Swatch(name="teal", hex="#0f7c7c", share=0.41),),
                        ok=True,
                    ),
                ),
            ),
        ),
        rows=(("a", "b"), ("c", "d")),
        columns=("x", "y"),
    )
    message = make_outgoing(card=card, not_before=later(-5), error="slow down")
    await put(store, message)
    claimed = await claim_one(store)
    assert claimed == replace(
        message,
        state=OutboxState.SENDING,
        fence=1,
        worker="w",
        lease_until=later(0) + LEASE,
        version=1,
    )
    with pytest.raises(Conflict):
        await put(store, message)


async def test_due_messages_go_oldest_first_and_later_ones_wait(store: OpenStore) -> None:
    delayed = make_outgoing(created_at=later(-9), not_before=later(10))
    second, third = make_outgoing(created_at=later(1)), make_outgoing(created_at=later(1))
    first = make_outgoing(created_at=later(0))
    await put(store, delayed, second, third, first)
    order = [await claim(store, after=5) for _ in range(4)]
    ids = [message.id if message else None for message in order]
    assert ids == [first.id, second.id, third.id, None]
    assert (await claim_one(store, after=10)).id == delayed.id


async def test_a_newer_card_supersedes_those_that_still_wait(store: OpenStore) -> None:
    old = make_outgoing("job:1")
    elsewhere = make_outgoing("job:1", target=SOCIAL)
    other, plain = make_outgoing("job:2"), make_outgoing("")
    threaded = make_outgoing("job:1", target=replace(DRAFTS, thread="t"))
    new = make_outgoing("job:1", created_at=later(1))
    await put(store, old, elsewhere, other, plain, threaded, make_outgoing(""), new)
    assert await states(store) == {"superseded": 1, "pending": 6}
    claimed = {(await claim_one(store, after=1)).id for _ in range(6)}
    assert old.id not in claimed
    assert new.id in claimed


async def test_an_update_replaces_the_card_that_stands(store: OpenStore) -> None:
    first, second, third = (make_outgoing("job:1") for _ in range(3))
    await put(store, first)
    await sent(store, first)
    await put(store, second)
    assert (await claim_one(store)).update == STANDING
    elsewhere = make_outgoing("job:1", target=SOCIAL)
    await put(store, elsewhere)
    assert (await claim_one(store)).update is None
    async with store.read() as tx:
        assert await tx.outbox.message_of("job:1", DRAFTS) == STANDING
        assert await tx.outbox.message_of("job:1", SOCIAL) is None
        assert await tx.outbox.message_of("job:9", DRAFTS) is None
        assert await tx.outbox.message_of("", DRAFTS) is None
        same_place = ChannelRef(platform="local", channel="drafts", team="T1")
        assert await tx.outbox.message_of("job:1", same_place) == STANDING
    explicit = replace(third, update=replace(STANDING, message="m9"))
    await put(store, replace(explicit, target=replace(DRAFTS, thread="t")))
    assert (await claim_one(store)).update == explicit.update


async def test_a_subject_is_sent_one_card_at_a_time_in_a_place(store: OpenStore) -> None:
    first, second = make_outgoing("job:1"), make_outgoing("job:1", created_at=later(1))
    await put(store, first)
    sending = await claim_one(store)
    await put(store, second, make_outgoing("job:2", created_at=later(2)))
    assert (await claim_one(store, after=9)).card.subject == "job:2"
    assert await claim(store, after=9) is None
    await change(store, sending, state=OutboxState.SENT, sent=STANDING)
    claimed = await claim_one(store, after=9)
    assert (claimed.id, claimed.update) == (second.id, STANDING)


async def test_a_card_that_waits_for_a_retry_never_overwrites_a_later_one(
    store: OpenStore,
) -> None:
    old, new = make_outgoing("job:1"), make_outgoing("job:1", created_at=later(1))
    await put(store, old)
    sending = await claim_one(store)
    await put(store, new)
    await change(store, sending, state=OutboxState.PENDING, not_before=later(30))
    claimed = await claim_one(store, after=5)
    assert claimed.id == new.id
    await change(store, claimed, state=OutboxState.SENT, sent=STANDING)
    assert await claim(store, after=60) is None
    assert await states(store) == {"superseded": 1, "sent": 1}


async def test_a_message_whose_sender_died_is_found_by_its_lease(store: OpenStore) -> None:
    await put(store, make_outgoing("job:1"))
    lost = await claim_one(store)
    async with store.read() as tx:
        assert await tx.outbox.expired(later(59)) == []
        assert await tx.outbox.expired(later(60)) == [lost]
    await change(store, lost, state=OutboxState.AMBIGUOUS)
    with pytest.raises(StaleState):
        await change(store, lost, state=OutboxState.SENT, sent=STANDING)


async def test_a_message_leads_back_to_its_subject(store: OpenStore) -> None:
    message = make_outgoing("review:1")
    await put(store, message)
    await sent(store, message)
    async with store.read() as tx:
        assert await tx.outbox.subject_of(STANDING) == "review:1"
        assert await tx.outbox.subject_of(replace(STANDING, team="T1")) == "review:1"
        assert await tx.outbox.subject_of(replace(STANDING, message="m2")) == ""
        assert await tx.outbox.subject_of(replace(STANDING, channel="social")) == ""


async def test_the_newest_card_of_a_subject_in_a_place_is_known_before_it_is_sent(
    store: OpenStore,
) -> None:
    first, second = make_outgoing("job:1"), make_outgoing("job:1")
    elsewhere = make_outgoing("job:1", target=SOCIAL)
    await put(store, first, second, elsewhere)
    async with store.read() as tx:
        assert await tx.outbox.newest("job:1", DRAFTS) == second.id
        assert await tx.outbox.newest("job:1", SOCIAL) == elsewhere.id
        assert await tx.outbox.newest("job:9", DRAFTS) == ""
        assert await tx.outbox.newest("", DRAFTS) == ""


async def test_a_message_of_one_workspace_leads_to_no_subject_of_another(
    store: OpenStore,
) -> None:
    message = make_outgoing("review:1")
    await put(store, message)
    await sent(store, message, replace(STANDING, team="T1"))
    async with store.read() as tx:
        assert await tx.outbox.subject_of(replace(STANDING, team="T1")) == "review:1"
        assert await tx.outbox.subject_of(STANDING) == "review:1"
        assert await tx.outbox.subject_of(replace(STANDING, team="T2")) == ""


async def test_a_direct_line_is_another_place_in_each_workspace(store: OpenStore) -> None:
    ours, theirs = (ChannelRef(platform="slack", channel="@U1", team=team) for team in ("T1", "T2"))
    first, second = make_outgoing("job:1", target=ours), make_outgoing("job:1", target=theirs)
    await put(store, first, second)
    assert await states(store) == {"pending": 2}
    one, two = await claim_one(store), await claim_one(store)
    assert {one.target, two.target} == {ours, theirs}
    stands = MessageRef(platform="slack", channel="D1", message="m1", team="T1")
    await change(store, one, state=OutboxState.SENT, sent=stands)
    async with store.read() as tx:
        assert await tx.outbox.message_of("job:1", one.target) == stands
        assert await tx.outbox.message_of("job:1", two.target) is None


async def test_erasing_takes_what_one_person_alone_was_told_in_their_workspace(
    store: OpenStore,
) -> None:
    channel = ChannelRef(platform="slack", channel="C1", team="T1")
    line = ChannelRef(platform="slack", channel="@U1", team="T1")
    own = [make_outgoing(target=channel, only_for="U1"), make_outgoing(target=line)]
    others = [
        make_outgoing(target=channel),
        make_outgoing(target=channel, only_for="U2"),
        make_outgoing(target=replace(channel, team="T2"), only_for="U1"),
        make_outgoing(target=replace(line, team="T2")),
    ]
    await put(store, *own, *others)
    person = make_person(identities=(Identity(platform="slack", user="U1", team="T1"),))
    async with store.write() as tx:
        await tx.people.add(person)
        await tx.erasure.erase(person, later(0))
    async with store.read() as tx:
        for message in others:
            assert await tx.outbox.get(message.id) == message
        for message in own:
            with pytest.raises(NotFound):
                await tx.outbox.get(message.id)


async def test_many_senders_at_once_never_share_a_message(store: OpenStore) -> None:
    messages = [make_outgoing(f"job:{number}") for number in range(20)]
    messages += [make_outgoing("") for _ in range(10)]
    await put(store, *messages)

    async def send() -> list[str]:
        mine = []
        while message := await claim(store):
            mine.append(message.id)
        return mine

    taken = await asyncio.gather(*(send() for _ in range(6)))
    everything = [one for mine in taken for one in mine]
    assert sorted(everything) == sorted(message.id for message in messages)


async def test_senders_at_once_send_one_card_of_a_subject_at_a_time(store: OpenStore) -> None:
    """Cards of one subject and place are added and sent by many at once."""
    sending: set[str] = set()
    overlaps = []
    all_have_claimed = asyncio.Barrier(6)

    async def work(number: int) -> None:
        for _ in range(5):
            await put(store, make_outgoing(f"job:{number % 2}"))
            message = await claim(store)
            if message is not None and message.card.subject in sending:
                overlaps.append(message.card.subject)
            if message is not None:
                sending.add(message.card.subject)
            await all_have_claimed.wait()  # so long each has in hand what it claimed
            if message is not None:
                sending.discard(message.card.subject)
                await change(store, message, state=OutboxState.SENT, sent=STANDING)

    async with asyncio.timeout(ENOUGH_S):
        await asyncio.gather(*(work(number) for number in range(6)))
    assert overlaps == []


async def test_an_unknown_message_is_not_found(store: OpenStore) -> None:
    with pytest.raises(NotFound):
        await change(store, make_outgoing(), attempts=1)


async def test_two_senders_never_hold_cards_of_one_subject_that_were_added_at_once(
    postgres_url: str,
) -> None:
    """The interleaving in which each sender's choice is right when it looks."""
    first, second = make_outgoing("job:1"), make_outgoing("job:1", created_at=later(1))
    # Each side by side transaction has a store of its own, as another process would.
    stores = [SqlStore(create_engine(postgres_url)) for _ in range(4)]
    async with AsyncExitStack() as late, stores[2].write() as sending:
        also_adding = await late.enter_async_context(stores[1].write())
        async with stores[0].write() as adding:
            await adding.outbox.add(first)
            await also_adding.outbox.add(second)
        # The first is there and the second not yet when the first sender chooses.
        mine = await sending.outbox.claim("a", now=later(5), lease=LEASE)
        await late.aclose()
        theirs = await claim(stores[3], after=5)
    assert mine is not None
    assert (mine.id, theirs) == (first.id, None)
    await change(stores[3], mine, state=OutboxState.SENT, sent=STANDING)
    last = await claim_one(stores[3], after=5)
    assert (last.id, last.update) == (second.id, STANDING)
    for store in stores:
        await store.close()


async def test_ended_messages_are_doubtful_once_their_time_has_come(store: OpenStore) -> None:
    late = make_outgoing(state=OutboxState.AMBIGUOUS, check_at=later(9))
    early = make_outgoing(state=OutboxState.SENT, sent=STANDING, check_at=later(5))
    old = make_outgoing("job:1", state=OutboxState.SUPERSEDED, check_at=later(7))
    waiting = make_outgoing(check_at=later(0), not_before=later(500))
    await put(store, late, early, old, waiting, make_outgoing(state=OutboxState.SENT))
    async with store.read() as tx:
        assert await tx.outbox.doubtful(later(4)) == []
        assert await tx.outbox.doubtful(later(9)) == [early, old, late]
        assert await tx.outbox.get(early.id) == early
        with pytest.raises(NotFound):
            await tx.outbox.get("nothing")


async def test_a_doubt_stays_with_a_message_that_is_sent_again(store: OpenStore) -> None:
    await put(store, make_outgoing(check_at=later(3)))
    assert (await claim_one(store)).check_at == later(3)


async def test_a_card_waits_while_nobody_knows_whether_an_earlier_one_stands(
    store: OpenStore,
) -> None:
    first, second = make_outgoing("job:1"), make_outgoing("job:1")
    await put(store, first)
    claimed = await claim_one(store)
    await put(store, second)
    unclear = await change(store, claimed, state=OutboxState.AMBIGUOUS)
    assert await claim(store) is None, "beside the first it would be a second card"
    await change(store, unclear, state=OutboxState.SENT, sent=STANDING)
    assert (await claim_one(store)).update == STANDING


async def test_a_claim_leaves_the_messages_of_other_platforms(store: OpenStore) -> None:
    slack = make_outgoing(target=replace(DRAFTS, platform="slack"))
    local = make_outgoing(created_at=later(1))
    await put(store, slack, local)
    async with store.write() as tx:
        ask = partial(tx.outbox.claim, "w", now=later(5), lease=LEASE)
        assert await ask(platforms=["discord"]) is None
        assert await ask(platforms=[]) is None
        mine = await ask(platforms={"local": 1}.keys())
        assert mine is not None
        assert mine.id == local.id
        assert await ask(platforms=["local"]) is None
        other = await ask(platforms=["local", "slack"])
        assert other is not None
        assert other.id == slack.id
