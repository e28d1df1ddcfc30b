"""Turns at the models' ends: counted, bounded, and tried once more where memory ended."""

import gc
import logging
import weakref
from typing import TYPE_CHECKING

import pytest

from brand.spec import RenderCancelled, RenderFailed

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.model

ENDED = [
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
]


class Work:
    """Something made of pictures, for which memory is too small the first times."""

    def __init__(self, failures: int, failure: Exception) -> None:
        self.tries = 0
        self._failures, self._failure = failures, failure

    def __call__(self) -> str:
        self.tries += 1
        if self.tries <= self._failures:
            raise self._failure
        return "made"


def never() -> bool:
    return False


@pytest.mark.parametrize("failure", ENDED)
def test_where_memory_ended_the_same_is_tried_once_more(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    import torch

    from generation.engine.ends import Ends, Meter

    ends, meter, work = Ends(torch.device("cpu")), Meter(), Work(1, failure)
    with caplog.at_level(logging.WARNING):
        assert ends.picture(meter, never, work) == "made"
    assert work.tries == 2
    assert meter.seconds > 0
    assert "tried once more" in caplog.text


@pytest.mark.parametrize("failure", ENDED)
def test_memory_that_is_too_small_twice_is_told_with_what_to_do(failure: Exception) -> None:
    import torch

    from generation.engine.ends import Ends, Meter

    ends, meter, work = Ends(torch.device("cpu")), Meter(), Work(9, failure)
    with pytest.raises(RenderFailed, match="choose a smaller one"):
        ends.text(meter, never, work)
    assert work.tries == 2
    assert meter.seconds > 0
    assert ends.text(meter, never, Work(0, failure)) == "made"  # the turn was given back


def test_any_other_error_is_raised_at_once() -> None:
    import torch

    from generation.engine.ends import Ends, Meter

    work = Work(9, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        Ends(torch.device("cpu")).picture(Meter(), never, work)
    assert work.tries == 1


def test_what_has_become_pointless_is_not_tried_or_not_once_more() -> None:
    import torch

    from generation.engine.ends import Ends, Meter

    ends, work = Ends(torch.device("cpu")), Work(1, MemoryError())
    with pytest.raises(RenderCancelled):
        ends.picture(Meter(), lambda: True, work)
    assert work.tries == 0
    with pytest.raises(RenderCancelled):
        ends.picture(Meter(), lambda: work.tries > 0, work)
    assert work.tries == 1


def test_what_filled_memory_is_let_go_before_it_is_tried_once_more() -> None:
    import torch

    from generation.engine.ends import Ends, Meter

    filled: list[Callable[[], object]] = []

    def work() -> int:
        left = sum(one() is not None for one in filled)
        large = torch.zeros(1000)
        filled.append(weakref.ref(large))
        if len(filled) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return left

    gc.disable()  # it shall not depend on when cycles are looked for
    try:
        assert Ends(torch.device("cpu")).picture(Meter(), never, work) == 0
    finally:
        gc.enable()


def test_only_what_was_decoded_tells_how_long_decoding_takes() -> None:
    import torch

    from generation.engine.ends import Ends, Meter

    ends = Ends(torch.device("cpu"))
    with pytest.raises(RenderFailed):
        ends.decoded(Meter(), never, Work(9, MemoryError()), model="m", area=4)
    assert ends.decoding_s("m", 8) == 0
    assert ends.decoded(Meter(), never, Work(1, MemoryError()), model="m", area=4) == "made"
    assert ends.decoding_s("m", 8) == 2 * ends.decoding_s("m", 4) > 0
