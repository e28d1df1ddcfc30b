"""The two ends of a model, beside the step loop: words and pictures in, pixels out.

Few at a time, so that they take no processor from the loop; each request's share of the device is
measured once its turn has come.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import BoundedSemaphore
from typing import Self

import torch

from brand.spec import RenderCancelled, RenderError, RenderFailed
from generation.engine.loop.rides import is_memory

TEXTS = 1
PICTURES = 1
"""How many requests encode words, or encode and decode pictures, at once."""


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
    """Turns at the models' ends, for all requests of one device."""

    def __init__(self, device: torch.device) -> None:
        self._on_device = device.type == "cuda"
        self._texts = _Desk(device, TEXTS)
        self._pictures = _Desk(device, PICTURES)
        self._each_s: dict[str, float] = {}

    @contextmanager
    def text(self, meter: Meter, cancelled: Callable[[], bool]) -> Iterator[None]:
        """A turn for words. Raises RenderCancelled where it has become pointless."""
        with self._turn(self._texts, meter, cancelled):
            yield

    @contextmanager
    def picture(self, meter: Meter, cancelled: Callable[[], bool]) -> Iterator[None]:
        """A turn for pictures. Raises RenderCancelled, RenderFailed where memory is too small."""
        with self._turn(self._pictures, meter, cancelled):
            yield

    @contextmanager
    def decoding(
        self, meter: Meter, cancelled: Callable[[], bool], model: str, area: int
    ) -> Iterator[None]:
        """A turn for decoding so many latents; what it takes is remembered for `decoding_s`."""
        with self.picture(meter, cancelled):
            before = time.perf_counter()
            yield
            self._each_s[model] = (time.perf_counter() - before) / area

    def decoding_s(self, model: str, area: int) -> float:
        """About how long decoding will take; 0 before this model has decoded anything."""
        return self._each_s.get(model, 0.0) * area

    @contextmanager
    def _turn(self, desk: "_Desk", meter: Meter, cancelled: Callable[[], bool]) -> Iterator[None]:
        with desk.turns:
            if cancelled():
                raise RenderCancelled("Cancelled on request.")
            begin = desk.now()
            try:
                with desk.beside_the_loop():
                    yield
            except (MemoryError, RuntimeError) as exc:
                if not is_memory(exc):
                    raise
                if self._on_device:
                    torch.cuda.empty_cache()
                raise RenderFailed(
                    "A picture of this size needs more memory than there is; choose a smaller one, "
                    "or dtype bfloat16."
                ) from exc
            finally:
                meter.seconds += desk.since(begin)


class _Desk:
    """Where a few at a time are served, on a stream of its own where the device has streams.

    Not the loop's: what that queues meanwhile would be waited for, and measured as well.
    """

    def __init__(self, device: torch.device, at_once: int) -> None:
        self.turns = BoundedSemaphore(at_once)
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

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
