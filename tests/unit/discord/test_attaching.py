"""A card's files are sent once: a later change names those that stand on the message already."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.discord_chat.outgoing.attaching import MOST_REFUSED, Attached
from bot.chat.discord_chat.outgoing.chat import DiscordChat
from bot.chat.discord_chat.outgoing.client import Upload
from bot.chat.discord_chat.outgoing.failing import AUTOMOD, INVALID_BODY
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.watching import Unwatched
from tests.fakes.discord_desk import PNG, Desk, discord_desk, picture

NAVY, RED = picture(colour="navy"), picture(colour="red")
EDITS = "PATCH /channels/*/messages/*"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as running:
        yield running


def brought(desk: Desk) -> int:
    """How many files were ever sent to Discord."""
    return len(desk.discord.world.attachments)


async def test_a_change_sends_no_file_again_that_stands_on_the_message(desk: Desk) -> None:
    card = await desk.card(PNG, NAVY)
    ref = await desk.chat.send(desk.outgoing(card))
    for state in ("in review", "approved"):
        await desk.chat.send(desk.outgoing(replace(card, status=state), update=ref))
    (message,) = desk.drafts.live()
    assert desk.shown(message) == [PNG, NAVY]
    assert "approved" in message.text
    assert brought(desk) == 2


async def test_a_picture_that_is_new_is_sent_and_one_that_goes_is_not_kept(desk: Desk) -> None:
    ref = await desk.chat.send(desk.outgoing(await desk.card(PNG, NAVY)))
    await desk.chat.send(desk.outgoing(await desk.card(PNG, RED), update=ref))
    (message,) = desk.drafts.live()
    assert desk.shown(message) == [PNG, RED]
    alts = [desk.discord.world.attachments[one].description for one in message.attachments]
    assert alts == ["a mug", "a mug"]
    assert brought(desk) == 3


async def test_files_that_another_process_took_away_are_sent_again(desk: Desk) -> None:
    card = await desk.card(PNG, NAVY)
    ref = await desk.chat.send(desk.outgoing(card))
    async with DiscordRest(desk.options, watch=Unwatched()) as rest:
        other = DiscordChat(rest=rest, blobs=desk.blobs, clock=desk.clock, options=desk.options)
        await other.send(desk.outgoing(await desk.card(RED), update=ref))
    assert await desk.chat.send(desk.outgoing(card, update=ref)) == ref
    (message,) = desk.drafts.live()
    assert desk.shown(message) == [PNG, NAVY]
    assert brought(desk) == 5


async def test_a_server_that_never_takes_the_naming_is_not_asked_for_it_for_ever(
    desk: Desk,
) -> None:
    card = await desk.card(PNG)
    ref = await desk.chat.send(desk.outgoing(card))
    for number in range(MOST_REFUSED):
        desk.discord.troubles.add(EDITS, "refuse", status=400, code=INVALID_BODY)
        await desk.chat.send(desk.outgoing(replace(card, status=f"{number}"), update=ref))
    await desk.chat.send(desk.outgoing(card, update=ref))
    assert len(desk.discord.calls(EDITS)) == 2 * MOST_REFUSED + 1
    assert brought(desk) == 1 + MOST_REFUSED + 1


async def test_a_refusal_of_the_words_is_asked_once(desk: Desk) -> None:
    card = await desk.card(PNG)
    ref = await desk.chat.send(desk.outgoing(card))
    desk.discord.troubles.add(EDITS, "refuse", status=400, code=AUTOMOD)
    with pytest.raises(DiscordRefused):
        await desk.chat.send(desk.outgoing(card, update=ref))
    assert (len(desk.discord.calls(EDITS)), brought(desk)) == (1, 1)


def test_an_answer_that_shows_less_than_was_named_counts_as_a_refusal() -> None:
    files = (Upload(name="a.png", mime="image/png", alt="", data=b""),)
    there = {"media": {"attachment_id": "7", "url": "https://cdn.example/1/7/a.png?ex=1"}}
    whole = {"id": "1", "components": [{"components": [{"items": [there]}]}]}
    found = Attached()
    found.learn(whole)
    assert found.among("1", files) == {"a.png": "7"}
    assert found.has_all(whole, files)
    for answer in ({"id": "1"}, None, [], {"id": "1", "components": "?"}):
        assert not found.has_all(answer, files)
    assert found.among("1", files) == {}
