"""A render that many share is charged to one of them, also where it fails."""

from brand.spec import Picture, RenderError, RenderFailed, RenderRequest
from generation.engines import Cancelled, Inputs, OnProgress, Wished
from tests.fakes.generation_service import SteppedEngine
from tests.unit.generation.render_queue.asking import STEPS, Starter, ended, request, running


class Failing(SteppedEngine):
    """Fails at its end, and says what it used."""

    def render(
        self,
        request: RenderRequest,
        inputs: Inputs,
        on_progress: OnProgress,
        cancelled: Cancelled,
        wished: Wished | None = None,
    ) -> Picture:
        super().render(request, inputs, on_progress, cancelled, wished)
        error = RenderFailed("the model gave no numbers")
        error.seconds = 2.0
        raise error


async def test_the_device_time_of_a_shared_failure_is_charged_once(start: Starter) -> None:
    engine = Failing()
    queue = await start(on=engine)
    first, _ = queue.submit(request("first", seed=1))
    await running(first)
    others = [queue.submit(request(name, seed=1))[0] for name in ("a", "b")]
    engine.go_on(STEPS)
    errors = [await ended(render) for render in (first, *others)]
    assert [type(error) for error in errors] == [RenderFailed] * 3
    assert [str(error) for error in errors] == ["the model gave no numbers"] * 3
    seconds = [error.seconds for error in errors if isinstance(error, RenderError)]
    assert seconds == [2.0, 0.0, 0.0]
