"""One picture with everything that explains it: recipe, evidence, history, files."""

import json

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from bot.core.assets import Asset
from bot.core.cards import picture_ref
from bot.core.errors import NotFound
from bot.core.ids import is_id
from bot.core.lives import AssetState
from bot.core.ports import Transaction
from bot.core.seeing import Sight
from bot.core.telling import name_of
from bot.web.frame import Frame, Framed, FramedForReader
from bot.web.history import history
from bot.web.making import ways_of
from brand.infotext import infotext

router = APIRouter(prefix="/pictures")


async def visible_asset(tx: Transaction, frame: Frame, asset_id: str) -> Asset:
    """The asset, if the visitor may see it. Raises NotFound either way."""
    if is_id(asset_id):
        asset = await tx.assets.get(asset_id)
        if await Sight(tx, frame.visitor.person).asset(asset):
            return asset
    raise NotFound("That picture doesn't exist, or it isn't one that you can see.")


@router.get("/{asset_id}")
async def picture_page(frame: Framed, asset_id: str) -> HTMLResponse:
    """The picture's page."""
    async with frame.house.store.read() as tx:
        asset = await visible_asset(tx, frame, asset_id)
        kit = await tx.kits.current(asset.brand)
        reviews = await tx.reviews.of_asset(asset.id)
        lines = await history(tx, asset, reviews)
        siblings = await Sight(tx, frame.visitor.person).only_visible(
            await tx.assets.of_job(asset.job)
        )
        who = await name_of(tx, asset.requester)
        parent = await _parent(tx, frame, asset)
    return frame.page(
        "picture.html",
        "gallery",
        asset=asset,
        brand=kit,
        ref=picture_ref(asset, kit, reviews[0] if reviews else None),
        review=reviews[0] if reviews else None,
        who=who,
        lines=lines,
        siblings=[other for other in siblings if other.id != asset.id],
        parent=parent,
        ways=ways_of(asset.spec),
        can_send=asset.state is AssetState.CANDIDATE and bool(kit.publish_channels),
        parameters=infotext(asset.spec, weights=asset.reproduction.weights),
    )


@router.get("/{asset_id}/recipe.json")
async def recipe_file(frame: FramedForReader, asset_id: str) -> Response:
    """The whole recipe in its canonical form, made readable."""
    async with frame.house.store.read() as tx:
        asset = await visible_asset(tx, frame, asset_id)
    text = json.dumps(json.loads(asset.spec.encode()), indent=2, ensure_ascii=False) + "\n"
    return Response(
        text,
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{asset.id}-recipe.json"'},
    )


async def _parent(tx: Transaction, frame: Frame, asset: Asset) -> Asset | None:
    if not asset.parent:
        return None
    try:
        return await visible_asset(tx, frame, asset.parent)
    except NotFound:
        return None
