"""The two ends of a model, beside the step loop: words and pictures in, pixels out.

Few at a time, so that they take no processor from the loop; each request's share of the device is
measured once its turn has come.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

import torch

from brand.spec import RenderCancelled, RenderFailed

TEXTS = 1
PICTURES = 1
"""How many requests encode words, or encode and decode pictures, at once."""


class Meter:
    """Device seconds of one request."""

    def __init__(self) -> None:
        self.seconds = 0.0


class Ends:
    """Turns at the models' ends, for all requests of one device."""

    def __init__(self, device: torch.device) -> None:
        self._on_device = device.type == "cuda"
        self._texts = BoundedSemaphore(TEXTS)
        self._pictures = BoundedSemaphore(PICTURES)
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
    def _turn(
        self, semaphore: BoundedSemaphore, meter: Meter, cancelled: Callable[[], bool]
    ) -> Iterator[None]:
        with semaphore:
            if cancelled():
                raise RenderCancelled("Cancelled on request.")
            begin = self._now()
            try:
                yield
            except (MemoryError, torch.OutOfMemoryError) as exc:
                if self._on_device:
                    torch.cuda.empty_cache()
                raise RenderFailed(
                    "A picture of this size needs more memory than there is; choose a smaller one, "
                    "or dtype bfloat16."
                ) from exc
            finally:
                meter.seconds += self._since(begin)

    def _now(self) -> float | torch.cuda.Event:
        if not self._on_device:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _since(self, begin: float | torch.cuda.Event) -> float:
        if isinstance(begin, float):
            return time.perf_counter() - begin
        end = torch.cuda.Event(enable_timing=True)
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) / 1e3
