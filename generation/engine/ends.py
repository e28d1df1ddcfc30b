"""The two ends of a model, beside the step loop: words and pictures in, pixels out.

Few at a time, so that they take no processor from the loop; each request's share of the device is
measured once its turn has come.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import BoundedSemaphore
from typing import Self, TypeVar

import torch

from brand.spec import RenderCancelled, RenderError, RenderFailed
from generation.engine.gate import Gate
from generation.engine.loop.pace import free_memory
from generation.engine.loop.rides import Cancelled, is_memory

TEXTS = 1
PICTURES = 1
"""How many requests encode words, or encode and decode pictures, at once."""
_SAID = 200
"""Characters of what the device says of its memory."""
Made = TypeVar("Made")
_log = logging.getLogger(__name__)


class Meter:
    """Device seconds of one request; an error that leaves its context takes them along."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> Self:
        """Measure within the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        """What was used counts, also where no picture comes of it."""
        if isinstance(error, RenderError):
            error.seconds = self.seconds


class Ends:
    """Turns at the models' ends, for all requests of one device.

    Where memory ends, what was kept for later is given back, and the same is tried once more while
    the step loop makes no call. The evaluations behind it are not made again, and the bits are the
    same ones: nothing is cut into smaller parts.
    """

    def __init__(self, device: torch.device) -> None:
        self.gate = Gate()
        """The step loop passes here between its calls."""
        self._texts = _Desk(device, TEXTS)
        self._pictures = _Desk(device, PICTURES)
        self._each_s: dict[str, float] = {}

    def text(self, meter: Meter, cancelled: Cancelled, work: Callable[[], Made]) -> Made:
        """A turn for words; `work` may be called twice. Raises as `picture`."""
        return self._turn(self._texts, meter, cancelled, work)

    def picture(self, meter: Meter, cancelled: Cancelled, work: Callable[[], Made]) -> Made:
        """A turn for pictures; `work` may be called twice.

        Raises RenderCancelled where it has become pointless, RenderFailed where memory is too
        small, and what `work` raises.
        """
        return self._turn(self._pictures, meter, cancelled, work)

    def decoded(
        self,
        meter: Meter,
        cancelled: Cancelled,
        work: Callable[[], Made],
        *,
        model: str,
        area: int,
    ) -> Made:
        """A turn for decoding so many latents; what it takes is remembered for `decoding_s`."""

        def timed() -> Made:
            before = time.perf_counter()
            found = work()
            self._each_s[model] = (time.perf_counter() - before) / area
            return found

        return self.picture(meter, cancelled, timed)

    def decoding_s(self, model: str, area: int) -> float:
        """About how long decoding will take; 0 before this model has decoded anything."""
        return self._each_s.get(model, 0.0) * area

    def _turn(
        self, desk: "_Desk", meter: Meter, cancelled: Cancelled, work: Callable[[], Made]
    ) -> Made:
        with desk.turns:
            found, failure = desk.tried(meter, cancelled, work)
            if not failure:
                return found[0]
            _log.warning(
                "memory ended beside the step loop, and the same is tried once more while the loop "
                "waits: %s",
                failure,
                extra={"action": "end_tried_again"},
            )
            with self.gate.closed():
                free_memory()
                found, failure = desk.tried(meter, cancelled, work)
            if not failure:
                return found[0]
            free_memory()
        raise RenderFailed(
            "A picture of this size needs more memory than there is; choose a smaller one, or "
            f"dtype bfloat16. ({failure})"
        )


class _Desk:
    """Where a few at a time are served, on a stream of its own where the device has streams.

    Not the loop's: what that queues meanwhile would be waited for, and measured as well.
    """

    def __init__(self, device: torch.device, at_once: int) -> None:
        self.turns = BoundedSemaphore(at_once)
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def tried(
        self, meter: Meter, cancelled: Cancelled, work: Callable[[], Made]
    ) -> tuple[tuple[Made, ...], str]:
        """What the work made; or, where memory ended, nothing and what was said of that.

        The error itself is let go here: kept, it would keep alive the tensors that filled memory.
        """
        if cancelled():
            raise RenderCancelled("Cancelled on request.")
        begin = self.now()
        try:
            with self.beside_the_loop():
                return (work(),), ""
        except (MemoryError, RuntimeError) as exc:
            if not is_memory(exc):
                raise
            return (), str(exc).partition("\n")[0][:_SAID] or "out of memory"
        finally:
            meter.seconds += self.since(begin)

    def beside_the_loop(self) -> AbstractContextManager[object]:
        """Compute on the desk's stream within this context."""
        return torch.cuda.stream(self._stream) if self._stream else nullcontext()

    def now(self) -> float | torch.cuda.Event:
        """When what follows begins to be computed."""
        if self._stream is None:
            return time.perf_counter()
        # What it works with was made on the stream that is current here.
        self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))
        event = torch.cuda.Event(enable_timing=True)
        event.record(self._stream)
        return event

    def since(self, begin: float | torch.cuda.Event) -> float:
        """Seconds of the device since then, once all has been computed."""
        if isinstance(begin, float):
            return time.perf_counter() - begin
        end = torch.cuda.Event(enable_timing=True)
        end.record(self._stream)
        end.synchronize()  # so what was made may be used on any stream
        return float(begin.elapsed_time(end)) / 1e3
