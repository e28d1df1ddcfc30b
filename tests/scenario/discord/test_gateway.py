"""The line to Discord breaks in every way: nothing that people did meanwhile is lost, and where it
can't be mended, somebody is told and the rest of the house goes on."""

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.discord_chat.wiring import listening, open_discord
from bot.core.commands import Imagine
from bot.core.health import Condition
from bot.core.house import House
from brand.templates import Brief
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import button_of, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_deeds import drawn, in_review, on_health_page
from tests.fakes.discord_town import DRAFTS, TALK, DiscordTown, Running, options_for, running
from tests.fakes.town import make_town
from tests.fakes.uploads import png
from tests.fakes.waiting import until

HARMLESS = 1 << 0 | 1 << 9 | 1 << 10
"""guilds, guild_messages, guild_message_reactions."""
YES = "✅"


def stamped(card: Message) -> bool:
    """Whether a card shows what was decided."""
    return "Approved by" in card.text and not button_of(card, "do:")


async def is_well(house: House) -> bool:
    """Whether that page says so, once the house has heard of all its connections."""
    return (await on_health_page(house)).condition is Condition.OK


@pytest.mark.parametrize("how", ["4000", "op 7", "cut"])
async def test_what_was_done_while_the_line_was_down_is_told_again(
    discord_house: Running, how: str
) -> None:
    discord, gateway = discord_house.discord, discord_house.discord.gateway
    mia, rob, ana = map(discord_house.person, ("mia", "rob", "ana"))
    by_emoji, by_button = await in_review(discord_house), await in_review(discord_house, "a bowl")
    before = len(discord.world.interactions)
    breaks = {
        "4000": gateway.drop,
        "op 7": gateway.reconnect,
        "cut": gateway.cut,
    }
    gateway.door.clear()
    await breaks[how]()
    await until(lambda: not gateway.connected())
    rob.react(by_emoji, YES)
    doing = asyncio.gather(
        ana.click(by_button, button_of(by_button, "do:approve:")),
        mia.command("imagine", prompt="a cup", channel=DRAFTS),
    )
    await until(lambda: len(discord.world.interactions) == before + 2)
    gateway.door.set()
    clicked, asked = await doing
    assert clicked.acked
    assert asked.acked
    await until(lambda: stamped(by_emoji) and stamped(by_button))
    await posted(discord, DRAFTS, lambda m: pictured(m) and "a cup" in m.text)
    await until(lambda: is_well(discord_house.house))
    assert gateway.identifies == gateway.resumes == discord_house.options.shards
    assert gateway.replayed >= 3, "it was told while nobody listened"


async def test_emoji_of_a_void_session_count_by_the_resync(discord_house: Running) -> None:
    gateway, rob = discord_house.discord.gateway, discord_house.person("rob")
    card, other = await in_review(discord_house), await in_review(discord_house, "a bowl")
    gateway.forget()
    rob.react(card, YES)
    rob.react(other, "❌")
    assert not stamped(card)
    await gateway.invalidate()
    await until(lambda: stamped(card) and "Rejected by Rob" in other.text)
    assert gateway.resumes == 0
    await until(lambda: len(gateway.connected()) == discord_house.options.shards)
    assert (await rob.command("queue", channel=DRAFTS)).acked


@pytest.mark.parametrize("how", ["500", "close", "cut"])
async def test_the_first_handshake_may_break(
    discord: FakeDiscord, discord_town: DiscordTown, how: str
) -> None:
    """discord.py's own client ends there (#10520)."""
    discord.gateway.failing.extend([how, how])
    async with running(discord, discord_town) as house:
        assert await drawn(house)
    assert not discord.gateway.failing


FRAMES: dict[str, dict[str, Any]] = {
    "hello of nothing": {"op": 10, "d": None},
    "ready of nothing": {"op": 0, "t": "READY", "s": 3, "d": {}},
    "ready of null": {"op": 0, "t": "READY", "s": 3, "d": None},
    "event of no kind": {"op": 0, "t": None, "s": 4, "d": None},
    "event unheard of": {"op": 0, "t": "MUG_BROKEN", "s": 5, "d": {"mug": 1}},
    "event of numbers": {"op": 0, "t": 7, "s": "x", "d": 7},
    "interaction of text": {"op": 0, "t": "INTERACTION_CREATE", "s": 6, "d": "now"},
    "interaction of holes": {"op": 0, "t": "INTERACTION_CREATE", "s": 6, "d": {"id": "1"}},
    "reaction of holes": {"op": 0, "t": "MESSAGE_REACTION_ADD", "s": 6, "d": {"emoji": None}},
    "guild of holes": {"op": 0, "t": "GUILD_CREATE", "s": 7, "d": {"channels": [{}]}},
    "message of holes": {"op": 0, "t": "MESSAGE_CREATE", "s": 8, "d": {"author": 1}},
    "op unheard of": {"op": 99, "d": None},
    "no op": {"d": None},
    "op of text": {"op": "hello"},
    "void of nothing": {"op": 9, "d": None},
}
TEXTS = ("", "{", "null", "[]", "7", '"hello"', "\x00")
UNPACKED = b"a mug\x00\x00\xff\xff"
"""Ends as a frame of the stream ends, and is none."""


