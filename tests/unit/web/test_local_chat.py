"""The local chat's two sides: what it sends counts once, what it takes in is never lost."""

import io
from dataclasses import asdict, replace

import pytest
from PIL import Image

from bot.chat.local_chat.chat import LocalChat
from bot.chat.local_chat.intake import LocalIntake, Said
from bot.chat.local_chat.marking import marked_card
from bot.core.cards import error_card, reply_card
from bot.core.dispatch import Dispatch
from bot.core.errors import ChatRejected, Mistake, Position
from bot.core.ids import new_id
from bot.core.lives import PublicationState
from bot.core.messages import Actor, Card, ChannelRef
from bot.core.ports import Delivery, Outgoing, TimelineMessage
from bot.core.publications import Publication
from storage.memory_blobs import MemoryInbox
from tests.fakes.portal import Portal
from tests.fakes.town import PUBLIC, START, WORKING

JOB = Card(kind="job", title="a red mug", subject="job:1", state="queued")


def chat_of(portal: Portal) -> LocalChat:
    chat = portal.town.house.chats["local"]
    assert isinstance(chat, LocalChat)
    return chat


def outgoing(card: Card = JOB, target: ChannelRef = WORKING, **more: object) -> Outgoing:
    return Outgoing(id=new_id(), target=target, card=card, created_at=START, **more)


def publication(target: ChannelRef = PUBLIC) -> Publication:
    return Publication(
        id=new_id(),
        asset=new_id(),
        review=new_id(),
        brand="acme",
        rendition=new_id(),
        file_hash="0" * 64,
        pixel_hash="0" * 64,
        target=target,
        caption="Tea time!",
        requested_by="x",
        due_at=START,
        created_at=START,
        state=PublicationState.SENDING,
    )


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (48, 32), "teal").save(out, "PNG")
    return out.getvalue()


async def shown(
    portal: Portal, channel: str = "drafts", user: str = "mia"
) -> list[TimelineMessage]:
    return list(await portal.town.house.timeline.page(channel, user=user))


async def test_a_message_sent_twice_stands_once(portal: Portal) -> None:
    chat, message = chat_of(portal), outgoing()
    first, second = await chat.send(message), await chat.send(message)
    assert first == second
    assert len(await shown(portal)) == 1
    assert await chat.look_up(message.id, WORKING, since=START) == (first,)
    assert await chat.look_up(message.id, PUBLIC, since=START) == ()
    assert await chat.look_up(new_id(), WORKING, since=START) == ()
    await chat.delete(first)
    await chat.delete(first)
    assert await shown(portal) == []
    assert await chat.look_up(message.id, WORKING, since=START) == ()


async def test_a_later_card_of_the_same_thing_changes_the_message_in_place(portal: Portal) -> None:
    chat = chat_of(portal)
    ref = await chat.send(outgoing())
    done = replace(JOB, state="done")
    assert await chat.send(outgoing(done, update=ref)) == ref
    assert [m.card.state for m in await shown(portal) if m.card] == ["done"]


async def test_an_update_of_a_message_that_is_gone_becomes_a_new_one(portal: Portal) -> None:
    chat = chat_of(portal)
    ref = replace(await chat.send(outgoing()), message=new_id())
    assert (await chat.send(outgoing(update=ref))).message != ref.message
    assert len(await shown(portal)) == 2


@pytest.mark.parametrize(
    "target",
    [
        ChannelRef(platform="local", channel="nowhere"),
        ChannelRef(platform="local", channel="@nobody"),
        ChannelRef(platform="local", channel="@"),
        ChannelRef(platform="slack", channel="drafts"),
    ],
)
async def test_a_channel_that_is_not_there_is_refused_for_good(
    portal: Portal, target: ChannelRef
) -> None:
    with pytest.raises(ChatRejected):
        await chat_of(portal).send(outgoing(target=target))
    with pytest.raises(ChatRejected):
        await chat_of(portal).post(publication(target), png(), "image/png", "a mug")


async def test_a_private_card_never_stands_in_a_shared_channel(portal: Portal) -> None:
    card = reply_card("Only for you")
    with pytest.raises(ChatRejected):
        await chat_of(portal).send(outgoing(card))
    await chat_of(portal).send(outgoing(card, ChannelRef(platform="local", channel="@mia")))
    assert len(await shown(portal, "@mia")) == 1


async def test_a_post_stands_once_with_exactly_its_bytes(portal: Portal) -> None:
    chat, data, post = chat_of(portal), png(), publication()
    first = await chat.post(post, data, "image/png", "a mug")
    assert await chat.post(post, data, "image/png", "a mug") == first
    (message,) = await shown(portal, "social")
    assert await portal.town.house.blobs.get(message.blob) == data
    assert message.card is not None
    assert message.card.title == "Tea time!"
    picture = message.card.pictures[0]
    assert (picture.width, picture.height, picture.alt) == (48, 32, "a mug")
    assert await chat.look_up(post.id, PUBLIC, since=START) == (first,)


