"""Connections to Discord: resumed where they can be, made anew where not, given up where only a
person can help."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.chat.discord_chat.commands import payloads
from bot.chat.discord_chat.heard import Did
from bot.chat.discord_chat.incoming.ears import DROPS
from bot.chat.discord_chat.incoming.gateway import (
    FIRST_PAUSE_S,
    SHARE,
    Gateway,
    State,
    Stopped,
    pause_after,
)
from storage.errors import DiskFailed
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.people import Person
from tests.fakes.discord.state import Message
from tests.fakes.discord_intake import Taking, taking
from tests.fakes.waiting import until

ALL = (1 << 53) - 1
FORM = {
    "custom_id": "form:reason:reject:r1",
    "title": "Reject",
    "components": [
        {"type": 18, "label": "Why?", "component": {"type": 4, "custom_id": "said", "style": 2}}
    ],
}
CARD = [
    {
        "type": 1,
        "components": [
            {"type": 2, "style": 1, "label": "Approve", "custom_id": "do:approve:r1"},
            {"type": 2, "style": 4, "label": "Reject", "custom_id": "ask:reason:reject:r1"},
        ],
    }
]


@dataclass(kw_only=True)
class Scene:
    """A Discord with a server in it."""

    discord: FakeDiscord
    guild: str
    drafts: str
    mia: Person
    card: Message

    def new_card(self, channel: str) -> Message:
        """A message of ours with buttons."""
        world = self.discord.world
        made = Message(
            id=world.new_id(),
            channel=channel,
            author=world.app.id,
            at=world.now(),
            content="A mug",
            components=CARD,
        )
        world.channels[channel].messages[made.id] = made
        return made


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A Discord that is left without a complaint."""
    async with FakeDiscord() as discord:
        world = discord.world
        mia = world.add_user("mia")
        guild = world.add_guild("Acme", permissions=ALL, owner=mia.id)
        drafts = world.add_channel(guild.id, "drafts")
        world.app.commands = [one | {"id": world.new_id()} for one in payloads()]
        made = Scene(
            discord=discord,
            guild=guild.id,
            drafts=drafts.id,
            mia=discord.person(mia.id),
            card=Message(id="", channel="", author="", at=0.0),
        )
        made.card = made.new_card(drafts.id)
        yield made
        assert discord.violations == []


@dataclass(kw_only=True)
class Listening:
    """A house that listens to Discord."""

    house: Taking
    gateway: Gateway
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def did(self, *kinds: Did) -> list[str]:
        """What was heard of these kinds: texts that tell them apart."""
        return [
            one.option("prompt") or one.action or one.emoji
            for one in self.house.desk.heard
            if one.did in kinds
        ]

    def resyncs(self) -> int:
        """How often what was missed was read anew."""
        return sum(one.did is Did.RESYNC for one in self.house.desk.heard)


@asynccontextmanager
async def making(
    scene: Scene, *, patience_s: float = 5.0, **chosen: Any
) -> AsyncIterator[Listening]:
    """What would listen to that Discord."""
    given = {
        "token": scene.discord.token,
        "api_base_url": scene.discord.api_url,
        "gateway_url": scene.discord.gateway_url,
    }
    async with taking(**(given | chosen)) as house:
        gateway = Gateway(
            house.options,
            house.intake,
            clock=house.town.house.clock,
            identify_every_s=0.05,
            first_pause_s=0.05,
            patience_s=patience_s,
        )
        yield Listening(house=house, gateway=gateway)


@asynccontextmanager
async def listening(scene: Scene, **chosen: Any) -> AsyncIterator[Listening]:
    """It listens, and has read what it missed."""
    async with making(scene, **chosen) as made:
        running = asyncio.create_task(made.gateway.run(made.stop))
        try:
            await until(lambda: made.gateway.state is State.CONNECTED and made.resyncs())
            yield made
        finally:
            made.stop.set()
            await running


async def test_what_people_do_arrives_and_is_acknowledged(scene: Scene) -> None:
    async with listening(scene) as made:
        made.house.desk.gate.clear()
        mia = scene.mia
        asked = await mia.command("imagine", channel=scene.drafts, prompt="a mug")
        clicked = await mia.click(scene.card, "Approve")
        assert (asked.type, asked.ephemeral) == (5, True)
        assert (clicked.type, clicked.ephemeral) == (5, True)
        mia.react(scene.card, "✅")
        made.house.desk.gate.set()
        await until(lambda: made.did(Did.REACTED) == ["✅"])
        await until(lambda: sorted(made.did(Did.COMMAND, Did.ACTION)) == ["a mug", "approve:r1"])
        mia.unreact(scene.card, "✅")
        await until(lambda: made.did(Did.UNREACTED) == ["✅"])
        direct = await mia.command("queue")
        assert direct.type == 5
        await until(lambda: made.house.desk.heard[-1].is_direct)


