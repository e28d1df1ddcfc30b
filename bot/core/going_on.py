"""Going on from a finished picture: near it, larger, over its edges, with other words."""

from dataclasses import replace
from typing import Any

from bot.core.assets import Asset
from bot.core.caller import Caller
from bot.core.commands import EditWords, Extend, Imagine, Upscale, Vary
from bot.core.errors import Mistake, NotFound, Refused
from bot.core.house import House
from bot.core.messages import Card
from bot.core.policy import may_handle
from bot.core.ports import Transaction
from bot.core.queueing import compile_all, new_seed, queue, wake
from bot.core.references import referenced
from bot.core.restricting import may_ask
from bot.core.seeing import Sight
from brand.kit import BrandKit
from brand.spec import InitImage, Outpaint, RenderSpec, SpecInvalid

SUBTLE, STRONG = 0.35, 0.65  # img2img strength of a variation
STEP = 8  # sizes are multiples of so many pixels
NO_WAYS: dict[str, Any] = {
    "mask": None,
    "outpaint": None,
    "controls": (),
    "image_prompt": None,
    "highres": None,
}
"""What is left out of a recipe that begins from its own finished picture."""


async def vary(house: House, caller: Caller, command: Vary) -> Card:
    """New pictures near an asset, by image to image from its own pixels."""
    async with house.store.write() as tx:
        asset, kit = await _source(tx, caller, command.asset)
        strength = STRONG if command.strong else SUBTLE
        spec = replace(
            asset.spec,
            seed=new_seed(),
            upscale=1,
            init=InitImage(sha256=asset.file_hash, strength=strength),
            mask=None,
            outpaint=None,
        )
        card = await _queue_from(house, tx, caller, kit, asset, (spec,))
    wake(house)
    return card


async def upscale(house: House, caller: Caller, command: Upscale) -> Card:
    """The same picture with more pixels: a new asset, which needs its own approval."""
    async with house.store.write() as tx:
        asset, kit = await _source(tx, caller, command.asset)
        spec = replace(
            asset.spec,
            width=asset.width,
            height=asset.height,
            upscale=command.factor,
            init=InitImage(sha256=asset.file_hash, strength=0.0),
            **NO_WAYS,
        )
        card = await _queue_from(house, tx, caller, kit, asset, (spec,))
    wake(house)
    return card


async def extend(house: House, caller: Caller, command: Extend) -> Card:
    """The same picture going on over its edges, by its own words."""
    async with house.store.write() as tx:
        asset, kit = await _source(tx, caller, command.asset)
        if not kit.ways.outpaint:
            raise Refused(
                f"{kit.name}'s kit doesn't allow painting on over the edges.",
                fix=f"Ask {kit.owner} to write `outpaint = true` under [ways].",
            )
        spec = _extended(asset, command.sides or _quarters(asset.width))
        card = await _queue_from(house, tx, caller, kit, asset, (spec,))
    wake(house)
    return card


async def edit_words(house: House, caller: Caller, command: EditWords, said: Imagine) -> Card:
    """Other words, the same seed. `said` is what the grammar read from the new text."""
    async with house.store.read() as tx:
        brand = (await tx.assets.get(command.asset)).brand
    said_brief = await referenced(house, caller, said.brief, brand)
    async with house.store.write() as tx:
        asset, kit = await _source(tx, caller, command.asset)
        seed = said.brief.seed if said.brief.seed is not None else asset.spec.seed
        brief = replace(said_brief, seed=seed)
        card = await queue(house, tx, caller, kit, brief, compile_all(brief, kit), source=asset.id)
    wake(house)
    return card


def _quarters(width: int) -> Outpaint:
    side = max(width // 4 // STEP * STEP, STEP)
    return Outpaint(left=side, right=side)


def _extended(asset: Asset, sides: Outpaint) -> RenderSpec:
    try:
        return replace(
            asset.spec,
            seed=new_seed(),
            width=asset.width + sides.left + sides.right,
            height=asset.height + sides.top + sides.bottom,
            upscale=1,
            init=InitImage(sha256=asset.file_hash, strength=1.0),
            **NO_WAYS | {"outpaint": sides},
        )
    except SpecInvalid as exc:
        raise Mistake(f"It can't go on that far: {exc}.", field="outpaint") from exc


async def _source(tx: Transaction, caller: Caller, asset_id: str) -> tuple[Asset, BrandKit]:
    asset = await tx.assets.get(asset_id)
    kit = await tx.kits.current(asset.brand)
    may_ask(kit, caller)
    may_handle(kit, caller.person, asset.requester)
    if asset.is_erased:
        raise NotFound("This picture was erased with the person who asked for it.")
    await Sight(tx, caller.person).check(asset)
    return asset, kit


async def _queue_from(
    house: House,
    tx: Transaction,
    caller: Caller,
    kit: BrandKit,
    asset: Asset,
    specs: tuple[RenderSpec, ...],
) -> Card:
    # Its recipe's stages were gone through: what is made of the picture has none.
    brief = replace((await tx.jobs.get(asset.job)).brief, n=len(specs), recipe="")
    return await queue(house, tx, caller, kit, brief, specs, source=asset.id)
