"""What a render used of the device is told also where no picture comes of it."""

import pytest

from brand.spec import Progress, RenderCancelled
from generation.drawn_engine import DrawnEngine
from generation.engines import Engine
from generation.wire import error_from_json, error_to_json
from tests.unit.generation.render_queue.asking import NoInputs, request
from tests.unit.generation.rendering import rendered, tiny


def test_seconds_of_an_error_come_through_the_wire() -> None:
    error = RenderCancelled("Cancelled on request.")
    assert "seconds" not in error_to_json(error)
    error.seconds = 1.5
    told = error_from_json(error_to_json(error))
    assert (type(told), told.seconds) == (RenderCancelled, 1.5)
    for odd in (None, "1", -1, float("nan"), float("inf"), []):
        assert error_from_json({"code": "cancelled", "seconds": odd}).seconds == 0.0


def test_a_cancelled_drawing_says_what_it_took() -> None:
    engine, told = DrawnEngine(step_seconds=0.01), list[Progress]()
    with pytest.raises(RenderCancelled) as stopped:
        engine.render(request("a"), NoInputs(), told.append, lambda: len(told) >= 2)
    assert 0.02 <= stopped.value.seconds < 10


@pytest.mark.model
@pytest.mark.filterwarnings("ignore:__array")
def test_a_render_cancelled_in_the_middle_says_what_it_used(engine: Engine) -> None:
    early, late = (_stopped_after(engine, steps) for steps in (1, 30))
    assert 0 < early < late
    assert early < rendered(engine, tiny(steps=50)).seconds


def _stopped_after(engine: Engine, steps: int) -> float:
    """The seconds of a render that was cancelled then."""
    told: list[Progress] = []
    with pytest.raises(RenderCancelled) as stopped:
        rendered(engine, tiny(steps=50), told=told, cancelled=lambda: len(told) >= steps)
    return stopped.value.seconds
