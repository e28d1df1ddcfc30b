"""What the denoisers of all layouts have in common, and what may act on them row by row."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch

from generation.engine.denoisers.batching import Samples, Stacked, TermsCache, filled
from generation.engine.denoisers.padding import pad_small_products
from generation.engine.denoisers.tiling import Tiling
from generation.engine.flights import Lead, Row, Signature, Terms

TRAIN_STEPS = 1000
"""Timesteps count from 0 to this in all layouts."""
_MOST_COMPILED = 256
"""Forms of one module: buckets times sizes."""


class RowAdapters(Protocol):
    """Changes to a model that differ from row to row: LoRAs, image prompts."""

    def applied(self, rows: Sequence[Row], bucket: int) -> AbstractContextManager[None]:
        """Act on the model within this context; `rows` are filled up to the bucket already."""
        ...


class ImagePromptWeights(RowAdapters, Protocol):
    """One set of image-prompt weights on one model."""

    def sample(self, noise: torch.Tensor) -> torch.Tensor:
        """A random embedding for profiles, from normally distributed numbers."""
        ...


class ImagePromptSets(Protocol):
    """All sets of image-prompt weights of one model."""

    def view(self, name: str) -> ImagePromptWeights:
        """Those of a signature. Raises ModelMissing."""
        ...


class ControlResiduals(Protocol):
    """The ControlNets of one model."""

    def residuals(
        self,
        signature: Signature,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        text: torch.Tensor,
        added: dict[str, torch.Tensor] | None,
        leads: Sequence[tuple[Lead, ...]],
        bucket: int,
    ) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """What is added to the model's down and middle blocks; all have `bucket` rows."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """One call of a model: everything in it has as many rows as the bucket."""

    signature: Signature
    latents: torch.Tensor
    timesteps: torch.Tensor
    terms: Stacked
    rows: Sequence[Row]


class RowDenoiser(ABC):
    """A Denoiser on a module of diffusers. Used by one thread at a time.

    What acts on it row by row may also be hung on after it was made.
    """

    tiles = False
    """Whether the layout's convolutions can wrap around."""

    def __init__(
        self,
        module: torch.nn.Module,
        *,
        pixels_per_latent: int = 8,
        loras: RowAdapters | None = None,
        image_prompts: ImagePromptSets | None = None,
        controls: ControlResiduals | None = None,
    ) -> None:
        pad_small_products(module)
        self.module: Any = module
        self.run: Any = module
        """What is called: the module itself, or its compiled form."""
        self.loras = loras
        self.image_prompts = image_prompts
        self.controls = controls
        self.pixels_per_latent = pixels_per_latent
        # Asked once: to answer, diffusers looks through all of the modules for hooks.
        whole = cast("Any", module)
        self._device: torch.device = whole.device
        self._dtype: torch.dtype = whole.dtype
        self._tiling = Tiling(module)
        self._terms = TermsCache()

    def compile(self) -> None:
        """Answer with a compiled module from now on, built anew for every bucket and size.

        Rows with LoRAs, image prompts or controls are still answered by the module itself: what
        acts on it is not seen by what was compiled before.
        """
        torch._dynamo.config.recompile_limit = _MOST_COMPILED  # beyond it torch is silently slow
        self.run = torch.compile(self.module, dynamic=False)

    @torch.no_grad()
    def predict(self, signature: Signature, rows: Sequence[Row], bucket: int) -> torch.Tensor:
        """As the Denoiser port says."""
        if signature.tile and not self.tiles:
            raise ValueError("this layout has no convolutions that could wrap around")
        adapted = [n for n, row in enumerate(rows) if _is_adapted(signature, row)]
        if self.run is self.module or not adapted:
            return self._predict(signature, rows, bucket, self.run)
        if len(adapted) == len(rows):
            return self._predict(signature, rows, bucket, self.module)
        # Each kind of row has its own way, whoever is beside it: bits must not depend on that.
        plain = [n for n in range(len(rows)) if n not in set(adapted)]
        parts = [
            self._predict(signature, [rows[n] for n in numbers], bucket, run)
            for numbers, run in ((adapted, self.module), (plain, self.run))
        ]
        order = torch.tensor([*adapted, *plain], device=parts[0].device).argsort()
        return torch.cat(parts)[order]

    def _predict(
        self,
        signature: Signature,
        rows: Sequence[Row],
        bucket: int,
        run: Any,  # noqa: ANN401  # diffusers is untyped
    ) -> torch.Tensor:
        everyone = filled(rows, bucket)
        latents = torch.stack([row.latents for row in everyone]).to(self._device, self._dtype)
        times = [row.timestep for row in everyone]
        timesteps = torch.tensor(times, dtype=torch.float32, device=self._device)
        batch = Batch(
            signature=signature,
            latents=latents,
            timesteps=timesteps,
            terms=self._terms.stacked(everyone, self._dtype),
            rows=everyone,
        )
        self._tiling.switch(signature.tile)
        with ExitStack() as acting:
            self._apply(signature, everyone, acting)
            out = self._ask(run, batch)
        return out[: len(rows)].float()

    def sample_rows(self, signature: Signature, count: int, seed: int) -> list[Row]:
        """As the Denoiser port says."""
        samples = Samples(seed, self._device)
        return [
            Row(
                latents=samples.normal(signature.channels, signature.height, signature.width),
                timestep=samples.number(TRAIN_STEPS),
                terms=self._sample_terms(signature, samples),
                leads=samples.leads(signature, self.pixels_per_latent),
            )
            for _ in range(count)
        ]

    @abstractmethod
    def _ask(self, run: Any, batch: Batch) -> torch.Tensor:  # noqa: ANN401  # diffusers is untyped
        """What `run`, the module or its compiled form, answers: (bucket, channels, ...)."""

    @abstractmethod
    def _sample_terms(self, signature: Signature, samples: Samples) -> Terms:
        """Random terms of that signature."""

    def _apply(self, signature: Signature, rows: Sequence[Row], acting: ExitStack) -> None:
        if any(row.loras for row in rows):
            if self.loras is None:
                raise ValueError("a row asks for a LoRA and this model was given none")
            acting.enter_context(self.loras.applied(rows, len(rows)))
        if signature.image_prompt:
            view = self._image_prompt(signature)
            acting.enter_context(view.applied(rows, len(rows)))

    def _image_prompt(self, signature: Signature) -> ImagePromptWeights:
        if self.image_prompts is None:
            raise ValueError("a row has an image prompt and this model was given no weights for it")
        return self.image_prompts.view(signature.image_prompt)


def _is_adapted(signature: Signature, row: Row) -> bool:
    """Whether something acts on the module for this row, or it wraps around."""
    return bool(row.loras or signature.image_prompt or signature.controls or signature.tile)
