"""Errors on the surface on which they are said."""

import logging

import pytest

from bot.core.erring import said_error
from bot.core.errors import NotAllowed


def test_a_refusal_says_its_way_out() -> None:
    card = said_error(NotAllowed("You can't.", fix="Ask @brand."))
    assert (card.kind, card.lines, card.fix, card.reference) == (
        "error",
        ("You can't.",),
        "Ask @brand.",
        "",
    )


def test_what_nobody_foresaw_has_a_reference_that_the_log_has_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        card = said_error(KeyError("a secret of ours"))
    [record] = caplog.records
    assert card.reference
    assert card.reference in card.fix
    assert getattr(record, "reference", "") == card.reference
    assert record.exc_info is not None
    assert "a secret" not in " ".join((*card.lines, card.fix))
