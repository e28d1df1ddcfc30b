"""A card arrives, and stands once: what a lost sender or a lost answer leaves is put right."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.errors import ChatAmbiguous, ChatRejected, ChatUnavailable
from bot.core.ids import new_id
from bot.core.lives import OutboxState
from bot.core.messages import Card
from bot.core.ports import Outgoing
from bot.core.sending import MAX_ATTEMPTS, MAX_WAIT, Sender
from tests.fakes.chat import Killed
from tests.fakes.town import WORKING, Town, make_town

LEASE_S = 15.0
CARD = Card(kind="job", title="a red mug", subject="job:1", state="queued")


@pytest.fixture
async def town() -> Town:
    """A house whose platform has no idempotency key."""
    town = await make_town()
    town.chat.once = False
    return town


async def put(town: Town, card: Card = CARD) -> Outgoing:
    """A card to be sent."""
    message = Outgoing(id=new_id(), target=WORKING, card=card, created_at=town.clock.now())
    async with town.house.store.write() as tx:
        await tx.outbox.add(message)
    return message


async def work(town: Town, name: str = "s2") -> None:
    """A sender does all it finds."""
    sender = Sender(town.house, name)
    while await sender.run_one():
        pass


async def stored(town: Town, message: Outgoing) -> Outgoing:
    """As the records have it."""
    async with town.house.store.read() as tx:
        return await tx.outbox.get(message.id)


async def test_a_card_whose_sender_died_after_sending_it_is_found_and_not_sent_twice(
    town: Town,
) -> None:
    message = await put(town)
    town.chat.killed = {"send"}
    with pytest.raises(Killed):
        await Sender(town.house, "s1").run_one()
    town.clock.jump(LEASE_S + 1)
    await work(town)
    assert (await stored(town, message)).state is OutboxState.SENT
    assert len(town.chat.copies(message.id)) == 1


async def test_a_card_whose_sender_died_before_sending_it_is_sent(town: Town) -> None:
    message = await put(town)
    async with town.house.store.write() as tx:
        lease = timedelta(seconds=LEASE_S)
        assert await tx.outbox.claim("dead", now=town.clock.now(), lease=lease)
    town.clock.jump(LEASE_S + 1)
    await work(town)
    assert len(town.chat.copies(message.id)) == 1


async def test_a_sender_that_dies_over_the_look_up_leaves_it_to_the_next(town: Town) -> None:
    message = await put(town)
    town.chat.after = [ChatAmbiguous("The line broke.")]
    town.chat.killed = {"look_up"}
    with pytest.raises(Killed):
        await Sender(town.house, "s1").run_one()
    assert (await stored(town, message)).state is OutboxState.AMBIGUOUS
    town.clock.jump(LEASE_S + 1)
    await work(town)
    assert (await stored(town, message)).state is OutboxState.SENT
    assert len(town.chat.copies(message.id)) == 1


async def test_a_look_that_fails_for_now_is_made_later(town: Town) -> None:
    message = await put(town)
    town.chat.after = [ChatAmbiguous("The line broke.")]
    town.chat.look_ups = [ChatUnavailable("Slow down.", retry_after_s=30)]
    await work(town)
    assert (await stored(town, message)).state is OutboxState.AMBIGUOUS
    town.clock.jump(LEASE_S + 1)
    await work(town)
    assert town.chat.looks == 1, "it asked for 30 s"
    town.clock.jump(15)
    await work(town)
    assert (await stored(town, message)).state is OutboxState.SENT
    assert len(town.chat.copies(message.id)) == 1


async def test_a_change_in_place_whose_answer_was_lost_is_simply_made_again(town: Town) -> None:
    first = await put(town)
    await work(town)
    second = await put(town, replace(CARD, state="done"))
    town.chat.after = [ChatAmbiguous("The line broke.")]
    await work(town)
    town.clock.jump(2)
    await work(town)
    assert (await stored(town, second)).state is OutboxState.SENT
    assert town.chat.looks == 1, "a new one might stand where the old one was gone"
    assert [card.state for card in town.chat.shown("drafts")] == ["done"]
    assert len(town.chat.copies(first.id)) == 1


async def test_a_card_that_a_freeze_put_up_twice_stands_once_in_the_end(town: Town) -> None:
    message = await put(town)

    async def freeze() -> None:
        town.clock.jump(LEASE_S + 1)
        await work(town)

    town.chat.meanwhile = [freeze]
    assert await Sender(town.house, "s1").run_one()
    assert len(town.chat.copies(message.id)) == 2
    await work(town)
    assert len(town.chat.copies(message.id)) == 1
    sent = (await stored(town, message)).sent
    assert sent is not None
    assert town.chat.copies(message.id) == [sent.message]


async def test_a_second_card_whose_sender_got_no_answer_goes_too(town: Town) -> None:
    message = await put(town)

    async def freeze() -> None:
        town.clock.jump(LEASE_S + 1)
        await work(town)
        town.chat.after = [ChatAmbiguous("The connection broke.")]

    town.chat.meanwhile = [freeze]
    assert await Sender(town.house, "s1").run_one()
    assert len(town.chat.copies(message.id)) == 2
    await work(town)
    assert len(town.chat.copies(message.id)) == 1


async def test_a_look_that_is_asked_for_during_a_sending_is_not_forgotten_over_it(
    town: Town,
) -> None:
    message = await put(town)

    async def somebody_asks() -> None:
        async with town.house.store.write() as tx:
            sending = await tx.outbox.get(message.id)
            await tx.outbox.update(replace(sending, check_at=town.clock.now()), was=sending)

    town.chat.meanwhile = [somebody_asks]
    assert await Sender(town.house, "s1").run_one()
    assert (await stored(town, message)).state is OutboxState.SENT
    await work(town)
    assert town.chat.looks == 1


async def test_a_late_copy_of_an_old_card_goes_and_the_newer_one_stays(town: Town) -> None:
    old = await put(town)

    async def freeze() -> None:
        town.clock.jump(LEASE_S + 1)
        await put(town, replace(CARD, state="done"))
        await work(town)

    town.chat.meanwhile = [freeze]
    assert await Sender(town.house, "s1").run_one()
    await work(town)
    assert [card.state for card in town.chat.shown("drafts")] == ["done"]
    assert (await stored(town, old)).state in (OutboxState.SUPERSEDED, OutboxState.SENT)


async def test_a_copy_that_nobody_may_delete_is_given_up(town: Town) -> None:
    message = await put(town)

    async def freeze() -> None:
        town.clock.jump(LEASE_S + 1)
        await work(town)

    town.chat.meanwhile = [freeze]
    town.chat.deletions = [ChatRejected("Only admins delete here.")]
    assert await Sender(town.house, "s1").run_one()
    await work(town)
    assert len(town.chat.copies(message.id)) == 2
    assert (await stored(town, message)).check_at is None


async def test_a_sender_that_was_frozen_before_it_sent_sends_nothing(town: Town) -> None:
    message = await put(town)
    sender = Sender(replace(town.house, lease=timedelta(0)), "s1")
    assert await sender.run_one()
    assert town.chat.copies(message.id) == []
    await work(town)
    assert len(town.chat.copies(message.id)) == 1


async def test_a_line_that_stays_unclear_is_not_hammered_without_a_pause(town: Town) -> None:
    await put(town)
    await work(town)
    second = await put(town, replace(CARD, state="done"))
    town.chat.before = [ChatAmbiguous("The line broke.") for _ in range(MAX_ATTEMPTS + 1)]
    await work(town)
    assert len(town.chat.before) == MAX_ATTEMPTS
    for _ in range(MAX_ATTEMPTS):
        town.clock.jump(MAX_WAIT.total_seconds())
        await work(town)
    assert (await stored(town, second)).state is OutboxState.FAILED


async def test_a_card_whose_change_was_overtaken_while_in_doubt_stays(town: Town) -> None:
    await put(town)
    await work(town)
    doubtful = await put(town, replace(CARD, state="rendering"))
    town.chat.after = [ChatAmbiguous("The line broke.")]
    await work(town)
    await put(town, replace(CARD, state="done"))
    await work(town)
    town.clock.jump(3600)
    await work(town)
    overtaken = await stored(town, doubtful)
    assert (overtaken.state, overtaken.check_at) == (OutboxState.SUPERSEDED, None)
    assert [card.state for card in town.chat.shown("drafts")] == ["done"]
