"""A gate, and a loop whose every call waits at it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.generation.step_loop.deck import Deck, Gate


@pytest.fixture
def gate() -> "Gate":
    """A gate that is shut."""
    from tests.unit.generation.step_loop.deck import Gate

    return Gate()


@pytest.fixture
def deck(gate: "Gate") -> Iterator["Deck"]:
    """A loop whose every call waits at the gate."""
    from tests.fakes.flying import ToyDenoiser, toy_loop
    from tests.unit.generation.step_loop.deck import Deck

    denoiser = ToyDenoiser(before=gate)
    deck = Deck(denoiser, toy_loop(denoiser))
    yield deck
    gate.open()
    deck.close()
