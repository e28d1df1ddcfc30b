"""Jobs in several stages: when one has ended, its pictures become the next one's beginnings.

A stage's items are stored with its pictures in one transaction, so whatever happens later, the
job goes on from the last stage that was stored; one that failed or was cancelled there can be
taken up again by its requester.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core.assets import Asset
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.jobs import Job, JobItem
from bot.core.lives import AssetState
from bot.core.ports import Transaction
from bot.core.reusing import earlier
from brand.kit import UPLOAD, BrandKit, Recipe
from brand.spec import RenderSpec
from brand.staging import later_stage, pictures_from, stage_mask


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """A recipe of the next stage, and the picture that it begins from."""

    spec: RenderSpec
    parent: str
    stage: int
    name: str


async def beginnings(
    house: House, job: Job, kit: BrandKit, results: Sequence[tuple[Asset, JobItem]]
) -> tuple[Beginning, ...]:
    """What follows once these results are stored: nothing while a picture is still to be made,
    or after the last stage. A picture that failed the brand check is not gone on with."""
    recipe = kit.recipe(job.brief.recipe) if job.brief.recipe else None
    for _, item in results:
        job = job.with_item(item)
    number = stage_of(job) + 1
    if recipe is None or job.pending or number >= len(recipe.stages):
        return ()
    made = {asset.id: asset for asset, _ in results}
    found: list[Beginning] = []
    for item in job.items:
        if item.stage != number - 1:
            continue
        asset = made.get(item.asset) or await _asset(house, item.asset)
        if asset.state is not AssetState.DISCARDED:
            found += await _of_one(house, job, kit, recipe, number, asset)
    return tuple(found)


async def _of_one(
    house: House, job: Job, kit: BrandKit, recipe: Recipe, number: int, asset: Asset
) -> list[Beginning]:
    stage = recipe.stages[number]
    mask = ""
    if stage.mask and stage.mask != UPLOAD:
        mask = await house.blobs.put(stage_mask(stage, asset.width, asset.height))
    specs = later_stage(
        job.brief, kit, recipe, number, seed=asset.spec.seed, file=asset.file_hash, mask=mask
    )
    return [Beginning(spec=spec, parent=asset.id, stage=number, name=stage.name) for spec in specs]


async def _asset(house: House, asset_id: str) -> Asset:
    async with house.store.read() as tx:
        return await tx.assets.get(asset_id)


async def with_beginnings(tx: Transaction, job: Job, begun: Sequence[Beginning]) -> Job:
    """The job with the next stage's items."""
    first = len(job.items)
    items = [
        JobItem(
            index=first + number,
            spec=each.spec,
            render_id=new_id(),
            change=f"stage “{each.name}”",
            stage=each.stage,
            parent=each.parent,
            reuse="" if job.brief.fresh else await earlier(tx, job.brand, each.spec),
        )
        for number, each in enumerate(begun)
    ]
    return replace(job, items=(*job.items, *items))


def stage_of(job: Job) -> int:
    """The stage that the job is in, from 0."""
    return max((item.stage for item in job.items), default=0)


def pictures_wanted(job: Job, kit: BrandKit) -> int:
    """How many pictures the job makes in all its stages."""
    own = sum(not item.inherited for item in job.items)
    recipe = kit.recipe(job.brief.recipe) if job.brief.recipe else None
    if recipe is None:
        return own
    number = stage_of(job)
    last = sum(item.stage == number for item in job.items)
    return own + pictures_from(recipe, number, last)


def taken_up(job: Job) -> tuple[JobItem, ...]:
    """The items with which a job that ended badly goes on from its last stored stage; none if it
    never came past its first one."""
    number = stage_of(job)
    if not number:
        return ()
    left = [item for item in job.items if item.stage == number]
    return tuple(
        replace(
            item,
            index=index,
            render_id=new_id(),
            counted=0.0,
            inherited=bool(item.asset),
        )
        for index, item in enumerate(left)
    )
