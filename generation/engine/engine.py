"""The engine: many requests in the air at once, every way of making a picture, one step loop."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from brand.spec import (
    InputMissing,
    ModelInfo,
    ModelMissing,
    Picture,
    RenderError,
    RenderRequest,
    RenderSpec,
    ReproductionClass,
    SpecInvalid,
    canonical_json,
)
from generation.engine.aids import AidsShop
from generation.engine.device import choose_device, compute_with
from generation.engine.ends import Ends, Meter
from generation.engine.finish import Pool
from generation.engine.library.catalogue import ModelSource, find_models
from generation.engine.library.fleet import Fleet
from generation.engine.library.loader import quiet_libraries
from generation.engine.library.sources import SIDE_STEPS
from generation.engine.library.weights import WeightsIndex
from generation.engine.loop.profile import LEAST_ROWS, Profiles
from generation.engine.loop.standing import Standing
from generation.engine.loop.step_loop import LoopModel, StepLoop
from generation.engine.making import Making, Shop
from generation.engine.sampling.samplers import (
    check_sampler,
    new_scheduler,
    samplers_for,
)
from generation.engines import (
    DIFFUSERS_SLOTS,
    Cancelled,
    EngineUnusable,
    Inputs,
    OnProgress,
    Wish,
    Wished,
)

ENGINE = "in-flight/1"
"""Raised whenever this code changes the pixels of a recipe."""
_FIRST = "first-profile"
_AFTER_ALL = -100
"""A priority below everybody's."""
_WITHOUT_TILES = frozenset({"sd3", "flux"})
"""Their denoisers know where in the picture a patch lies: nothing goes on over its edges."""
MAX_SIDE = 4096
"""Of one pass, in pixels; a finished picture may be larger."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """How the engine is set up."""

    shipped: Path
    """Folder of the shipped model; it may be absent."""
    state_dir: Path
    """Where the hashes of weights files and the profiles of lanes are remembered."""
    models_dir: Path | None = None
    """Diffusers folders and single safetensors files, named by their names."""
    warm: str = "demo"
    """The model to load at once; the others wait until they are asked for."""
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    """0: as many as this process may run on, or 1 where every model is small."""
    max_models: int = 2
    """Models kept in memory; the least recently used gives way."""
    memory_bytes: int = 0
    """What models may take of the device's memory together; 0: most of it."""
    quantize: str = "none"
    """How a denoiser's weights are kept: none, int8 or fp8."""
    compiles: bool = False
    """Whether denoisers are compiled."""
    max_rows: int = 0
    """Rows in one call of a model at most; 0: as many as its profile finds to pay."""
    take_profile: bool = True
    """Whether the warm model's first profile is taken before somebody asks for a picture."""


