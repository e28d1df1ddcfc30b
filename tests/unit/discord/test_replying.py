"""Answers in Discord: each once, for one person, where they are."""

from dataclasses import replace

from bot.chat.discord_chat.heard import Did
from bot.chat.discord_chat.understanding.replying import Replying, stands_here
from bot.core.cards import reply_card
from bot.core.messages import Audience, Card
from tests.fakes.discord_folk import ACCOUNTS, DRAFTS, THREAD, make_folk

CARD = reply_card("Hello", "there")


async def test_an_answer_has_the_token_of_what_it_answers_and_its_reader() -> None:
    folk = await make_folk()
    replying = Replying(folk.town.house)
    heard = folk.heard(Did.COMMAND, command="queue", thread=THREAD)
    for _ in range(2):
        await replying.say(heard, CARD)
    await folk.town.settle()
    [sent] = folk.chat.sent
    assert (sent.reply_to, sent.only_for) == (heard.token, ACCOUNTS["mia"])
    assert (sent.target.channel, sent.target.thread) == (DRAFTS, THREAD)


async def test_outside_guilds_the_place_is_the_persons_own_line() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.COMMAND, channel="9101", command="queue")
    group = replace(folk.heard(Did.COMMAND, channel="9777"), is_direct=False, key="k")
    for one in (heard, group):
        await Replying(folk.town.house).say(one, CARD)
    await folk.town.settle()
    assert {sent.target.channel for sent in folk.chat.sent} == {f"@{ACCOUNTS['mia']}"}
    assert {sent.reply_to for sent in folk.chat.sent} == {heard.token, group.token}


async def test_what_became_of_an_emoji_is_told_once_however_often_it_is_heard() -> None:
    folk = await make_folk()
    replying = Replying(folk.town.house)
    given = {"message": "77", "emoji": "✅", "token": ""}
    for _ in range(3):
        await replying.tell(folk.heard(Did.REACTED, **given), CARD)
    await replying.tell(folk.heard(Did.REACTED, **given), reply_card("Something else"))
    await replying.tell(folk.heard(Did.REACTED, **(given | {"message": "78"})), CARD)
    await folk.town.settle()
    assert [card.title for card in folk.told()] == ["Hello", "Something else", "Hello"]
    assert {(one.only_for, one.reply_to) for one in folk.chat.sent} == {(ACCOUNTS["mia"], "")}


def test_an_acknowledgement_becomes_a_short_line_where_the_card_comes_by_itself() -> None:
    card = Card(kind="job", title="", status="Queued, 2nd in line, about 40 s. I'll update this.")
    said = stands_here(card, Audience.WORKING, "https://house")
    assert said.title == "Queued, 2nd in line, about 40 s"
    assert said.lines == ("The card is in this channel.",)
    [alone] = stands_here(card, Audience.REQUESTER, "https://house").lines
    assert "our direct messages" in alone
    assert "https://house/gallery" in alone
