"""What the fake's gateway refuses, by a bare socket, and what people in front of it can't do."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.interactions import ClientRefused
from tests.fakes.discord.people import Person
from tests.fakes.discord.state import COMPONENTS_V2, EPHEMERAL, Json, Message
from tests.fakes.discord_town import DRAFTS, TALK, USERS, founded
from tests.fakes.waiting import until

IMAGINE: Json = {
    "id": "78",
    "name": "imagine",
    "type": 1,
    "contexts": [0],
    "options": [
        {"name": "prompt", "type": 3, "required": True, "max_length": 20},
        {"name": "template", "type": 3, "autocomplete": True},
        {"name": "count", "type": 4, "min_value": 1, "max_value": 10},
    ],
}
QUERY = "?v=10&encoding=json"


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord with the guild."""
    async with founded() as made:
        made.world.app.commands.append(IMAGINE)
        yield made


@pytest.fixture
async def web(fake: FakeDiscord) -> AsyncIterator[aiohttp.ClientSession]:
    """Who opens bare sockets."""
    async with aiohttp.ClientSession() as session:
        yield session


def identify(fake: FakeDiscord, **more: Any) -> str:
    told = {"token": fake.token, "intents": 1, "properties": {}, **more}
    return json.dumps({"op": 2, "d": told})


async def closed_with(socket: aiohttp.ClientWebSocketResponse) -> int:
    """The code with which the gateway closes, whatever it says before."""
    while (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
        pass
    assert socket.close_code is not None
    return socket.close_code


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["{"], 4002),
        (['{"op": 2, "d": {"token": "' + "x" * 5000 + '"}}'], 4002),
        (['{"op": 3, "d": {}}'], 4003),
        (['{"op": 2, "d": {"token": "wrong", "intents": 1}}'], 4004),
        (["identify", "identify"], 4005),
        (["identify", '{"op": 99, "d": {}}'], 4001),
        (['{"op": 1, "d": null}'] * 121, 4008),
    ],
)
async def test_nonsense_is_answered_with_its_code(
    fake: FakeDiscord, web: aiohttp.ClientSession, frames: list[str], code: int
) -> None:
    async with web.ws_connect(fake.gateway_url + QUERY) as socket:
        for frame in frames:
            await socket.send_str(identify(fake) if frame == "identify" else frame)
        assert await closed_with(socket) == code


@pytest.mark.parametrize(
    ("asked", "code"),
    [({"shard": [2, 2]}, 4010), ({"intents": 1 << 40}, 4013), ({"intents": 1 << 15}, 4014)],
)
async def test_what_may_not_be_asked_for_is_answered_with_its_code(
    fake: FakeDiscord, web: aiohttp.ClientSession, asked: Json, code: int
) -> None:
    async with web.ws_connect(fake.gateway_url + QUERY) as socket:
        await socket.send_str(identify(fake, **asked))
        assert await closed_with(socket) == code


async def test_who_does_not_beat_is_taken_for_dead(
    fake: FakeDiscord, web: aiohttp.ClientSession
) -> None:
    fake.gateway.heartbeat_ms = 20
    async with web.ws_connect(fake.gateway_url + QUERY) as socket:
        await socket.send_str(identify(fake))
        assert await closed_with(socket) == 4009


async def test_a_number_of_the_future_is_not_resumed(
    fake: FakeDiscord, web: aiohttp.ClientSession
) -> None:
    async with web.ws_connect(fake.gateway_url + QUERY) as socket:
        await socket.send_str(identify(fake))
        await until(lambda: fake.gateway.connected())
        await socket.close(code=4000)
    [session] = fake.gateway.sessions.values()
    await until(lambda: session.socket is None)
    told = {"token": fake.token, "session_id": session.id, "seq": 99}
    async with web.ws_connect(f"{fake.gateway_url}resume/{QUERY}") as socket:
        await socket.send_str(json.dumps({"op": 6, "d": told}))
        assert await closed_with(socket) == 4007


async def test_two_identifies_in_a_hurry_void_the_second(
    fake: FakeDiscord, web: aiohttp.ClientSession
) -> None:
    fake.gateway.identify_every_s = 5.0
    async with web.ws_connect(fake.gateway_url + QUERY) as first:
        await first.send_str(identify(fake))
        await until(lambda: fake.gateway.connected())
        async with web.ws_connect(fake.gateway_url + QUERY) as second:
            await second.receive()
            await second.send_str(identify(fake))
            assert json.loads((await second.receive()).data)["op"] == 9


