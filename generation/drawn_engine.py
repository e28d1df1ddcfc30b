"""The `drawn` engine: draws what a prompt names, without torch. For fast tests and bare machines.

It honours prompt, negative prompt, seed, size, reference picture and enlarging. Steps are only
counted; guidance, sampler and LoRAs have nothing to act on in a drawing, so they change nothing:
the reproduction class names this engine, so that no one takes its pictures for a model's.
"""

import hashlib
import time
from collections.abc import Sequence

import numpy as np
import PIL
from PIL import Image

from brand.emphasis import plain_text
from brand.spec import (
    ModelInfo,
    ModelMissing,
    Picture,
    Progress,
    RenderCancelled,
    RenderRequest,
    RenderSpec,
    ReproductionClass,
    SpecInvalid,
)
from generation.engines import Cancelled, Inputs, OnProgress, Wish, Wished
from generation.illustrator.drawing import MAX_SIDE, MIN_SIDE, draw
from generation.illustrator.prompts import scene_from_prompt
from generation.pixels import enlarged, fitted, read_picture, to_png, to_preview

ENGINE = "drawn/1"
MODEL_NAMES = ("drawn", "demo")
"""It answers to the demo model's name too, so that the demo brand works on a bare machine."""
_WEIGHTS = hashlib.sha256(ENGINE.encode()).hexdigest()
_PREVIEW_DRAWING = 128
_LOOK_AGAIN_S = 0.02


class DrawnEngine:
    """Draws specs with the illustrator.

    `step_seconds` makes each counted step last that long, so that progress can be watched.
    """

    name = ENGINE
    slots = 1

    def __init__(self, *, step_seconds: float = 0.0) -> None:
        self._step_seconds = step_seconds
        self._loaded = False

    def load(self) -> None:
        """Nothing has to be loaded."""
        self._loaded = True

    @property
    def device(self) -> str:
        """It draws on the CPU."""
        return "cpu" if self._loaded else ""

    def models(self) -> Sequence[ModelInfo]:
        """One drawing hand under its names."""
        return tuple(
            ModelInfo(
                name=name,
                sha256=_WEIGHTS,
                layout="drawn",
                width=512,
                height=512,
                loaded=self._loaded,
            )
            for name in MODEL_NAMES
        )

    def check(self, spec: RenderSpec) -> None:
        """Raises ModelMissing for other names and other weights, SpecInvalid for tiling."""
        if spec.model not in MODEL_NAMES:
            raise ModelMissing(
                f"The drawn engine has no model {spec.model!r}, only {' and '.join(MODEL_NAMES)}."
            )
        if spec.model_sha256 not in {"", _WEIGHTS}:
            raise ModelMissing(
                f"The recipe pins other weights of {spec.model!r} than this drawing engine."
            )
        if spec.tile:
            raise SpecInvalid("the drawn engine cannot make seamless tiles; leave `tile` out")

    def reproduction(self, spec: RenderSpec) -> ReproductionClass:
        """Drawings depend on this code, numpy and Pillow alone."""
        self.check(spec)
        return ReproductionClass(
            weights=_WEIGHTS,
            engine=ENGINE,
            dtype="uint8",
            device="cpu",
            capability="any",
            threads=1,
            libraries=(f"numpy {np.__version__}", f"pillow {PIL.__version__}"),
        )

    def render(
        self,
        request: RenderRequest,
        inputs: Inputs,
        on_progress: OnProgress,
        cancelled: Cancelled,
        wished: Wished | None = None,
    ) -> Picture:
        """Draw, then count the steps, showing the drawing come out of noise."""
        spec = request.spec
        started = time.monotonic()
        self.check(spec)
        image = _drawn(spec, inputs)
        noise = np.random.default_rng(spec.seed)
        for step in range(1, spec.steps + 1):
            while wished and wished().paused and not cancelled():
                time.sleep(_LOOK_AGAIN_S)
            if cancelled():
                error = RenderCancelled("Cancelled on request.")
                error.seconds = time.monotonic() - started
                raise error
            if self._step_seconds:
                time.sleep(self._step_seconds)
            every = (wished() if wished else Wish.of(request)).preview_every
            shown = every > 0 and step % every == 0
            on_progress(
                Progress(
                    done=step,
                    total=spec.steps,
                    eta_s=(time.monotonic() - started) / step * (spec.steps - step),
                    preview=_emerging(image, step / spec.steps, noise) if shown else b"",
                )
            )
        image = enlarged(image, spec.upscale)
        return Picture(
            png=to_png(image),
            width=image.width,
            height=image.height,
            reproduction=self.reproduction(spec),
            seconds=time.monotonic() - started,
        )


def _drawn(spec: RenderSpec, inputs: Inputs) -> Image.Image:
    scene = scene_from_prompt(plain_text(spec.prompt), plain_text(spec.negative), spec.seed)
    shrink = max(1.0, spec.width / MAX_SIDE, spec.height / MAX_SIDE)
    sides = [max(MIN_SIDE, round(side / shrink)) for side in (spec.width, spec.height)]
    image = draw(scene, *sides)
    image = fitted(image, spec.width, spec.height)
    if spec.init is None:
        return image
    reference = fitted(read_picture(inputs.path(spec.init.sha256)), spec.width, spec.height)
    return Image.blend(reference, image, spec.init.strength)


def _emerging(image: Image.Image, share: float, rng: np.random.Generator) -> bytes:
    """The drawing with the rest of the noise still on it."""
    small = image.copy()
    small.thumbnail((_PREVIEW_DRAWING, _PREVIEW_DRAWING))
    pixels = np.asarray(small, np.float32)
    noisy = pixels * share + rng.integers(0, 256, pixels.shape) * (1 - share)
    return to_preview(Image.fromarray(noisy.astype(np.uint8)))
