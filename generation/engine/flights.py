"""What the parts of the engine hand each other: signatures, rows, steppers and flights.

A *flight* is one pass of a request through the step loop. At every step it asks the model about
one or two *rows* (with guidance: the negative prompt's, then the prompt's). Rows of one
*signature* share a batch, whatever flights they belong to; everything else may differ from row to
row. No tensor here has a batch dimension unless it says so; all lie on the model's device.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

from generation.engines import Wished


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What rows must have in common to share a batch: rows of one signature form a lane."""

    model: str
    """The model's name."""
    channels: int
    """Of the model's input, extra channels of an inpainting model included."""
    height: int
    width: int
    """Of the latents."""
    windows: int = 1
    """Windows of the prompt, each as long as the text encoder reads."""
    controls: tuple[str, ...] = ()
    """The ControlNets, in the order of their use."""
    image_prompt: str = ""
    """The image-prompt weights, or empty."""
    tile: bool = False
    """Whether the convolutions wrap around."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """What one row is told beside its latents; the same at every step."""

    text: torch.Tensor
    """(tokens, channels): the prompt's embedding."""
    pooled: torch.Tensor | None = None
    """(channels,): the prompt's pooled embedding, where the layout has one."""
    sizes: torch.Tensor | None = None
    """(6,): SDXL's original size, crop and target size."""
    image: torch.Tensor | None = None
    """The image prompt's embedding as the image-prompt weights give it, or None."""
    image_weight: float = 0.0
    guidance: float = 0.0
    """What a model with guidance distilled into it (Flux) is told of it; 0 for all others."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lead:
    """One ControlNet's input for one row at one step."""

    image: torch.Tensor
    """(3, height, width) of pixels in 0..1."""
    scale: float
    """0 where the control has not begun or has ended: it is still computed, as diffusers does."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """One question to the model."""

    latents: torch.Tensor
    """(channels, height, width), scaled as the model wants it."""
    timestep: float
    terms: Terms
    leads: tuple[Lead, ...] = ()
    """One for each of the signature's controls."""
    loras: tuple[tuple[str, float], ...] = ()
    """(sha256, weight) of LoRAs that the model's bank holds."""


class Denoiser(Protocol):
    """The model of one layout, answering a batch of rows. Used by one thread at a time."""

    def predict(self, signature: Signature, rows: Sequence[Row], bucket: int) -> torch.Tensor:
        """(len(rows), channels, height, width) in float32: the model's output for each row.

        The batch is padded to `bucket` rows (with copies of the first), so that a row's bits
        depend on the bucket only. Raises torch.OutOfMemoryError.
        """
        ...

    def sample_rows(self, signature: Signature, count: int, seed: int) -> list[Row]:
        """Random rows of that signature, for a profile; the same seed gives the same rows."""
        ...


class Stepper(Protocol):
    """A sampler in the middle of its way for one flight."""

    total: int
    """Model evaluations from its start to its end (more than steps for some samplers)."""
    done: int
    """Evaluations so far."""
    latents: torch.Tensor
    """(channels, height, width) in float32; a blend may replace it between two steps."""

    def question(self) -> tuple[torch.Tensor, float]:
        """The latents as the model wants them now, and the timestep."""
        ...

    def answer(self, prediction: torch.Tensor) -> None:
        """Move on by one evaluation; `prediction` is the model's output after guidance."""
        ...

    def guess(self) -> torch.Tensor:
        """What it would finish with were the last answer exact; only after an answer."""
        ...

    def restart(self) -> None:
        """Go back to the start: the same start and the same noise once more."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Control:
    """One ControlNet's input for a whole flight."""

    net: str
    image: torch.Tensor
    """(3, height, width) of pixels in 0..1."""
    weight: float
    start: float
    end: float
    """Shares of the evaluations, as in diffusers' control_guidance_start and _end."""


@dataclass(kw_only=True, eq=False)
class Flight:
    """One pass of one request through the step loop."""

    key: str
    """For logs and for people; unique among what is in the air."""
    signature: Signature
    stepper: Stepper
    terms: tuple[Terms, ...]
    """(negative, positive), or (positive,) where there is no guidance."""
    guidance: float
    loras: tuple[tuple[str, float], ...] = ()
    controls: tuple[Control, ...] = ()
    extra: torch.Tensor | None = None
    """(channels, height, width): what an inpainting model sees behind the latents."""
    blend: Callable[[int, torch.Tensor], torch.Tensor] | None = None
    """After evaluation number i (from 0): the latents to go on with, for inpainting."""
    priority: int = 0
    """Higher goes first."""
    team: str = ""
    """Whose work it is, for fair turns."""
    preview_every: int = 0
    """Hand out a guess every so many evaluations; 0: never."""
    wished: Wished | None = None
    """Asked before every step for the two above, where they may change on the way."""
    arrived: float = field(default_factory=time.monotonic)
    buckets: tuple[int, ...] = ()
    """Set by the loop when the flight ends: the row buckets of equal bits it was rendered in."""
    seconds: float = 0.0
    """Counted by the loop: device seconds, its rows' share of each call they rode in."""

    @property
    def remaining(self) -> int:
        """Evaluations still to come."""
        return self.stepper.total - self.stepper.done


@dataclass(frozen=True, kw_only=True, eq=False)
class FlightProgress:
    """How far a flight is, told from the loop's thread: take it and return at once."""

    done: int
    total: int
    ahead: int = 0
    """Flights that go before it while it has not begun; 0 once it has."""
    eta_s: float | None = None
    """Seconds until its last evaluation, if nothing of higher priority comes."""
    guess: torch.Tensor | None = None
    """(channels, height, width), when a preview is due; a copy of its own."""
