"""How long and how often a message waits: for its turn at a rate, and after failures."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.errors import ChatAmbiguous, ChatIncomplete, ChatUnavailable
from bot.core.ids import new_id
from bot.core.lives import OutboxState
from bot.core.messages import Card, ChannelRef, MessageRef
from bot.core.patience import patient
from bot.core.ports import Outgoing
from bot.core.sending import MAX_ATTEMPTS, MAX_WAIT, Sender
from tests.fakes.chat import FakeChat
from tests.fakes.town import WORKING, Town, make_town


@pytest.fixture
async def town() -> Town:
    return await make_town()


@pytest.fixture
async def message(town: Town) -> Outgoing:
    card = Card(kind="job", title="a red mug", subject="job:1")
    message = Outgoing(id=new_id(), target=WORKING, card=card, created_at=town.clock.now())
    async with town.house.store.write() as tx:
        await tx.outbox.add(message)
    return message


async def stored(town: Town, message: Outgoing) -> Outgoing:
    async with town.house.store.read() as tx:
        return await tx.outbox.get(message.id)


async def tries(town: Town, *, wait_s: float, queued: bool) -> None:
    """One try, which the platform puts off."""
    town.chat.before = [ChatUnavailable("Not now.", retry_after_s=wait_s, queued=queued)]
    assert await Sender(town.house, "s").run_one()
    assert not town.chat.before


async def test_a_message_may_wait_for_its_turn_as_often_as_it_must(
    town: Town, message: Outgoing
) -> None:
    for _ in range(3 * MAX_ATTEMPTS):
        await tries(town, wait_s=1, queued=True)
        town.clock.jump(1)
    waiting = await stored(town, message)
    assert (waiting.state, waiting.attempts) == (OutboxState.PENDING, 0)
    assert await Sender(town.house, "s").run_one()
    assert (await stored(town, message)).state is OutboxState.SENT


async def test_waits_for_a_turn_between_failures_do_not_count_among_them(
    town: Town, message: Outgoing
) -> None:
    for _ in range(MAX_ATTEMPTS - 1):
        await tries(town, wait_s=1, queued=False)
        town.clock.jump(1)
        await tries(town, wait_s=1, queued=True)
        town.clock.jump(1)
    assert (await stored(town, message)).state is OutboxState.PENDING
    await tries(town, wait_s=1, queued=False)
    assert (await stored(town, message)).state is OutboxState.FAILED


async def test_a_platform_may_be_away_for_two_hours(town: Town, message: Outgoing) -> None:
    back = town.clock.now() + timedelta(hours=2)
    while town.clock.now() < back:
        waiting = await stored(town, message)
        with pytest.raises(ChatUnavailable) as away, patient(waiting.attempts):
            raise ChatUnavailable("It can't be reached.", retry_after_s=1)
        await tries(town, wait_s=away.value.retry_after_s, queued=False)
        town.clock.jump(away.value.retry_after_s)
    assert await Sender(town.house, "s").run_one()
    assert (await stored(town, message)).state is OutboxState.SENT


async def test_a_platform_that_names_a_long_wait_is_not_asked_before(
    town: Town, message: Outgoing
) -> None:
    await tries(town, wait_s=1800, queued=True)
    due = (await stored(town, message)).not_before
    assert due == town.clock.now() + timedelta(seconds=1800)
    town.clock.jump(1799)
    assert not await Sender(town.house, "s").run_one()


async def test_a_platform_that_is_out_of_order_is_asked_again_before_long(
    town: Town, message: Outgoing
) -> None:
    await tries(town, wait_s=1800, queued=False)
    assert (await stored(town, message)).not_before == town.clock.now() + MAX_WAIT


# ------------------------------------------------------------ cards that stand with less at first


HERE = MessageRef(platform="local", channel="drafts", message="m1")


def less(*, queued: bool) -> ChatIncomplete:
    """The card stands; its picture is to come in a second."""
    return ChatIncomplete("A picture is to come.", sent=HERE, retry_after_s=1, queued=queued)


async def test_a_card_that_stands_without_its_picture_comes_back_and_changes_in_place(
    town: Town, message: Outgoing
) -> None:
    town.chat.before = [less(queued=True)]
    assert await Sender(town.house, "s").run_one()
    waiting = await stored(town, message)
    assert (waiting.state, waiting.sent, waiting.update) == (OutboxState.PENDING, HERE, HERE)
    assert not await Sender(town.house, "s").run_one()
    town.clock.jump(1)
    assert await Sender(town.house, "s").run_one()
    assert (await stored(town, message)).state is OutboxState.SENT
    assert list(town.chat.cards) == ["m1"]


async def test_a_later_card_takes_the_place_of_one_that_waits_for_its_picture(
    town: Town, message: Outgoing
) -> None:
    town.chat.before = [less(queued=True)]
    assert await Sender(town.house, "s").run_one()
    later = replace(message, id=new_id(), card=replace(message.card, title="done"))
    async with town.house.store.write() as tx:
        await tx.outbox.add(later)
    assert await Sender(town.house, "s").run_one()
    town.clock.jump(1)
    assert not await Sender(town.house, "s").run_one()
    assert {ref: card.title for ref, card in town.chat.cards.items()} == {"m1": "done"}


async def test_a_card_whose_picture_never_comes_is_sent_not_failed(
    town: Town, message: Outgoing
) -> None:
    for _ in range(MAX_ATTEMPTS):
        town.chat.before = [less(queued=False)]
        assert await Sender(town.house, "s").run_one()
        town.clock.jump(1)
    given_up = await stored(town, message)
    assert (given_up.state, given_up.sent) == (OutboxState.SENT, HERE)


# ---------------------------------------------------------------------------------- our own faults


class Buggy(FakeChat):
    """Trips over its own code before or after a card stands, and over a look where told so."""

    def __init__(self) -> None:
        super().__init__(once=False)
        self.stands = False
        self.looks_too = False

    async def send(self, message: Outgoing) -> MessageRef:
        """Never comes back with where it stands."""
        if self.stands:
            await super().send(message)
        raise KeyError("ts")

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> list[MessageRef]:
        """As the fake's."""
        if self.looks_too:
            raise KeyError("channel")
        return await super().look_up(outgoing_id, target, since=since, until=until)