class InFlightEngine:
    """Renders with every layout of diffusion model there is a denoiser for."""

    name = ENGINE
    slots = DIFFUSERS_SLOTS

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._sources = find_models(options.models_dir, options.shipped)
        self._index = WeightsIndex(options.state_dir / "weights.json")
        self._aids = AidsShop(
            options.models_dir, options.shipped, self._index, lambda: self._ready[0]
        )
        self._fleet: Fleet | None = None
        self._shop: Shop | None = None

    def load(self) -> None:
        """Settle the device and load the warm model. Raises EngineUnusable."""
        quiet_libraries()
        options = self._options
        device = choose_device(
            options.device,
            options.dtype,
            options.threads,
            quantize=options.quantize,
            compiles=options.compiles,
        )
        self._fleet = Fleet(
            sources=self._sources,
            index=self._index,
            device=device,
            max_models=options.max_models,
            memory_bytes=options.memory_bytes,
        )
        profiles = Profiles(options.state_dir / "profiles.json", max_rows=options.max_rows or None)
        loop = StepLoop(self._loop_model, profiles, device=device.torch_device)
        self._shop = Shop(loop=loop, ends=Ends(device.torch_device), pool=Pool())
        if options.warm not in self._sources:
            return
        try:
            with self._fleet.use(options.warm) as model:
                self._aids.fit(model)
        except ModelMissing as exc:
            raise EngineUnusable(str(exc)) from exc
        if options.take_profile:
            # A daemon: whoever stops the service meanwhile shall not wait for it.
            threading.Thread(target=self._take_profile, name="first-profile", daemon=True).start()

    def _take_profile(self) -> None:
        """Have the row buckets found for pictures of the warm model's own size."""
        source = self._sources[self._options.warm]
        spec = RenderSpec(
            prompt="",
            model=source.name,
            seed=0,
            width=source.width,
            height=source.height,
            steps=1,
            sampler="euler",
        )
        request = RenderRequest(
            render_id=_FIRST, brand="", spec=spec, priority=_AFTER_ALL, preview_every=0
        )
        try:
            self.render(request, _NoInputs(), lambda _: None, lambda: False)
        except RenderError as exc:
            _log.warning("no first profile: %s", exc, extra={"action": "first_profile"})

    @property
    def device(self) -> str:
        """E.g. `cpu`; empty until loaded."""
        return self._fleet.device.label if self._fleet else ""

    def standing(self) -> Standing:
        """What is in the air, and counts since it was loaded. Raises EngineUnusable before."""
        return self._ready[1].loop.standing()

    def models(self) -> Sequence[ModelInfo]:
        """All that was found, sorted by name; none before `load`."""
        return self._fleet.models() if self._fleet else ()

    def check(self, spec: RenderSpec) -> None:
        """Raises ModelMissing, SpecInvalid; lets everything pass until it is loaded."""
        fleet = self._fleet
        if fleet is None:
            return
        check_sampler(spec.sampler)
        source = fleet.source(spec.model)
        _check_pin(spec, fleet.known_sha256(spec.model))
        _check_size(spec, source)
        if spec.tile and source.layout in _WITHOUT_TILES:
            raise SpecInvalid(
                f"seamless tiles are made with models of the SD 1.x and SDXL layouts only, and "
                f"{source.name!r} has the layout {source.layout}"
            )
        config = source.scheduler_config
        if config is not None and spec.sampler not in samplers_for(config):
            new_scheduler(spec.sampler, config)  # says which ones do fit
        self._aids.check(spec, source.layout)

    def render(
        self,
        request: RenderRequest,
        inputs: Inputs,
        on_progress: OnProgress,
        cancelled: Cancelled,
        wished: Wished | None = None,
    ) -> Picture:
        """Render; `seconds` is the device's time, shared out among those in one batch."""
        spec = request.spec
        fleet, shop = self._ready
        self.check(spec)
        with Meter() as meter, fleet.use(spec.model, cancelled) as model:
            _check_pin(spec, model.sha256)
            turn = partial(shop.ends.picture, meter, cancelled)
            with self._aids.held(model, spec, inputs, turn) as aids:
                making = Making(
                    shop,
                    model,
                    aids,
                    request,
                    inputs,
                    meter=meter,
                    cancelled=cancelled,
                    wished=wished or partial(Wish.of, request),
                )
                image = making.picture(on_progress)
                # Of the weights in memory: by now other files may lie on the disk.
                made = replace(fleet.reproduction(spec.model, ENGINE), aids=aids.sha256)
        return Picture(
            png=shop.pool.png(image),
            width=image.width,
            height=image.height,
            reproduction=with_buckets(made, making.buckets),
            seconds=meter.seconds,
        )

    @property
    def _ready(self) -> tuple[Fleet, Shop]:
        if self._fleet is None or self._shop is None:
            raise EngineUnusable("The engine is still loading.")
        return self._fleet, self._shop

    def _loop_model(self, name: str) -> LoopModel:
        """A model that a request has in use, as the step loop's thread asks for it."""
        fleet, _ = self._ready
        made = fleet.reproduction(name, ENGINE)
        return LoopModel(
            denoiser=fleet.denoiser(name),
            conditions=(canonical_json(made.to_dict()).decode(),),
            prepare=partial(compute_with, made.threads),
        )


class _NoInputs:
    """For a recipe without files."""

    def path(self, sha256: str) -> Path:
        """Nothing is here."""
        raise InputMissing(sha256)


def with_buckets(made: ReproductionClass, passes: Sequence[tuple[int, ...]]) -> ReproductionClass:
    """The class of a picture whose passes were rendered in these sets of row buckets.

    Two sets of one lane are equal or disjoint, so one bucket names a set: the smallest of at least
    two rows. Whether bucket 1 is looked at is a matter of how fast it is, so it names nothing.
    """
    if not passes:
        return made
    first, *later = (
        min(bucket for bucket in buckets if bucket >= LEAST_ROWS) for buckets in passes
    )
    return replace(
        made,
        row_bucket=first,
        buckets=tuple(sorted({bucket for buckets in passes for bucket in buckets})),
        later_buckets=tuple(later) if set(later) - {first} else (),
    )


def _check_pin(spec: RenderSpec, sha256: str) -> None:
    if spec.model_sha256 and sha256 and spec.model_sha256 != sha256:
        raise ModelMissing(
            f"The recipe pins model {spec.model!r} to weights {spec.model_sha256[:12]}; this "
            f"generation service has {sha256[:12]} under that name."
        )


def _check_size(spec: RenderSpec, source: ModelSource) -> None:
    step = SIDE_STEPS[source.layout]
    sizes = [(spec.width, spec.height)]
    if spec.highres:
        sizes.append(spec.highres_size)
    for width, height in sizes:
        if width % step or height % step:
            raise SpecInvalid(
                f"the model {source.name!r} takes sides in multiples of {step} pixels, not "
                f"{width}×{height}"
            )
        if max(width, height) > MAX_SIDE:
            raise SpecInvalid(f"no pass may be larger than {MAX_SIDE} pixels a side")
