"""What clients of other services call a model or a size, as a brand, a template and an aspect.

`acme` is the brand, `acme/product` its template, `demo` the weights: then the brand is the one
that renders with them.
"""

from dataclasses import dataclass

from bot.web.api.caller import Client
from bot.web.api.failures import ApiFailure
from bot.web.api.submitting import kits_of
from brand.kit import Aspect, BrandKit


@dataclass(frozen=True, kw_only=True)
class Meant:
    """The kit that is meant, and its template or an empty string."""

    kit: BrandKit
    template: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelName:
    """One name of the list of models."""

    id: str
    owner: str
    brand: str = ""
    template: str = ""
    weights: str = ""
    about: str = ""


def model_names(kits: list[BrandKit]) -> list[ModelName]:
    """Every name by which pictures can be asked for."""
    out: list[ModelName] = []
    for kit in kits:
        weights = kit.generation.model
        out.append(ModelName(id=kit.id, owner=kit.name, brand=kit.id, weights=weights))
        out += [
            ModelName(
                id=f"{kit.id}/{template.name}",
                owner=kit.name,
                brand=kit.id,
                template=template.name,
                weights=weights,
                about=template.description,
            )
            for template in kit.templates
        ]
    known = {name.id for name in out}
    for weights in sorted({kit.generation.model for kit in kits} - known):
        out.append(ModelName(id=weights, owner="housestyle", weights=weights))
    return out


async def meant_by(client: Client, model: str) -> Meant:
    """What this name means to the key's member; an empty one: their only brand.

    Raises ApiFailure (404 for a name that is none, 422 where several brands would do).
    """
    kits = await kits_of(client)
    if not model and len(kits) == 1:
        return Meant(kit=kits[0])
    brand, _, template = model.partition("/")
    for kit in kits:
        if kit.id == brand and (not template or kit.template(template)):
            return Meant(kit=kit, template=template)
    same = [kit for kit in kits if kit.generation.model == model]
    if len(same) == 1:
        return Meant(kit=same[0])
    names = ", ".join(name.id for name in model_names(kits)) or "none: you are in no brand"
    if same or not model:
        raise ApiFailure(
            status=422,
            code="model_ambiguous",
            detail=f"Several brands would do. Say which as `model`: {names}.",
            param="model",
        )
    raise ApiFailure(
        status=404,
        code="model_not_found",
        detail=f"There is no model `{model[:80]}`. There are: {names}.",
        param="model",
    )


def aspect_of(kit: BrandKit, width: int, height: int) -> Aspect:
    """The kit's aspect of exactly this size. Raises ApiFailure with those there are."""
    for aspect in kit.generation.aspects:
        if (aspect.width, aspect.height) == (width, height):
            return aspect
    have = ", ".join(f"{a.width}x{a.height}" for a in kit.generation.aspects)
    raise ApiFailure(
        status=422,
        code="size_not_allowed",
        detail=f"{kit.name}'s kit has no size {width}x{height}. It has: {have}.",
        param="size",
    )