@pytest.mark.parametrize("emoji", ["", "✅"], ids=["all", "all of one kind"])
async def test_emoji_that_a_moderator_takes_off_a_message_are_read_anew(
    scene: Scene, emoji: str
) -> None:
    async with listening(scene) as made:
        scene.mia.react(scene.card, "✅")
        scene.mia.clear(scene.card, emoji)
        await until(lambda: made.resyncs() == 2)
        resyncs = [one.message for one in made.house.desk.heard if one.did is Did.RESYNC]
        assert resyncs == ["", scene.card.id]


async def test_forms_open_and_choices_are_shown_at_once(scene: Scene) -> None:
    async with listening(scene) as made:
        made.house.desk.opens = FORM
        asks = await scene.mia.click(scene.card, "Reject")
        assert asks.modal is not None
        assert (asks.type, asks.modal.title) == (9, "Reject")
        made.house.desk.opens = None
        sent = await scene.mia.submit(asks.modal, said="too dark")
        assert sent.type == 5
        await until(lambda: made.did(Did.SUBMIT) == ["reason:reject:r1"])
        typed = await scene.mia.type("imagine", "template", "pro", channel=scene.drafts)
        assert typed.choices == {"template pro": "acme"}


async def test_only_the_three_harmless_intents_are_asked_for(scene: Scene) -> None:
    async with listening(scene):
        (session,) = scene.discord.gateway.sessions.values()
        assert session.intents == 1 << 0 | 1 << 9 | 1 << 10


@pytest.mark.parametrize("how", ["4000", "4009", "cut", "op 7", "op 9 resumable"])
async def test_a_connection_that_breaks_is_resumed_and_nothing_is_lost(
    scene: Scene, how: str
) -> None:
    gateway = scene.discord.gateway
    async with listening(scene) as made:
        breaks: dict[str, Callable[[], Any]] = {
            "4000": lambda: gateway.drop(4000),
            "4009": lambda: gateway.drop(4009),
            "cut": gateway.cut,
            "op 7": gateway.reconnect,
            "op 9 resumable": lambda: gateway.invalidate(resumable=True),
        }
        await breaks[how]()
        scene.mia.react(scene.card, "✅")
        asked = await scene.mia.command("imagine", channel=scene.drafts, prompt="a mug")
        assert asked.type == 5
        await until(lambda: made.did(Did.REACTED) and made.did(Did.COMMAND))
        await until(lambda: gateway.resumes and made.gateway.state is State.CONNECTED)
        assert (gateway.resumes, gateway.identifies) == (1, 1)
        assert made.resyncs() == 1, "nothing was missed"


async def test_a_session_that_is_void_begins_anew_and_what_was_missed_is_read(
    scene: Scene,
) -> None:
    async with listening(scene) as made:
        await scene.discord.gateway.invalidate()
        scene.mia.react(scene.card, "✅")
        await until(lambda: made.resyncs() == 2)
        assert scene.discord.gateway.identifies == 2
        assert made.gateway.state is State.CONNECTED
        assert (await scene.mia.command("queue")).type == 5


@pytest.mark.parametrize("how", ["500", "close", "cut"])
async def test_a_first_handshake_that_breaks_is_tried_again(scene: Scene, how: str) -> None:
    """discord.py's own client ends there (#10520)."""
    scene.discord.gateway.failing.extend([how, how])
    async with listening(scene):
        assert (await scene.mia.command("queue")).type == 5


async def test_a_discord_that_is_away_at_the_start_is_waited_for(scene: Scene) -> None:
    scene.discord.troubles.add("GET /users/@me", "cut", times=2)
    async with listening(scene) as made:
        assert made.gateway.reason == ""


async def test_an_event_without_sense_breaks_nothing(scene: Scene) -> None:
    async with listening(scene) as made:
        for event in (
            "GUILD_CREATE",
            "INTERACTION_CREATE",
            "MESSAGE_REACTION_ADD",
            "MESSAGE_CREATE",
        ):
            scene.discord.gateway.broken(event)
        assert (await scene.mia.command("queue")).type == 5
        assert (scene.discord.gateway.identifies, made.resyncs()) == (1, 1)