async def test_a_handshake_fails_on_demand(fake: FakeDiscord, web: aiohttp.ClientSession) -> None:
    fake.gateway.failing.extend(["500", "close"])
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await web.ws_connect(fake.gateway_url + QUERY)
    async with web.ws_connect(fake.gateway_url + QUERY) as socket:
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    async with web.ws_connect(fake.gateway_url + QUERY) as socket:
        assert json.loads((await socket.receive()).data)["op"] == 10


# ------------------------------------------------------------------------------------- people


def shown(fake: FakeDiscord, *parts: Json, only_for: str = "") -> Message:
    """A message of the app in the drafts."""
    world = fake.world
    message = Message(
        id=world.new_id(),
        channel=DRAFTS,
        author=world.app.id,
        at=world.now(),
        components=[{"type": 17, "components": [{"type": 1, "components": list(parts)}]}],
        flags=COMPONENTS_V2 | (EPHEMERAL if only_for else 0),
        only_for=only_for,
    )
    world.channels[DRAFTS].messages[message.id] = message
    return message


def button(label: str, **more: Any) -> Json:
    return {"type": 2, "style": 1, "label": label, "custom_id": f"do:{label}", **more}


async def test_a_person_sends_only_what_their_client_lets_them(fake: FakeDiscord) -> None:
    mia = Person(fake.world, USERS["mia"])
    for wrong in ({}, {"prompt": "x" * 21}, {"prompt": "x", "count": 11}, {"prompt": 3}):
        with pytest.raises(ClientRefused):
            await mia.command("imagine", channel=DRAFTS, **wrong)
    with pytest.raises(ClientRefused, match="no option"):
        await mia.command("imagine", channel=DRAFTS, prompt="x", size=3)
    with pytest.raises(ClientRefused, match="registered"):
        await mia.command("queue", channel=DRAFTS)
    with pytest.raises(ClientRefused, match="not offered"):
        await mia.command("imagine", prompt="x")
    with pytest.raises(ClientRefused, match="suggests nothing"):
        await mia.type("imagine", "prompt", "x", channel=DRAFTS)
    assert fake.gateway.told == []


async def test_a_person_presses_only_what_is_before_them(fake: FakeDiscord) -> None:
    mia, rob = (Person(fake.world, USERS[name]) for name in ("mia", "rob"))
    link = {"type": 2, "style": 5, "label": "Open", "url": "https://house.test"}
    for message, what in (
        (shown(fake, button("Old", disabled=True)), "Old"),
        (shown(fake, link), "Open"),
        (shown(fake, button("Use"), only_for=rob.id), "Use"),
        (shown(fake, button("Use")), "Vary"),
    ):
        with pytest.raises(ClientRefused):
            await mia.click(message, what)
    assert fake.gateway.told == []


async def test_a_stranger_to_a_channel_does_nothing_there(fake: FakeDiscord) -> None:
    eve = Person(fake.world, USERS["eve"])
    message = shown(fake, button("Use"))
    del next(iter(fake.world.guilds.values())).members[eve.id]
    for deed in (
        eve.command("imagine", channel=TALK, prompt="x"),
        eve.click(message, "Use"),
    ):
        with pytest.raises(ClientRefused, match="not see"):
            await deed
    with pytest.raises(ClientRefused, match="not see"):
        eve.react(message, "✅")


async def test_an_emoji_is_told_once_and_stands_until_it_is_taken_away(fake: FakeDiscord) -> None:
    mia, message = Person(fake.world, USERS["mia"]), shown(fake, button("Use"))
    mia.react(message, "✅")
    mia.react(message, "✅")
    mia.react(message, "shipit:77")
    assert [r.users for r in message.reactions] == [[mia.id], [mia.id]]
    mia.unreact(message, "✅")
    with pytest.raises(ClientRefused):
        mia.unreact(message, "✅")
    events = [(event, data["emoji"]["name"]) for event, data in fake.gateway.told]
    assert events == [
        ("MESSAGE_REACTION_ADD", "✅"),
        ("MESSAGE_REACTION_ADD", "shipit"),
        ("MESSAGE_REACTION_REMOVE", "✅"),
    ]
    assert fake.gateway.told[0][1]["member"]["user"]["id"] == mia.id
