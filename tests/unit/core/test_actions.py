"""A button, a reaction and a typed verb are the same command."""

import pytest

from bot.core.actions import MAX_ACTION, action, command_for_reaction, parse_action
from bot.core.commands import Approve, Reject, SendToApproval, Upscale, Vary
from bot.core.errors import Mistake
from bot.core.ids import ALPHABET, encode_id, is_id, new_id

KEY = "0123456789ABCDEFGHIJab"


def test_a_check_mark_and_the_approve_button_are_one_command() -> None:
    assert parse_action(action("approve", KEY)) == Approve(review=KEY)
    for emoji in ("✅", ":white_check_mark:", "white_check_mark", "+1"):
        assert command_for_reaction(f"review:{KEY}", emoji) == Approve(review=KEY)


def test_a_cross_rejects() -> None:
    assert command_for_reaction(f"review:{KEY}", "❌") == Reject(review=KEY)


@pytest.mark.parametrize(
    ("subject", "emoji"),
    [(f"job:{KEY}", "✅"), (f"review:{KEY}", "🎉"), ("", "✅"), ("review:../etc", "✅")],
)
def test_other_reactions_mean_nothing(subject: str, emoji: str) -> None:
    assert command_for_reaction(subject, emoji) is None


def test_what_was_asked_for_comes_with_the_action() -> None:
    assert parse_action(f"reject:{KEY}", "too dark") == Reject(review=KEY, reason="too dark")
    assert parse_action(f"vary:{KEY}:strong") == Vary(asset=KEY, strong=True)
    assert parse_action(f"upscale:{KEY}") == Upscale(asset=KEY, factor=2)
    assert parse_action(f"send:{KEY}:#social", "Hello") == SendToApproval(
        asset=KEY, channel="#social", caption="Hello"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "approve",
        "approve:",
        "approve:short",
        f"destroy:{KEY}",
        f"upscale:{KEY}:9",
        "a:b:c",
        f"send:{KEY}:" + "x" * MAX_ACTION,
    ],
)
def test_an_action_that_is_not_ours_is_a_mistake(text: str) -> None:
    with pytest.raises(Mistake):
        parse_action(text)


def test_ids_have_22_characters_and_fit_every_platform() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(is_id(key) for key in ids)
    assert encode_id(2**128 - 1) == max(encode_id(2**128 - 1), encode_id(0))
    assert len(encode_id(0)) == 22
    assert set(encode_id(2**128 - 1)) <= set(ALPHABET)
