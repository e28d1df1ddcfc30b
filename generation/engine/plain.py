"""The plain engine: one picture after the other through diffusers' own pipelines."""

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from brand.spec import (
    InitImage,
    ModelInfo,
    ModelMissing,
    Picture,
    Progress,
    RenderFailed,
    RenderRequest,
    RenderSpec,
    ReproductionClass,
)
from generation.engine.catalogue import ModelSource, find_models
from generation.engine.denoisers.tiling import seamless
from generation.engine.device import Device, choose_device
from generation.engine.loader import LoadedModel, load_model, quiet_libraries
from generation.engine.loras import LoraShelf
from generation.engine.prompts import encode_prompts
from generation.engine.samplers import check_sampler, new_scheduler
from generation.engine.watch import Watch
from generation.engine.weights import WeightsIndex
from generation.engines import Cancelled, EngineUnusable, Inputs, OnProgress
from generation.pixels import enlarged, fitted, read_picture, to_png

ENGINE = "diffusers/1"
"""Raised whenever this code changes the pixels of a recipe."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """How the engine is set up."""

    shipped: Path
    """Folder of the shipped model; it may be absent."""
    state_dir: Path
    """Where the hashes of weights files are remembered."""
    models_dir: Path | None = None
    """Diffusers folders and single safetensors files, named by their names."""
    warm: str = "demo"
    """The model to load at once; the others wait until they are asked for."""
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    """0: as many as this process may run on, or 1 for a small model."""
    max_models: int = 2
    """Models kept in memory; the least recently used gives way."""


class DiffusersEngine:
    """Renders with Stable Diffusion 1.x and SDXL models."""

    name = ENGINE
    slots = 1

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._sources = find_models(options.models_dir, options.shipped)
        self._index = WeightsIndex(options.state_dir / "weights.json")
        self._device: Device | None = None
        self._loaded: OrderedDict[str, LoadedModel] = OrderedDict()
        self._shelves: dict[str, LoraShelf] = {}

    def load(self) -> None:
        """Settle the device and load the warm model. Raises EngineUnusable."""
        quiet_libraries()
        device = choose_device(self._options.device, self._options.dtype, self._options.threads)
        self._device = device
        if self._options.warm not in self._sources:
            return
        try:
            self._model(self._options.warm)
        except ModelMissing as exc:
            raise EngineUnusable(str(exc)) from exc

    @property
    def device(self) -> str:
        """E.g. `cpu`; empty until loaded."""
        return self._device.label if self._device else ""

    def models(self) -> Sequence[ModelInfo]:
        """All that was found, sorted by name."""
        return tuple(
            ModelInfo(
                name=source.name,
                sha256=source.known_sha256(self._index),
                layout=source.layout,
                width=source.width,
                height=source.height,
                loaded=source.name in self._loaded,
            )
            for source in sorted(self._sources.values(), key=lambda source: source.name)
        )

    def check(self, spec: RenderSpec) -> None:
        """Raises ModelMissing, SpecInvalid."""
        check_sampler(spec.sampler)
        _check_pin(spec, self._source(spec.model).known_sha256(self._index))

    def reproduction(self, spec: RenderSpec) -> ReproductionClass:
        """Raises ModelMissing; EngineUnusable before `load`."""
        if self._device is None:
            raise EngineUnusable("The engine is still loading.")
        source = self._source(spec.model)
        return ReproductionClass(
            weights=source.sha256(self._index),
            engine=ENGINE,
            dtype=self._device.dtype_name,
            device=self._device.torch_device.type,
            capability=self._device.capability,
            threads=self._device.threads_for(source.weight_bytes),
            driver=self._device.driver,
            libraries=self._device.libraries,
        )

    def render(
        self,
        request: RenderRequest,
        inputs: Inputs,
        on_progress: OnProgress,
        cancelled: Cancelled,
    ) -> Picture:
        """Render; `seconds` counts from the prompt to the pixels, not loading and PNG."""
        spec = request.spec
        check_sampler(spec.sampler)
        model = self._model(spec.model)
        _check_pin(spec, model.sha256)
        self._shelves[spec.model].use(spec.loras, inputs)
        watch = Watch(
            preview_map=model.preview_map,
            preview_every=request.preview_every,
            on_progress=on_progress,
            cancelled=cancelled,
        )
        watch.stop_if_cancelled()
        started = time.monotonic()
        parts = (model.from_text.unet, model.from_text.vae)
        with _readable_failures(spec), seamless(*parts, on=spec.tile):
            image = _image(model, spec, inputs, watch, on_progress)
        seconds = time.monotonic() - started
        watch.stop_if_cancelled()
        image = enlarged(image, spec.upscale)
        return Picture(
            png=to_png(image),
            width=image.width,
            height=image.height,
            reproduction=self.reproduction(spec),
            seconds=seconds,
        )

    def _source(self, name: str) -> ModelSource:
        source = self._sources.get(name)
        if source is None:
            have = ", ".join(sorted(self._sources)) or "none"
            raise ModelMissing(
                f"This generation service has no model {name!r}; it has: {have}. Put it into the "
                "models folder and restart the service."
            )
        return source

    def _model(self, name: str) -> LoadedModel:
        """The model in memory, this thread set to compute with it."""
        source = self._source(name)
        if self._device is None:
            raise EngineUnusable("The engine is still loading.")
        torch.set_num_threads(self._device.threads_for(source.weight_bytes))
        if name in self._loaded:
            self._loaded.move_to_end(name)
            return self._loaded[name]
        while len(self._loaded) >= self._options.max_models:
            oldest, _ = self._loaded.popitem(last=False)
            del self._shelves[oldest]
        started = time.monotonic()
        sha256 = source.sha256(self._index)
        model = load_model(source, sha256, self._device)
        self._loaded[name] = model
        self._shelves[name] = LoraShelf(model.from_text)
        _log.info(
            "model %s loaded in %.1f s", name, time.monotonic() - started, extra={"action": "load"}
        )
        return model


def _check_pin(spec: RenderSpec, sha256: str) -> None:
    if spec.model_sha256 and sha256 and spec.model_sha256 != sha256:
        raise ModelMissing(
            f"The recipe pins model {spec.model!r} to weights {spec.model_sha256[:12]}; this "
            f"generation service has {sha256[:12]} under that name."
        )


def _image(
    model: LoadedModel, spec: RenderSpec, inputs: Inputs, watch: Watch, on_progress: OnProgress
) -> Image.Image:
    if spec.init is None:
        pipe = model.from_text
        arguments: dict[str, Any] = {"width": spec.width, "height": spec.height}
    else:
        reference = read_picture(inputs.path(spec.init.sha256))
        reference = fitted(reference, spec.width, spec.height)
        if spec.init.strength == 0:
            on_progress(Progress(done=0, total=0, eta_s=0.0))
            return reference
        pipe = model.from_image
        arguments = {"image": reference, "strength": _strength(spec.init, spec.steps)}
    pipe.scheduler = watch.follow(new_scheduler(spec.sampler, model.scheduler_config))
    out = pipe(
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        callback_on_step_end=watch,
        output_type="np",
        **encode_prompts(pipe, spec.prompt, spec.negative, guided=spec.guidance > 1),
        **arguments,
    )
    return _eight_bit(out.images[0])


def _strength(init: InitImage, steps: int) -> float:
    """At least one evaluation: diffusers takes int(steps × strength) of them."""
    return min(1.0, max(init.strength, (1 + 1e-6) / steps))


def _eight_bit(pixels: Any) -> Image.Image:  # noqa: ANN401  # diffusers is untyped
    values = np.asarray(pixels, np.float32)
    if not np.isfinite(values).all():
        raise RenderFailed("The model's numbers overflowed while decoding; use dtype float32.")
    return Image.fromarray((values * 255).round().astype("uint8"))


@contextmanager
def _readable_failures(spec: RenderSpec) -> Iterator[None]:
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as exc:
        if isinstance(exc, RuntimeError) and "memory" not in str(exc).lower():
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise RenderFailed(
            f"{spec.width}×{spec.height} pixels need more memory than there is; choose a smaller "
            "size, or bfloat16."
        ) from exc
