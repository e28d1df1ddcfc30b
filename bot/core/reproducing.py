"""The recipe of a picture, as people read it: all that reproduces it, and how to do that."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.core.assets import Asset
from bot.core.caller import Caller
from bot.core.cards import picture_ref, pictures
from bot.core.commands import Imagine, Recipe
from bot.core.errors import Mistake, NotFound
from bot.core.grammar import render_command
from bot.core.house import House
from bot.core.lives import AssetState
from bot.core.messages import Card, Field, PictureRef
from bot.core.ports import Transaction
from bot.core.queueing import compile_all
from bot.core.seeing import Sight
from bot.core.vocabulary import Vocabulary
from brand.kit import BrandKit

_SAID = ("prompt", "negative", "seed", "width", "height", "sampler", "steps", "guidance")
_NAMED = ("model", "model_sha256", "loras")
_SKIPPED = frozenset({*_SAID, *_NAMED, "version"})
SHORT = 12
"""Characters of a hash that tell weights apart."""


async def recipe(house: House, caller: Caller, command: Recipe) -> Card:
    """The recipe of one picture, or of all of a job. Raises NotFound."""
    async with house.store.read() as tx:
        found = await Sight(tx, caller.person).only_visible(await _assets(tx, command.target))
        assets = [asset for asset in found if not asset.is_erased]
        if not assets:
            raise NotFound(
                f"There is no picture of yours behind `{command.target[:40]}`.",
                fix="`/find WORDS` searches the archive.",
            )
        kit = await tx.kits.current(assets[0].brand)
        hint = await _line(tx, assets[0], kit)
        shown = [await _picture(tx, asset, kit) for asset in assets]
    count = f"Recipe of {pictures(len(assets))}" if len(assets) > 1 else "Recipe"
    return Card(
        kind="reply",
        title=f"{count}: {assets[0].words or 'a picture'}",
        status=kit.name,
        pictures=tuple(shown),
        fields=all_fields(assets),
        draft=any(asset.state is not AssetState.APPROVED for asset in assets),
        private=True,
        hint=hint,
        footer=f"`housestyle rerender {assets[0].id}` renders it again and compares the pixels.",
    )


def recipe_fields(asset: Asset) -> tuple[Field, ...]:
    """All that reproduces one picture: words, seed, sampler, weights, further ways, its class."""
    spec = asset.spec
    said = [
        ("prompt", spec.prompt),
        ("negative", spec.negative),
        ("seed", str(spec.seed)),
        ("size", f"{spec.width} × {spec.height}"),
        ("sampler", f"{spec.sampler}, {spec.steps} steps, cfg {spec.guidance:g}"),
        ("model", f"{spec.model} {spec.model_sha256[:SHORT]}".strip()),
        *(
            ("LoRA", f"{use.name or use.sha256[:SHORT]} × {use.weight:g} ({use.sha256[:SHORT]})")
            for use in spec.loras
        ),
        *_ways(json.loads(spec.encode())),
        ("template", asset.template),
        ("recipe", spec.hash),
        ("pixels", asset.pixel_hash),
        ("class", f"{asset.reproduction.id}: {_class(asset)}"),
    ]
    return tuple(Field(label=label, value=value) for label, value in said if value)


def all_fields(assets: Sequence[Asset]) -> tuple[Field, ...]:
    """What all of them share is said once; the rest, with the picture's number."""
    of_each = [recipe_fields(asset) for asset in assets]
    shared = [field for field in of_each[0] if all(field in fields for fields in of_each)]
    own = [
        replace(field, label=f"picture {asset.index + 1}, {field.label}")
        for asset, fields in zip(assets, of_each, strict=True)
        for field in fields
        if field not in shared
    ]
    return (*shared, *own)


def _ways(spec: dict[str, Any]) -> list[tuple[str, str]]:
    """What begins the picture, guides or enlarges it, as the recipe writes it."""
    plain = {"upscale": 1, "tile": False}
    return [
        (name.replace("_", " "), json.dumps(value, ensure_ascii=False))
        for name, value in sorted(spec.items())
        if name not in _SKIPPED and value not in (None, [], {}, "") and plain.get(name) != value
    ]


def _class(asset: Asset) -> str:
    """The conditions of equal bits in a few words."""
    made = asset.reproduction
    return f"{made.device} {made.capability}, {made.dtype}, engine {made.engine}".strip()


async def _picture(tx: Transaction, asset: Asset, kit: BrandKit) -> PictureRef:
    reviews = await tx.reviews.of_asset(asset.id)
    return picture_ref(asset, kit, reviews[0] if reviews else None)


async def _line(tx: Transaction, asset: Asset, kit: BrandKit) -> str:
    """The line that asks for this very picture; empty where no line does: its recipe came of
    another picture, or the kit has changed since."""
    if asset.parent or asset.change:
        return ""
    brief = replace((await tx.jobs.get(asset.job)).brief, n=1, seed=asset.spec.seed)
    try:
        same = compile_all(brief, kit)[0].hash == asset.spec.hash
    except Mistake:  # the kit allows it no longer
        same = False
    brand = kit.id if len(await tx.kits.all()) > 1 else ""
    wish = Imagine(brief=brief, brand=brand)
    return render_command(wish, vocabulary=Vocabulary.of(kit)) if same else ""


async def _assets(tx: Transaction, target: str) -> Sequence[Asset]:
    """The pictures that an id means."""
    for find in (_one, _of_job, _of_review, _of_post):
        try:
            return await find(tx, target)
        except NotFound:
            continue
    return ()


async def _one(tx: Transaction, target: str) -> Sequence[Asset]:
    return (await tx.assets.get(target),)


async def _of_job(tx: Transaction, target: str) -> Sequence[Asset]:
    return await tx.assets.of_job((await tx.jobs.get(target)).id)


async def _of_review(tx: Transaction, target: str) -> Sequence[Asset]:
    return await _one(tx, (await tx.reviews.get(target)).asset)


async def _of_post(tx: Transaction, target: str) -> Sequence[Asset]:
    return await _one(tx, (await tx.publications.get(target)).asset)
