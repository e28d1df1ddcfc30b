"""One flight aboard the step loop: its rows, its answers, and how it ends."""

import logging
import secrets
import threading
from collections.abc import Callable

import torch

from brand.spec import RenderError, RenderFailed
from generation.engine.flights import Control, Flight, FlightProgress, Lead, Row
from generation.engines import Wish

Told = Callable[[FlightProgress], None]
Cancelled = Callable[[], bool]
_MEMORY_ENDED = ("out of memory", "not enough memory", "t allocate memory", "alloc_failed")
_log = logging.getLogger(__name__)


class Ride:
    """Belongs to the loop's thread, but for `ended`, `failure` and `landing` once it has ended."""

    def __init__(self, flight: Flight, told: Told, cancelled: Cancelled, number: int) -> None:
        self.flight = flight
        self.cancelled = cancelled
        self._told = told
        self.number = number
        """Place in the order of arrival."""
        self.rows = len(flight.terms)
        self.priority = flight.priority
        self.team = flight.team
        self.paused = False
        """Whether it keeps its latents and takes no seat."""
        self.begun = False
        self.used: set[int] = set()
        """Buckets it has ridden in since its start."""
        self.ended = threading.Event()
        self.failure: RenderError | None = None
        self.landing: torch.cuda.Event | None = None
        """Passes when the last evaluation has been computed; None where it has been already."""
        self.ahead = 0
        """Flights that go before it while it has not begun, as last forecast."""
        self.lands_at: float | None = None
        """By the loop's clock, as last forecast."""
        self._place_told = -1

    @property
    def remaining(self) -> int:
        """Evaluations still to come."""
        return self.flight.remaining

    def wish(self) -> Wish:
        """What those who wait want by now; its previews become what is wished at once."""
        flight = self.flight
        if flight.wished is None:
            return Wish(priority=self.priority, preview_every=flight.preview_every)
        wish = flight.wished()
        flight.preview_every = wish.preview_every
        return wish

    def questions(self) -> list[Row]:
        """Its rows for the next call: with guidance the negative prompt's, then the prompt's."""
        flight = self.flight
        latents, timestep = flight.stepper.question()
        if flight.extra is not None:
            latents = torch.cat([latents, flight.extra])
        leads = tuple(
            Lead(image=control.image, scale=_scale(control, flight)) for control in flight.controls
        )
        return [
            Row(latents=latents, timestep=timestep, terms=terms, leads=leads, loras=flight.loras)
            for terms in flight.terms
        ]

    def answered(self, predictions: torch.Tensor) -> None:
        """Take one evaluation's answers, (rows, channels, height, width), one sampler step on."""
        flight, stepper = self.flight, self.flight.stepper
        if len(flight.terms) == 1:
            prediction = predictions[0]
        else:
            negative, positive = predictions.unbind()
            prediction = negative + flight.guidance * (positive - negative)
        index = stepper.done
        stepper.answer(prediction)
        if flight.blend is not None:
            stepper.latents = flight.blend(index, stepper.latents)

    def tell(self, now: float) -> None:
        """Report how far it is, with a guess where a preview is due."""
        flight, stepper = self.flight, self.flight.stepper
        done, total = stepper.done, stepper.total
        every = flight.preview_every
        due = every > 0 and done < total and done % every == 0
        eta = None if self.lands_at is None else max(0.0, self.lands_at - now)
        self._told(
            FlightProgress(
                done=done,
                total=total,
                eta_s=0.0 if done == total else eta,
                guess=stepper.guess().detach().clone() if due else None,
            )
        )

    def tell_place(self, now: float) -> None:
        """Report how many go before it; nothing is said twice."""
        if self.begun or self.paused or self.ahead == self._place_told:
            return
        self._place_told = self.ahead
        total = self.flight.stepper.total
        eta = None if self.lands_at is None else max(0.0, self.lands_at - now)
        self._told(FlightProgress(done=0, total=total, ahead=self.ahead, eta_s=eta))

    def restart(self) -> None:
        """Go back to the start, to be rendered in other buckets."""
        self.flight.stepper.restart()
        self.used.clear()

    def end(self, failure: RenderError | None = None) -> None:
        """Wake the thread that waits for it."""
        self.failure = failure
        self.ended.set()


def _scale(control: Control, flight: Flight) -> float:
    """Diffusers' controlnet_keep times the weight, at the evaluation that comes next."""
    index, total = flight.stepper.done, flight.stepper.total
    keep = 1.0 - float(index / total < control.start or (index + 1) / total > control.end)
    return control.weight * keep


def overflowed() -> RenderFailed:
    """What a flight is told whose latents hold an infinite number or none."""
    return RenderFailed(
        "The model's numbers overflowed; render with dtype float32, or without the LoRA."
    )


def is_memory(exc: Exception) -> bool:
    """Whether memory has ended: torch says so in different ways on different devices."""
    if isinstance(exc, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(exc).lower()
    return isinstance(exc, RuntimeError) and any(phrase in text for phrase in _MEMORY_ENDED)


def as_failure(exc: Exception, flight: Flight) -> RenderError:
    """What a flight is told of an exception; one that nobody foresaw goes to the log as well."""
    if isinstance(exc, RenderError):
        return exc
    if is_memory(exc):
        return out_of_memory(flight)
    reference = secrets.token_hex(4)
    _log.error(
        "flight %s failed, reference %s",
        flight.key,
        reference,
        exc_info=exc,
        extra={"action": "flight_failed"},
    )
    return RenderFailed(f"The model failed: {exc!r} (reference {reference}).")


def out_of_memory(flight: Flight) -> RenderFailed:
    """What a flight is told that the device has no room for."""
    shape = flight.signature
    return RenderFailed(
        f"{shape.width}×{shape.height} latents of model {shape.model!r} need more memory than "
        "there is; choose a smaller size, fewer controls or dtype bfloat16, or keep fewer models "
        "loaded."
    )