def with_bug(town: Town) -> Buggy:
    town.house.chats["local"] = chat = Buggy()
    return chat


async def test_a_card_that_stands_though_its_sender_tripped_is_found(
    town: Town, message: Outgoing
) -> None:
    chat = with_bug(town)
    chat.stands = True
    assert await Sender(town.house, "s").run_one()
    assert (await stored(town, message)).state is OutboxState.SENT
    assert len(chat.copies(message.id)) == 1


@pytest.mark.parametrize("looks_too", [False, True])
async def test_a_card_that_nobody_can_send_is_given_up_after_a_while_and_the_others_go_on(
    town: Town, message: Outgoing, looks_too: bool
) -> None:
    with_bug(town).looks_too = looks_too
    began = town.clock.now()
    while (await stored(town, message)).state is not OutboxState.FAILED:
        assert await Sender(town.house, "s").run_one()
        waiting = await stored(town, message)
        assert waiting.attempts <= MAX_ATTEMPTS
        assert waiting.not_before
        town.clock.jump(max(0.0, (waiting.not_before - town.clock.now()).total_seconds()))
    assert town.clock.now() - began > timedelta(minutes=30)


# ----------------------------------------------------------------------------------------- look-ups


async def test_a_look_ends_where_the_doubtful_attempt_did_however_late_it_is_made(
    town: Town, message: Outgoing
) -> None:
    chat = Watched()
    town.house.chats["local"] = chat
    town.clock.jump(60)
    chat.after = [ChatAmbiguous("The line broke.")]
    chat.look_ups = [ChatUnavailable("Not now.", retry_after_s=3600)]
    ended = town.clock.now()
    assert await Sender(town.house, "s").run_one()
    town.clock.jump(3600)
    assert await Sender(town.house, "s").run_one()
    assert chat.asked == [(message.created_at, ended + town.house.lease)] * 2
    town.clock.jump(3600)
    assert await Sender(town.house, "s").run_one()
    assert chat.asked[-1] == (message.created_at, None), "copies may have come at any time"


async def test_what_a_dead_sender_left_is_looked_for_in_the_time_of_its_lease(
    town: Town, message: Outgoing
) -> None:
    chat = Watched()
    town.house.chats["local"] = chat
    lease = town.house.lease
    async with town.house.store.write() as tx:
        dead = await tx.outbox.claim("dead", now=town.clock.now(), lease=lease)
    assert dead is not None
    assert dead.lease_until is not None
    town.clock.jump(36_000)
    assert await Sender(town.house, "s").run_one()
    assert chat.asked == [(message.created_at, dead.lease_until + lease)]


class Watched(FakeChat):
    """Notes between which times it was asked to look."""

    def __init__(self) -> None:
        super().__init__(once=False)
        self.asked: list[tuple[datetime, datetime | None]] = []

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> list[MessageRef]:
        """As the fake's."""
        self.asked.append((since, until))
        return await super().look_up(outgoing_id, target, since=since, until=until)
