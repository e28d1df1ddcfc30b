"""Measured colours as squares, by the eye and always with their words."""

import pytest

from bot.chat.slack_chat.rendering.swatches import SQUARES, UNKNOWN, palette, square, swatch_words
from bot.core.messages import Swatch


@pytest.mark.parametrize(
    ("color", "shown"),
    [
        ("#ff0000", "🟥"),
        ("#ff8800", "🟧"),
        ("#ffdd44", "🟨"),
        ("#3a9a3a", "🟩"),
        ("#3377dd", "🟦"),
        ("#8844cc", "🟪"),
        ("#8b5a2b", "🟫"),
        ("#000000", "⬛"),
        ("#fff8e7", "⬜"),
        ("#FFFFFF", "⬜"),
        ("#1b2a49", "🟦"),  # navy
        ("#0f7c7c", "🟦"),  # teal
        ("no colour", UNKNOWN),
        ("#12", UNKNOWN),
    ],
)
def test_a_colour_is_the_square_that_looks_like_it(color: str, shown: str) -> None:
    assert square(color) == shown


def test_each_square_is_nearest_to_itself() -> None:
    assert [square(color) for color in SQUARES.values()] == list(SQUARES)


def test_a_swatch_says_its_name_share_and_exact_colour() -> None:
    teal = Swatch(name="blue", hex="#3377dd", share=0.414)
    assert swatch_words(teal) == "🟦 blue 41 % `#3377dd`"


def test_what_the_kit_wants_and_a_trace_are_said() -> None:
    assert "41 of 30 %" in swatch_words(Swatch(name="sky", hex="#3377dd", share=0.41, wanted=0.3))
    assert "sky <1 %".replace("<", "&lt;") in swatch_words(
        Swatch(name="sky", hex="#3377dd", share=0.001)
    )


def test_a_palette_shows_the_largest_first_and_not_all_of_many() -> None:
    swatches = tuple(Swatch(name=f"c{n}", hex="#000000", share=n / 20) for n in range(10))
    line = palette(swatches)
    assert line.startswith("⬛ c9 45 %")
    assert line.count("⬛") == 6


def test_a_name_with_marks_stays_a_name() -> None:
    assert "<" not in swatch_words(Swatch(name="<!channel>", hex="<b>", share=1))
