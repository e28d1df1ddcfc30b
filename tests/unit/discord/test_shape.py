"""Odd shapes are seen before anything of them is read; Discord's own pass."""

from typing import Any

import pytest

from bot.chat.discord_chat.incoming.shape import can_be_answered, is_clearing, is_reaction, is_sound
from tests.hostile.discord import COMMAND, INTERACTIONS, REACTION, doorstep, odd_payloads, run


@pytest.mark.parametrize("kind", INTERACTIONS)
def test_what_discord_sends_is_sound(kind: str) -> None:
    assert is_sound(INTERACTIONS[kind])


@pytest.mark.parametrize(
    "odd",
    [
        {"id": ""},
        {"id": 9001},
        {"id": "x"},
        {"id": "9" * 21},
        {"id": "1/../2"},
        {"token": None},
        {"token": ""},
        {"token": "a/../../b"},
        {"token": "a?b"},
    ],
)
def test_without_its_id_and_token_nobody_can_be_answered(odd: dict[str, Any]) -> None:
    assert not can_be_answered(COMMAND | odd)
    assert not is_sound(COMMAND | odd)


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "2"},
        {"type": True},
        {"type": None},
        {"data": None},
        {"data": []},
        {"at": float("nan")},
        {"member": {"nick": "\0"}},
        {"member": {"nick": "\ud800"}},
    ],
)
def test_an_odd_shape_is_answered_all_the_same(odd: dict[str, Any]) -> None:
    assert can_be_answered(COMMAND | odd)
    assert not is_sound(COMMAND | odd)


@pytest.mark.parametrize(
    "odd",
    [
        {"user_id": None},
        {"channel_id": "x"},
        {"message_id": 7},
        {"guild_id": "a/b"},
        {"emoji": None},
        {"emoji": "✅"},
        {"emoji": {"name": "\0"}},
    ],
)
def test_an_odd_reaction_is_none(odd: dict[str, Any]) -> None:
    assert is_reaction(REACTION)
    assert not is_reaction(REACTION | odd)


def test_of_which_message_emoji_were_taken_must_be_said() -> None:
    told = {"channel_id": "4001", "message_id": "6001", "guild_id": "3001"}
    assert is_clearing(told)
    assert is_clearing({"channel_id": "4001", "message_id": "6001"})
    for odd in ({"channel_id": None}, {"message_id": "x"}, {"guild_id": "a/b"}):
        assert not is_clearing(told | odd)


async def test_every_odd_shape_is_answered_once_and_breaks_nothing() -> None:
    score = await run()
    assert score.told == []
    assert score.tried > 3000


async def test_an_odd_reaction_is_no_delivery() -> None:
    async with doorstep() as step:
        for _, odd in odd_payloads({"user_id": "5001", "message_id": "1"}):
            await step.intake.reacted(odd, own="1", added=True)
        await step.intake.finish(5)
        assert step.heard == []
