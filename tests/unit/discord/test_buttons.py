"""What a button of a card carries, and what is read of it again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.discord_chat.rendering.buttons import (
    OURS,
    card_button,
    custom_id,
    fits,
    option_value,
)
from bot.chat.discord_chat.surfaces import ASKS, MAX_CUSTOM_ID
from bot.core.actions import parse_action
from bot.core.messages import Button, Style
from bot.core.readable import length
from tests.fakes.discord_reading import action_of

ASSET = "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7"


@pytest.mark.parametrize(
    ("asks", "carried", "chosen"),
    [
        ("", f"do:vary:{ASSET}:strong", f"vary:{ASSET}:strong"),
        ("words", f"ask:words:vary:{ASSET}:strong", f"ask:words:vary:{ASSET}:strong"),
    ],
)
def test_a_button_carries_its_action_and_what_it_asks(asks: str, carried: str, chosen: str) -> None:
    button = Button(label="Vary", action=f"vary:{ASSET}:strong", asks=asks)
    assert custom_id(button) == carried
    assert option_value(button) == chosen
    assert action_of(carried) == action_of(chosen) == (asks, f"vary:{ASSET}:strong")


@given(
    verb=st.sampled_from(["use", "send", "pause_job", "reroll_slot"]),
    extra=st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=70),
    asks=st.sampled_from(["", *ASKS]),
)
def test_any_button_that_fits_is_read_as_it_was_written(verb: str, extra: str, asks: str) -> None:
    action = f"{verb}:{ASSET}:{extra}" if extra else f"{verb}:{ASSET}"
    button = Button(label="x", action=action, asks=asks)
    assert fits(button) == (length(custom_id(button)) <= MAX_CUSTOM_ID)
    if fits(button):
        assert action_of(custom_id(button)) == action_of(option_value(button)) == (asks, action)


@pytest.mark.parametrize(
    "carried",
    [
        "",
        "do:",
        "do:use",
        "do:use:short",
        f"ask:money:use:{ASSET}",
        f"ask::use:{ASSET}",
        f"form:words:edit:{ASSET}",
        f"shown:{ASSET}",
        f"do:use:{ASSET}:a\nb",
        f"do:use:{ASSET}:",
        f"do:send:{ASSET}:{'x' * 100}",
        f"xdo:use:{ASSET}",
        f"do:use:{ASSET}\n",
        f"DO:use:{ASSET}",
    ],
)
def test_what_is_no_button_of_ours_is_not_taken_for_one(carried: str) -> None:
    assert len(carried) > MAX_CUSTOM_ID or OURS.fullmatch(carried) is None


def test_a_button_carries_its_action_and_one_that_is_none_of_ours_is_not_made() -> None:
    button = card_button(Button(label="Use", action=f"use:{ASSET}", style=Style.PRIMARY))
    assert button.to_component_dict() == {
        "type": 2,
        "style": 3,
        "label": "Use",
        "disabled": False,
        "custom_id": f"do:use:{ASSET}",
    }
    with pytest.raises(ValueError, match="can't be carried"):
        card_button(Button(label="Use", action="use:nothing"))


def test_a_chosen_action_is_a_command_of_the_core() -> None:
    asks, action = action_of(f"ask:reason:reject:{ASSET}")
    assert asks == "reason"
    assert parse_action(action, "too dark") == parse_action(f"reject:{ASSET}", "too dark")
