"""An identical recipe of the same brand is not rendered again: the archive has its pixels.

What is reused are bytes, never decisions: the new asset passes the gates, has its own files and
needs its own review. Looked up when a job is queued, and looked at again when its turn comes,
because a picture may be erased, withdrawn or damaged in between. A picture serves again only
while the model has the weights that made it; its reproduction class stays the recorded one.
"""

import logging

from bot.core.assets import Asset
from bot.core.errors import HousestyleError, NotFound
from bot.core.house import House
from bot.core.jobs import JobItem
from bot.core.lives import AssetState
from bot.core.ports import Transaction
from bot.core.submitting import approved_files
from brand.spec import Picture, RenderError, RenderSpec

log = logging.getLogger(__name__)


async def earlier(tx: Transaction, brand: str, spec: RenderSpec) -> str:
    """Id of the newest asset of this brand with exactly this recipe that may serve again."""
    asset = await tx.assets.by_spec(brand, spec.hash)
    return asset.id if asset and _may_serve(asset) else ""


async def archived_picture(house: House, brand: str, item: JobItem) -> Picture | None:
    """The pixels of the asset that the item names; None where it has to be rendered after all."""
    try:
        async with house.store.read() as tx:
            asset = await tx.assets.get(item.reuse)
            approved = await _approved(tx, brand, item.spec)
        if not approved:
            return None  # the service says why it does not render it
        if asset.brand != brand or asset.spec != item.spec or not _may_serve(asset):
            return None
        if not await _same_weights(house, asset):
            return None
        png = await house.blobs.get(asset.file_hash)  # which looks at its hash
    except NotFound:
        return None
    except (HousestyleError, RenderError) as exc:
        log.warning("A picture could not be reused: %s", exc, extra={"asset": item.reuse})
        return None
    return Picture(
        png=png,
        width=asset.width,
        height=asset.height,
        reproduction=asset.reproduction,
        seconds=0.0,
    )


async def _approved(tx: Transaction, brand: str, spec: RenderSpec) -> bool:
    """Whether its LoRAs and embeddings may still be used: one may be retired by now."""
    files = set(spec.approved_files)
    return not files or files <= set(await approved_files(tx, brand))


def _may_serve(asset: Asset) -> bool:
    if asset.reproduction.aids:
        return False  # its ControlNets or image prompts may have other weights by now: nobody says
    return not asset.is_erased and asset.state is not AssetState.WITHDRAWN


async def _same_weights(house: House, asset: Asset) -> bool:
    """Whether the model would be rendered with the same weights now."""
    made_by = asset.reproduction.weights
    for model in await house.renderer.models():
        if model.name == asset.spec.model and model.sha256:
            return model.sha256 == made_by
    return bool(made_by) and asset.spec.model_sha256 == made_by
