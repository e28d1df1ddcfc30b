"""Compare models: the same brief and seeds on several, to choose which one a brand renders with.

Nothing of it enters the archive: it is a look, not a picture to be used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.core.errors import Mistake, NotFound, Unavailable
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.submitting import picture_of
from brand.kit import BrandKit
from brand.spec import (
    ModelInfo,
    Picture,
    Progress,
    RenderError,
    RenderRequest,
    RenderSpec,
)
from brand.templates import Brief, compile_brief
from brand.verdicts import Evidence
from brand.words import nearest, one_of

MAX_SEEDS = 8
SMALLEST_SIDE = 64
LOADING_LOOK_S = 0.2
"""How often a service that still loads is asked again."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One model's picture for one seed; or why there is none."""

    model: ModelInfo
    spec: RenderSpec
    picture: Picture | None = None
    evidence: Evidence | None = None
    problem: str = ""


async def installed_models(house: House) -> Sequence[ModelInfo]:
    """What the generation service can render with, once it has loaded. Raises Unavailable."""
    while True:
        health = await house.renderer.health()
        if health.ready:
            return health.models
        if not health.detail.endswith("loading."):
            raise Unavailable(health.detail)
        await house.clock.sleep(LOADING_LOOK_S)


def chosen_models(names: Sequence[str], installed: Sequence[ModelInfo]) -> tuple[ModelInfo, ...]:
    """The named ones in that order, or all. Raises NotFound with the nearest name."""
    by_name = {model.name: model for model in installed}
    for name in names:
        if name not in by_name:
            meant = nearest(name, tuple(by_name))
            ask = f"Did you mean `{meant}`?" if meant else ""
            raise NotFound(
                f"There is no model `{name}`.",
                fix=f"{ask} Installed: {one_of(tuple(by_name))}.".strip(),
            )
    return tuple(by_name[name] for name in dict.fromkeys(names)) if names else tuple(installed)


def recipes(
    brief: Brief, kit: BrandKit, models: Sequence[ModelInfo], seeds: Sequence[int]
) -> tuple[tuple[ModelInfo, RenderSpec], ...]:
    """The kit's recipe on each model, seed by seed. Raises the BriefRefused tree and Mistake.

    Each model renders at the size that suits it, in the brief's shape, with the kit's sampler or
    the first of the kit's list that it takes; the kit's LoRA is kept on the kit's own model alone,
    because it fits no other. A sampler that the brief names is not replaced.
    """
    if not 1 <= len(seeds) <= MAX_SEEDS:
        raise Mistake(f"Compare with 1 to {MAX_SEEDS} pictures for each model.")
    found = []
    for seed in seeds:
        spec = compile_brief(brief, kit, seed)
        for model in models:
            width, height = _size(spec, model, own=model.name == kit.generation.model)
            changed = replace(
                spec,
                model=model.name,
                model_sha256="",
                width=width,
                height=height,
                sampler=brief.sampler or _sampler(kit, model, spec.sampler),
            )
            if model.name != kit.generation.model:
                changed = replace(changed, loras=(), embeddings=())
            found.append((model, changed))
    return tuple(found)


def _size(spec: RenderSpec, model: ModelInfo, *, own: bool) -> tuple[int, int]:
    """About as many pixels as the model likes, in the shape of the brief and in its steps."""
    if own:
        return spec.width, spec.height
    factor = (model.width * model.height / (spec.width * spec.height)) ** 0.5
    step = model.side_step
    width, height = (
        max(SMALLEST_SIDE, round(side * factor / step) * step) for side in (spec.width, spec.height)
    )
    return width, height


def _sampler(kit: BrandKit, model: ModelInfo, usual: str) -> str:
    """The usual one where the model takes it, as flow models do few; else the kit's first that it
    takes. Where there is none the service says why."""
    fitting = (name for name in (usual, *kit.generation.samplers) if name in model.samplers)
    return next(fitting, usual)


async def compare(
    house: House,
    kit: BrandKit,
    wanted: Sequence[tuple[ModelInfo, RenderSpec]],
    note: Callable[[int, Progress], None],
) -> list[Compared]:
    """Render them one after another and measure each; a model that fails does not stop the rest.

    `note` gets the number of the picture and how far it is.
    """
    return [
        await _one(house, kit, model, spec, partial(note, number))
        for number, (model, spec) in enumerate(wanted)
    ]


async def _one(
    house: House,
    kit: BrandKit,
    model: ModelInfo,
    spec: RenderSpec,
    note: Callable[[Progress], None],
) -> Compared:
    request = RenderRequest(render_id=new_id(), brand=kit.id, spec=spec)
    try:
        picture = await picture_of(house, request, note)
    except RenderError as exc:
        return Compared(model=model, spec=spec, problem=str(exc))
    checked = await house.studio.check(picture.png, spec, kit, ())
    return Compared(model=model, spec=spec, picture=picture, evidence=checked.evidence)