async def test_frames_without_sense_end_a_client_and_not_the_house(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    async with running(discord, discord_town) as house:
        card, mia = await in_review(house), house.person("mia")
        mia.wait_s = 0.2

        async def is_answered() -> bool:
            return (await mia.command("queue", channel=DRAFTS)).acked

        for frame in (*map(json.dumps, FRAMES.values()), *TEXTS, UNPACKED):
            for socket in list(discord.gateway.sockets):
                if isinstance(frame, bytes):
                    await socket.ws.send_bytes(frame)
                else:
                    await socket.say(frame)
            await until(is_answered)
            await until(lambda: len(discord.gateway.connected()) == discord.world.shards)
        assert discord.gateway.identifies > len(FRAMES) / 2, "most of them end a client"
        house.person("rob").react(card, YES)
        await until(lambda: stamped(card))
        await until(lambda: is_well(house.house))
    missed = [each for each in discord.violations if "did not respond" in each]
    for each in missed:  # what was said to a client that is gone, nobody hears
        discord.violations.remove(each)


async def turned_away(discord: FakeDiscord, how: str) -> None:
    """Let Discord have us no more, when it was connected or before."""
    if how == "revoked":
        discord.world.app.token_revoked = True
    else:
        await until(discord.gateway.connected)
        await discord.gateway.drop(int(how))


@pytest.mark.parametrize(
    ("how", "says", "fix"),
    [
        ("revoked", "token", "discord.token"),
        ("4004", "token", "Reset Token"),
        ("4014", "intents", "privileged"),
        ("4011", "servers", "discord.shards"),
    ],
)
async def test_where_discord_will_not_have_us_it_is_told_and_all_else_goes_on(
    discord: FakeDiscord, caplog: pytest.LogCaptureFixture, how: str, says: str, fix: str
) -> None:
    town = await make_town()
    house, stop = town.house, asyncio.Event()
    assert house.door is not None
    async with open_discord(
        options_for(discord), store=house.store, blobs=house.blobs, clock=house.clock
    ) as parts:
        house = replace(house, chats={**house.chats, "discord": parts.chat})
        if how == "revoked":
            await turned_away(discord, how)
        with caplog.at_level(logging.ERROR):
            async with listening(parts, house, house.door, stop=stop, first_pause_s=0.01):
                if how != "revoked":
                    await turned_away(discord, how)
                await until(lambda: "discord.stopped" in actions(caplog))
                found = await on_health_page(house)
                await town.say(Imagine(brief=Brief(words="a red mug")))
                await town.settle()
                assert any(card.pictures for card in town.chat.shown("drafts"))
                assert not stop.is_set(), "the process goes on"
    assert found.condition is Condition.DEGRADED
    assert says in found.says
    assert fix in found.fix
    (record,) = [r for r in caplog.records if getattr(r, "action", "") == "discord.stopped"]
    assert says in record.message
    assert fix in record.message
    assert discord.token not in caplog.text
    assert discord.gateway.identifies <= discord.world.shards


def actions(caplog: pytest.LogCaptureFixture) -> set[str]:
    """What was logged, in words for machines."""
    return {getattr(record, "action", "") for record in caplog.records}


async def test_three_harmless_intents_do_and_what_people_write_is_never_told(
    discord_house: Running,
) -> None:
    discord, mia, rob = (
        discord_house.discord,
        discord_house.person("mia"),
        discord_house.person("rob"),
    )
    asked = await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
    await asked.answer()
    said = mia.say("look at my mug", channel=TALK, files=(mia.attach(png(), channel=TALK),))
    opened = await mia.menu("Use as reference", said)
    sent = await mia.submit(opened.modal, prompt="like this")
    assert "Queued" in (await sent.answer()).text
    card = await in_review(discord_house)
    rob.react(card, YES)
    await until(lambda: stamped(card))
    assert {s.intents for s in discord.gateway.sessions.values()} == {HARMLESS}
    told = [
        data
        for event, data in discord.gateway.told
        if event == "MESSAGE_CREATE" and data["author"]["id"] != discord.world.app.id
    ]
    assert told
    assert not any(data.get("content") for data in told)
