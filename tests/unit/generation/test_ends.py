"""Turns at the models' ends: counted, bounded, and clear about memory."""

import pytest

from brand.spec import RenderCancelled, RenderFailed

pytestmark = pytest.mark.model


@pytest.mark.parametrize(
    "failure",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    ],
)
def test_ended_memory_is_told_with_what_to_do(failure: Exception) -> None:
    import torch

    from generation.engine.ends import Ends, Meter

    ends, meter = Ends(torch.device("cpu")), Meter()
    told = pytest.raises(RenderFailed, match="choose a smaller one")
    with told, ends.picture(meter, lambda: False):
        raise failure
    assert meter.seconds > 0
    with pytest.raises(RuntimeError, match="shapes"), ends.picture(meter, lambda: False):
        raise RuntimeError("shapes do not match")
    with pytest.raises(RenderCancelled), ends.picture(meter, lambda: True):
        pass
