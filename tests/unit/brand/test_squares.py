"""Measured colours as squares, by the eye."""

import pytest

from brand.squares import SQUARES, UNKNOWN, square


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