async def test_a_frame_without_sense_brings_a_new_client(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(scene) as made:
        (socket,) = scene.discord.gateway.sockets
        await socket.send({"op": 10, "d": None, "s": None, "t": None})
        await until(lambda: made.resyncs() == 2)
        assert (await scene.mia.command("queue")).type == 5
    assert "opened anew" in caplog.text


async def test_a_client_that_does_not_come_back_is_replaced(scene: Scene) -> None:
    async with listening(scene, patience_s=0.3) as made:
        await scene.discord.stop()
        await until(lambda: made.gateway.state is State.CONNECTING)
        await until(lambda: made.gateway.reason)
        await scene.discord.start()
        await until(lambda: made.resyncs() == 2)
        assert (await scene.mia.command("queue")).type == 5


async def test_a_connection_that_breaks_all_the_time_is_not_tried_without_a_pause(
    scene: Scene,
) -> None:
    async with listening(scene) as made:
        scene.discord.gateway.failing.extend(["close"] * 200)
        await scene.discord.gateway.drop()
        await until(lambda: "did not come back" in made.gateway.reason)
        tried = 200 - len(scene.discord.gateway.failing)
        assert tried < 2 * DROPS
        scene.discord.gateway.failing.clear()
        await until(lambda: made.gateway.state is State.CONNECTED)


def test_sessions_that_break_at_once_all_day_are_fewer_than_discord_lets_begin() -> None:
    day, pause, begun = 86_400.0, FIRST_PAUSE_S, 0
    while day > 0:
        begun += 1
        pause = pause_after(pause, held_s=0.0, first_s=FIRST_PAUSE_S)
        day -= pause * sum(SHARE) / 2
    assert begun < 1000
    assert pause_after(pause, held_s=3600.0, first_s=FIRST_PAUSE_S) == FIRST_PAUSE_S


@pytest.mark.parametrize(
    ("code", "says"),
    [(4004, "token"), (4011, "servers"), (4013, "intents"), (4014, "intents")],
)
async def test_what_only_a_person_can_mend_stops_it_with_the_way_to(
    scene: Scene, code: int, says: str
) -> None:
    async with making(scene) as made:
        running = asyncio.create_task(made.gateway.run(made.stop))
        await until(lambda: made.gateway.state is State.CONNECTED)
        await scene.discord.gateway.drop(code)
        with pytest.raises(Stopped, match=says) as stopped:
            await running
        assert stopped.value.fix
        assert made.gateway.state is State.STOPPED
        assert says in made.gateway.reason


async def test_a_token_that_is_refused_at_the_start_stops_it(scene: Scene) -> None:
    async with making(scene, token="wrong") as made:
        with pytest.raises(Stopped, match="token"):
            await made.gateway.run(made.stop)
    assert len(scene.discord.calls("GET /users/@me")) == 1


@pytest.mark.parametrize("status", [403, 404, 429, 503])
async def test_a_page_of_something_on_the_way_is_no_refusal_of_discord_s(
    scene: Scene, status: int
) -> None:
    scene.discord.troubles.add("GET /users/@me", "page", times=2, status=status)
    async with listening(scene):
        assert (await scene.mia.command("queue")).type == 5


async def test_a_refusal_of_discord_s_own_stops_it(scene: Scene) -> None:
    scene.discord.troubles.add("GET /users/@me", "refuse", times=None, status=403)
    async with making(scene) as made:
        with pytest.raises(Stopped, match="403"):
            await made.gateway.run(made.stop)
    assert len(scene.discord.calls("GET /users/@me")) == 1


async def test_what_can_t_be_written_down_is_told_and_reactions_are_read_anew(
    scene: Scene,
) -> None:
    async with listening(scene) as made:
        made.house.inbox.trouble = DiskFailed("The disk is full.")
        told = await scene.mia.click(scene.card, "Approve")
        assert told.type == 4
        assert "nothing was queued" in json.dumps(told.data)
        scene.mia.react(scene.card, "✅")
        await until(lambda: len(made.house.inbox.begun) == 3)
        made.house.inbox.trouble = None
        await until(lambda: _after_a_while(made))
        assert made.did(Did.REACTED, Did.ACTION) == []


async def _after_a_while(made: Listening) -> bool:
    await made.house.town.clock.advance(10)
    return made.resyncs() == 2


async def test_two_shards_share_the_servers(scene: Scene) -> None:
    world = scene.discord.world
    other = world.add_guild("Zeta", permissions=ALL, owner=scene.mia.id, guild_id=str(1 << 22))
    even = world.add_guild("Beta", permissions=ALL, owner=scene.mia.id, guild_id=str(2 << 22))
    rooms = [world.add_channel(guild.id, "drafts").id for guild in (other, even)]
    async with listening(scene, shards=2) as made:
        await until(lambda: len(scene.discord.gateway.sockets) == 2)
        for room in rooms:
            assert (await scene.mia.command("imagine", channel=room, prompt=room)).type == 5
        assert (await scene.mia.command("queue")).type == 5
        await until(lambda: sorted(made.did(Did.COMMAND)) == sorted([*rooms, ""]))
        assert scene.discord.gateway.identifies == 2
        shards = {(one.shard, one.shards) for one in scene.discord.gateway.sessions.values()}
        assert shards == {(0, 2), (1, 2)}


async def test_a_stop_lets_what_came_in_be_acknowledged(scene: Scene) -> None:
    async with listening(scene) as made:
        made.house.inbox.gate.clear()
        asking = asyncio.create_task(scene.mia.command("queue"))
        await until(lambda: len(made.house.inbox.begun) == 2)
        asyncio.get_running_loop().call_later(0.05, made.house.inbox.gate.set)
    assert (await asking).type == 5
    assert scene.discord.gateway.sockets == []
    await until(lambda: made.did(Did.COMMAND))


async def test_what_people_write_and_tokens_are_not_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with listening(scene):
            asked = await scene.mia.command("imagine", channel=scene.drafts, prompt="sea glass")
            await scene.discord.gateway.drop()
            await scene.mia.command("queue")
    assert "sea glass" not in caplog.text
    assert scene.discord.token not in caplog.text
    assert asked.interaction.token not in caplog.text
