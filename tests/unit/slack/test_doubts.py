"""Cards in Slack whose answer was lost stand once, wherever Slack let us put them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.chat.slack_chat.options import Mode
from bot.chat.slack_chat.outgoing.chat import SlackChat
from bot.chat.slack_chat.outgoing.files import Shelf
from bot.chat.slack_chat.outgoing.webs import SlackWebs
from bot.clock import SystemClock
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.lives import OutboxState
from bot.core.messages import Card, ChannelRef
from bot.core.ports import Outgoing
from bot.core.sending import Sender
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.state import Message
from tests.fakes.slack_town import options_for
from tests.fakes.town import make_town

DRAFTS = ChannelRef(platform="slack", channel="C0DRAFTS", team="T1")
CARD = Card(kind="job", title="a red mug", subject="job:1")
CLOCK = SystemClock()


@dataclass
class Place:
    """A house that speaks in Slack."""

    slack: FakeSlack
    chat: SlackChat
    house: House

    async def tell(self, message: Outgoing) -> Outgoing:
        """Send it, and look after it, until there is nothing to do; as the records have it."""
        async with self.house.store.write() as tx:
            await tx.outbox.add(message)
        sender = Sender(self.house, "s")
        while await sender.run_one():
            pass
        async with self.house.store.read() as tx:
            return await tx.outbox.get(message.id)

    def loses(self, method: str = "chat.postMessage") -> None:
        """The answer of the next call."""
        self.slack.troubles.add(method, "lost")

    def copies(self, message: Outgoing) -> list[Message]:
        """What stands under its id, anywhere."""
        return [said for said in self.slack.world.all_messages() if said.id == message.id]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    town = await make_town()
    async with FakeSlack(processing_s=0, rates=0) as slack:
        options = options_for(slack, Mode.HTTP)
        blobs, store = town.house.blobs, town.house.store
        async with SlackWebs(options, store=store, clock=CLOCK) as webs:
            shelf = Shelf(store=store, blobs=blobs, clock=CLOCK, webs=webs)
            chat = SlackChat(webs=webs, shelf=shelf, blobs=blobs, clock=CLOCK)
            house = replace(town.house, chats={"slack": chat}, clock=CLOCK)
            yield Place(slack, chat, house)


def outgoing(target: ChannelRef = DRAFTS, *, only_for: str = "", card: Card = CARD) -> Outgoing:
    now = CLOCK.now()
    return Outgoing(id=new_id(), target=target, card=card, created_at=now, only_for=only_for)


async def test_a_card_put_up_anew_for_one_that_is_gone_stands_once(place: Place) -> None:
    await place.tell(outgoing())
    (old,) = place.slack.messages("C0DRAFTS")
    old.deleted = True
    place.loses()
    done = await place.tell(outgoing(card=replace(CARD, title="done")))
    (standing,) = place.copies(done)
    assert done.state is OutboxState.SENT
    assert done.sent is not None
    assert done.sent.message == standing.ts


async def test_a_note_that_went_to_the_direct_line_stands_there_once(place: Place) -> None:
    elsewhere = replace(DRAFTS, channel="C0OTHER")
    place.loses()
    note = await place.tell(outgoing(elsewhere, only_for="U0MIA"))
    assert len(place.copies(note)) == 1
    assert note.state is OutboxState.SENT
    assert note.sent is not None
    assert note.sent.channel.startswith("D")


@pytest.mark.parametrize("word", ["restricted_action_thread_locked", "thread_not_found"])
async def test_an_answer_that_went_beside_its_thread_stands_there_once(
    place: Place, word: str
) -> None:
    root = place.slack.messages("C0DRAFTS")
    assert root == []
    first = await place.tell(outgoing())
    assert first.sent is not None
    thread = first.sent.message if "locked" in word else "1.2"
    place.slack.troubles.add("chat.postMessage", "refuse", error=word)
    place.loses()
    answer = await place.tell(
        outgoing(replace(DRAFTS, thread=thread), card=replace(CARD, subject=""))
    )
    assert len(place.copies(answer)) == 1
    assert answer.state is OutboxState.SENT


async def test_an_answer_in_a_thread_is_found_there(place: Place) -> None:
    first = await place.tell(outgoing())
    assert first.sent is not None
    place.loses()
    answer = await place.tell(outgoing(replace(DRAFTS, thread=first.sent.message)))
    (standing,) = place.copies(answer)
    assert (standing.thread, answer.state) == (first.sent.message, OutboxState.SENT)


# ------------------------------------------------------------------------------- in busy channels


def talk(place: Place, count: int, *, later_s: float = 0.0) -> None:
    """Others say so much in the channel."""
    channel = place.slack.channel("C0DRAFTS")
    later_s += 0.001  # a rounded time could be that of the card, and take its place
    for number in range(count):
        ts = f"{CLOCK.now().timestamp() + later_s:.3f}{number:03d}"
        channel.messages[ts] = Message(
            ts=ts, team="T1", channel="C0DRAFTS", user="U0MIA", text="hello"
        )


async def test_what_others_said_since_does_not_hide_a_card(place: Place) -> None:
    message = outgoing()
    await place.chat.send(message)
    talk(place, 500, later_s=120)
    found = await place.chat.look_up(
        message.id, DRAFTS, since=message.created_at, until=CLOCK.now() + timedelta(seconds=15)
    )
    assert len(found) == 1
    assert len(place.slack.called("conversations.history")) == 1


@pytest.mark.parametrize(("said", "pages", "found"), [(50, 1, 1), (150, 2, 1), (500, 2, 0)])
async def test_two_pages_of_a_busy_channel_are_looked_at(
    place: Place, said: int, pages: int, found: int
) -> None:
    message = outgoing()
    await place.chat.send(message)
    talk(place, said)
    copies = await place.chat.look_up(message.id, DRAFTS, since=message.created_at)
    assert len(copies) == found
    assert len(place.slack.called("conversations.history")) == pages


async def test_a_look_whose_second_page_has_to_wait_ends_with_the_first(place: Place) -> None:
    message = outgoing()
    await place.chat.send(message)
    talk(place, 150)
    place.slack.troubles.add("conversations.history", "429", every=2, retry_after=60)
    assert await place.chat.look_up(message.id, DRAFTS, since=message.created_at) == []