class DyingInbox(MemoryInbox):
    """Dies after a delivery is on the disk."""

    async def put(self, delivery: Delivery) -> None:
        await super().put(delivery)
        raise ConnectionError("the process was killed")


async def test_what_was_said_before_a_crash_is_done_after_it_and_once(portal: Portal) -> None:
    house = replace(portal.town.house, inbox=DyingInbox())
    dying = LocalIntake(house, Dispatch(house))
    actor = replace(portal.town.actor("mia", delivery=new_id()), person=_id(portal, "mia"))
    with pytest.raises(ConnectionError):
        await dying.say(actor, "/imagine a red mug")
    assert not await shown(portal)
    reborn = replace(portal.town.house, inbox=house.inbox)
    assert await LocalIntake(reborn, Dispatch(reborn)).replay() == 1
    assert await LocalIntake(reborn, Dispatch(reborn)).replay() == 0
    async with house.store.read() as tx:
        assert len(await tx.jobs.unfinished()) == 1
    assert [m.text for m in await shown(portal) if m.text] == ["/imagine a red mug"]


async def test_a_delivery_that_was_done_but_not_marked_is_not_done_twice(portal: Portal) -> None:
    actor = replace(portal.town.actor("mia", delivery=new_id()), person=_id(portal, "mia"))
    await portal.desk.say(actor, "/imagine a red mug")
    said = Said(
        kind="text",
        user="mia",
        name="Mia",
        person=_id(portal, "mia"),
        channel="drafts",
        text="/imagine a red mug",
    )
    again = Delivery(platform="local", id=actor.delivery, payload=asdict(said), received_at=START)
    await portal.town.house.inbox.put(again)
    await portal.desk.replay()
    async with portal.town.house.store.read() as tx:
        assert len(await tx.jobs.unfinished()) == 1
    assert [m.text for m in await shown(portal) if m.text] == ["/imagine a red mug"]


async def test_deliveries_of_other_platforms_are_left_to_them(portal: Portal) -> None:
    foreign = Delivery(platform="slack", id="x", payload={"any": "thing"}, received_at=START)
    await portal.town.house.inbox.put(foreign)
    assert await portal.desk.replay() == 0
    assert len(await portal.town.house.inbox.pending()) == 1


async def test_a_stranger_is_answered_too(portal: Portal) -> None:
    actor = Actor(platform="local", user="who", name="Who", person=new_id(), channel=WORKING)
    answer = await portal.desk.press(actor, f"approve:{new_id()}")
    assert answer is not None
    assert answer.card is not None
    assert answer.card.kind == "error"


@pytest.mark.parametrize(
    ("text", "start", "end", "nearest", "field", "line", "hint"),
    [
        ("/imagin x", 0, 7, "/imagine", "command", "/imagin x\n^^^^^^^", "/imagine x"),
        (
            "/imagine template:prodct",
            9,
            24,
            "product",
            "template",
            "/imagine template:prodct\n         ^^^^^^^^^^^^^^^",
            "/imagine template:product",
        ),
        (
            "/imagine a mug COLOR=red",
            15,
            24,
            "product",
            "template",
            "/imagine a mug COLOR=red\n               ^^^^^^^^^",
            "/imagine a mug template:product COLOR=red",
        ),
        (
            "/imagine PLACE=bech",
            15,
            19,
            "on the beach",
            "PLACE",
            "/imagine PLACE=bech\n               ^^^^",
            '/imagine PLACE="on the beach"',
        ),
        ("/imagine", 8, 8, "", "words", "/imagine\n        ^", ""),
        ("x" * 60, 40, 42, "", "words", "…" + "x" * 34 + "…\n" + " " * 17 + "^^", ""),
    ],
)
def test_a_mistake_is_marked_where_it_stands(
    text: str, start: int, end: int, nearest: str, field: str, line: str, hint: str
) -> None:
    error = Mistake("No.", position=Position(start=start, end=end), nearest=nearest, field=field)
    card = marked_card(error_card(error), text, error, lambda _: True)
    assert card.lines[-1] == f"```\n{line}\n```"
    assert card.hint == hint


def test_a_line_that_would_not_be_understood_is_not_offered() -> None:
    error = Mistake("No.", position=Position(start=0, end=1), nearest="y")
    assert marked_card(error_card(error), "x", error, lambda _: False).hint == ""


def test_fences_in_the_line_cannot_break_the_mark() -> None:
    error = Mistake("No.", position=Position(start=0, end=3))
    card = marked_card(error_card(error), "```\n<b>", error, lambda _: True)
    assert card.lines[-1].count("```") == 2


def _id(portal: Portal, who: str) -> str:
    return portal.town.people[who].id
