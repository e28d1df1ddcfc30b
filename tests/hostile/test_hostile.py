"""Bad inputs of every area break nothing and get nowhere; and the counting itself can fail."""

import socket

import pytest

from tests.hostile import addresses
from tests.hostile.areas import AREAS
from tests.hostile.score import Score, Taken


class Refusal(Exception):
    """A typed refusal."""


@pytest.mark.deep
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("area", AREAS)
async def test_bad_input_breaks_nothing_and_gets_nowhere(area: str) -> None:
    score = await AREAS[area]()
    assert score.told == []
    assert score.tried >= 60
    assert (score.crashed, score.accepted_wrongly) == (0, 0)


def test_what_is_refused_in_words_counts_as_tried_only() -> None:
    score = Score()
    with score.attempt("bad", (Refusal,), must_refuse=True):
        raise Refusal
    assert score.counts == {"tried": 1, "crashed": 0, "accepted_wrongly": 0}


def test_what_breaks_or_gets_through_or_takes_too_long_is_counted() -> None:
    score = Score()
    with score.attempt("breaks", (Refusal,)):
        raise KeyError
    with score.attempt("gets through", (Refusal,), must_refuse=True):
        pass
    with score.attempt("does harm", (Refusal,)):
        raise Taken("it did")
    with score.attempt("takes long"):
        sum(number * number for number in range(30_000_000))
    assert score.counts == {"tried": 4, "crashed": 2, "accepted_wrongly": 2}
    assert len(score.told) == 4


def test_a_call_to_another_machine_would_be_seen() -> None:
    watch = addresses.Watch()
    with socket.socket() as one, pytest.raises(OSError, match="refused"):
        one.connect(("127.0.0.1", 9))
    assert watch.calls
