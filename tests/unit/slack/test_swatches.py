"""Colours in Slack: squares, always with their words."""

from bot.chat.slack_chat.rendering.facts import PEN
from bot.core.messages import Swatch
from bot.core.phrases import palette, swatch_words


def test_a_swatch_says_its_name_share_and_exact_colour() -> None:
    teal = Swatch(name="blue", hex="#3377dd", share=0.414)
    assert swatch_words(PEN, teal) == "🟦 blue 41 % `#3377dd`"


def test_what_the_kit_wants_and_a_trace_are_said() -> None:
    assert "41 of 30 %" in swatch_words(
        PEN, Swatch(name="sky", hex="#3377dd", share=0.41, wanted=0.3)
    )
    assert "sky <1 %".replace("<", "&lt;") in swatch_words(
        PEN, Swatch(name="sky", hex="#3377dd", share=0.001)
    )


def test_a_palette_shows_the_largest_first_and_not_all_of_many() -> None:
    swatches = tuple(Swatch(name=f"c{n}", hex="#000000", share=n / 20) for n in range(10))
    line = palette(PEN, swatches)
    assert line.startswith("⬛ c9 45 %")
    assert line.count("⬛") == 6


def test_a_name_with_marks_stays_a_name() -> None:
    assert "<" not in swatch_words(PEN, Swatch(name="<!channel>", hex="<b>", share=1))
