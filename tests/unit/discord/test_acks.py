"""The first answer to an interaction: tried again while that can help, and never twice."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from bot.chat.discord_chat.incoming.acks import MAX_CHOICES, Acks
from bot.chat.discord_chat.options import DiscordOptions
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.state import Interaction, Json, Message

CALLBACK = "POST /interactions/*/*/callback"


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A Discord that is left without a complaint."""
    async with FakeDiscord() as made:
        yield made
        assert made.violations == []


@pytest.fixture
async def acks(discord: FakeDiscord) -> AsyncIterator[Acks]:
    """What answers."""
    async with Acks(options(discord)) as made:
        yield made


def options(discord: FakeDiscord) -> DiscordOptions:
    """Told that Discord."""
    return DiscordOptions(
        token=discord.token, base_url="http://house.test", api_base_url=discord.api_url
    )


def interaction(discord: FakeDiscord, kind: int = 2, *, ago_s: float = 0.0) -> Json:
    """Somebody waits for the answer to it, for so many seconds now."""
    world = discord.world
    user = world.add_user("mia")
    room = world.direct(user.id)
    card = Message(id=world.new_id(), channel=room.id, author=world.app.id, at=world.now())
    room.messages[card.id] = card
    made = Interaction(
        id=world.new_id(),
        token=world.new_token(),
        type=kind,
        user=user.id,
        channel=room.id,
        guild="",
        made_at=world.now() - ago_s,
        message=card.id,
    )
    world.interactions[made.token] = made
    return {"id": made.id, "token": made.token, "type": kind}


def answer_of(discord: FakeDiscord, asked: Json) -> Json:
    """What Discord has as the answer."""
    return discord.world.interactions[asked["token"]].response or {}


async def test_an_answer_that_follows_is_for_one_person_alone(
    discord: FakeDiscord, acks: Acks
) -> None:
    asked = interaction(discord)
    assert await acks.later(asked)
    assert answer_of(discord, asked) == {"type": 5, "data": {"flags": 64}}


async def test_a_line_is_for_one_person_alone_and_rings_for_nobody(
    discord: FakeDiscord, acks: Acks
) -> None:
    asked = interaction(discord)
    assert await acks.says(asked, "@everyone look")
    data = answer_of(discord, asked)["data"]
    assert (data["content"], data["flags"]) == ("@everyone look", 64)
    assert data["allowed_mentions"] == {"parse": []}


async def test_choices_keep_within_what_discord_takes(discord: FakeDiscord, acks: Acks) -> None:
    asked = interaction(discord, 4)
    many = [("n" * 200, f"v{number}") for number in range(40)]
    assert await acks.choices(asked, [("", "x"), ("long", "v" * 101), *many])
    choices = answer_of(discord, asked)["data"]["choices"]
    assert len(choices) == MAX_CHOICES
    assert choices[0] == {"name": "n" * 100, "value": "v0"}


async def test_nothing_comes_of_some_clicks(discord: FakeDiscord, acks: Acks) -> None:
    asked = interaction(discord, 3)
    assert await acks.nothing(asked)
    assert answer_of(discord, asked)["type"] == 6


@pytest.mark.parametrize("kind", ["429", "status", "html502", "cut", "cloudflare"])
async def test_what_may_pass_is_tried_again(discord: FakeDiscord, acks: Acks, kind: str) -> None:
    discord.troubles.add(CALLBACK, kind, times=2, status=500, retry_after=0.05)
    asked = interaction(discord)
    assert await acks.later(asked)
    assert answer_of(discord, asked)["type"] == 5


async def test_a_new_interaction_may_be_unknown_for_a_moment(
    discord: FakeDiscord, acks: Acks
) -> None:
    discord.troubles.add(CALLBACK, "refuse", times=2, status=404, code=10062)
    assert await acks.later(interaction(discord))


async def test_an_answer_that_was_lost_after_it_was_taken_was_taken(
    discord: FakeDiscord, acks: Acks
) -> None:
    discord.troubles.add(CALLBACK, "lost")
    asked = interaction(discord)
    assert await acks.later(asked)
    assert len(discord.calls(CALLBACK)) == 2
    assert answer_of(discord, asked)["type"] == 5


async def test_one_that_came_too_late_is_not_taken_and_not_tried_for_long(
    discord: FakeDiscord, acks: Acks, caplog: pytest.LogCaptureFixture
) -> None:
    asked = interaction(discord, ago_s=4)
    with caplog.at_level(logging.DEBUG):
        assert not await acks.later(asked)
    assert len(discord.calls(CALLBACK)) == 4
    assert "10062" in caplog.text
    assert asked["token"] not in caplog.text


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_no_is_not_asked_again(discord: FakeDiscord, acks: Acks, status: int) -> None:
    discord.troubles.add(CALLBACK, "refuse", times=None, status=status, code=50001)
    assert not await acks.later(interaction(discord))
    assert len(discord.calls(CALLBACK)) == 1


async def test_discord_is_not_waited_for_longer_than_it_waits_for_us(
    discord: FakeDiscord,
) -> None:
    discord.troubles.add(CALLBACK, "slow", times=None, seconds=2.0)
    began = asyncio.get_running_loop().time()
    async with Acks(options(discord), limit_s=0.1) as acks:
        assert not await acks.later(interaction(discord))
    assert asyncio.get_running_loop().time() - began < 1.5
