"""From pixels to assets: the gates, the files, and all of it stored in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.core.assets import Asset, Rendition
from bot.core.cards import brief_title
from bot.core.charging import charged
from bot.core.claims import changed, still_ours
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.jobs import MAX_ATTEMPTS, Job, JobItem
from bot.core.ledger import Event
from bot.core.lives import AssetState, JobState
from bot.core.measuring import counted, timed
from bot.core.picturing import Rendered
from bot.core.ports import Checked, Signal
from bot.core.spending import cost_facts, settle
from bot.core.staging import Beginning, beginnings, with_beginnings
from bot.core.telling import tell_job
from brand.kit import BrandKit
from brand.retry import changed_recipe


async def check(house: House, job: Job, kit: BrandKit, rendered: Sequence[Rendered]) -> None:
    """Count the device time, judge every picture, store what became of the job.

    Raises LeaseLost or StaleState if the job is no longer this worker's.
    """
    used = {each.item.index: each.picture.seconds for each in rendered}
    if any(used.values()):
        await _count(house, job, kit, used)
    with timed(house, "checking"):
        results = [await _asset_of(house, job, kit, each) for each in rendered]
        begun = await beginnings(house, job, kit, results)
        with house.watch.span("store"):
            await _store(house, job, kit, results, begun)
    for asset, _ in results:
        counted(house, asset)


async def _count(house: House, job: Job, kit: BrandKit, used: Mapping[int, float]) -> None:
    """Charge for what was rendered before anything else can go wrong."""
    async with house.store.write() as tx:
        # The lease was renewed meanwhile, so the stored row is newer than ours.
        stored = still_ours(await tx.jobs.get(job.id), job)
        new = await charged(house, tx, stored, used, kit)
        await tx.jobs.update(replace(new, state=JobState.CHECKING), was=stored)
    changed(house, job)


async def _asset_of(
    house: House, job: Job, kit: BrandKit, rendered: Rendered
) -> tuple[Asset, JobItem]:
    item, picture = replace(rendered.item, reuse=rendered.reused), rendered.picture
    async with house.store.read() as tx:
        known = await tx.assets.fingerprints(job.brand)
        earlier = [a for a in await tx.assets.of_job(job.id) if a.index == item.index]
        # A variation is meant to be like its source, a stage like the one before, and pixels
        # that are taken again like those that the same recipe gave before.
        meant = {job.source_asset, item.parent}
        if rendered.reused:
            meant.update(await tx.assets.of_spec(job.brand, item.spec.hash))
    known = [pair for pair in known if pair[0] not in meant]
    asset_id = new_id()
    checked, renditions = await asyncio.gather(
        _checked(house, rendered, kit, known), _files(house, job, asset_id, rendered, kit)
    )
    master = next(r for r in renditions if r.transform == "master")
    failed = not checked.evidence.passed
    asset = Asset(
        id=asset_id,
        job=job.id,
        brand=job.brand,
        requester=job.requester,
        index=item.index,
        spec=item.spec,
        words=brief_title(job.brief),
        template=job.brief.template,
        kit_hash=job.kit_hash,
        pixel_hash=checked.pixel_hash,
        file_hash=master.file_hash,
        width=checked.width,
        height=checked.height,
        reproduction=picture.reproduction,
        evidence=checked.evidence,
        fingerprint=checked.fingerprint,
        created_at=house.clock.now(),
        renditions=tuple(renditions),
        state=AssetState.DISCARDED if failed else AssetState.CANDIDATE,
        parent=earlier[-1].id if earlier else item.parent or job.source_asset,
        change=item.change,
        seconds=picture.seconds,
        cost=house.tariff.money(picture.seconds) if house.tariff else None,
        reused=rendered.reused,
    )
    return asset, _next_item(item, asset, checked, kit)


async def _checked(
    house: House, rendered: Rendered, kit: BrandKit, known: Sequence[tuple[str, str]]
) -> Checked:
    with house.watch.span("gates", picture=rendered.item.index):
        return await house.studio.check(rendered.picture.png, rendered.item.spec, kit, known)


async def _files(
    house: House, job: Job, asset_id: str, rendered: Rendered, kit: BrandKit
) -> list[Rendition]:
    made = await house.studio.make_files(
        rendered.picture.png,
        rendered.item.spec,
        kit,
        asset_id=asset_id,
        weights=rendered.picture.reproduction.weights,
        from_photo=bool(job.brief.reference),
    )
    # Each waits for the disk several times; together they wait once.
    hashes = await asyncio.gather(*(house.blobs.put(file.data) for file in made))
    return [
        Rendition(
            id=new_id(),
            asset=asset_id,
            transform=file.transform,
            file_hash=file_hash,
            pixel_hash=file.pixel_hash,
            mime=file.mime,
            bytes=len(file.data),
            width=file.width,
            height=file.height,
        )
        for file, file_hash in zip(made, hashes, strict=True)
    ]


def _next_item(item: JobItem, asset: Asset, checked: Checked, kit: BrandKit) -> JobItem:
    if checked.evidence.passed or item.attempt >= MAX_ATTEMPTS:
        return replace(item, asset=asset.id)
    spec, why = changed_recipe(item.spec, checked.evidence, item.attempt + 1, kit)
    return replace(
        item,
        spec=spec,
        attempt=item.attempt + 1,
        change=why,
        render_id=new_id(),
        counted=0.0,
        reuse="",
    )


async def _store(
    house: House,
    job: Job,
    kit: BrandKit,
    results: Sequence[tuple[Asset, JobItem]],
    begun: Sequence[Beginning],
) -> None:
    now = house.clock.now()
    async with house.store.write() as tx:
        stored = still_ours(await tx.jobs.get(job.id), job)
        if stored.state is JobState.RENDERING:  # nothing was rendered, so nothing counted
            checking = replace(stored, state=JobState.CHECKING)
            stored = await tx.jobs.update(checking, was=stored)
        new = replace(stored, updated_at=now)
        for asset, item in results:
            await tx.assets.add(asset)
            await tx.ledger.append(_rendered_event(asset))
            new = new.with_item(item)
        new = await with_beginnings(tx, new, begun)
        again = bool(new.pending)
        new = replace(
            new,
            state=JobState.QUEUED if again else JobState.DONE,
            lease_until=None,
            worker="",
            starts=0,
        )
        if not again:
            new = await settle(house, tx, new)
        new = await tx.jobs.update(new, was=stored)
        if not again:
            await tx.ledger.append(job_event(house, "job.done", new))
        await tell_job(tx, new, kit, now)
    if again:
        house.signals.publish(Signal(topic="queue", kind="added", data={}))


def _rendered_event(asset: Asset) -> Event:
    return Event(
        action="asset.rendered",
        subject=f"asset:{asset.id}",
        at=asset.created_at,
        actor="system",
        brand=asset.brand,
        facts={
            "job": asset.job,
            "spec": asset.spec.hash,
            "pixels": asset.pixel_hash,
            "file": asset.file_hash,
            "renditions": [r.file_hash for r in asset.renditions],
            "reproduction": asset.reproduction.id,
            "passed": asset.evidence.passed,
            "failed_gates": [verdict.name for verdict in asset.evidence.failed],
            "seconds": asset.seconds,
            "parent": asset.parent,
            **({"reused": asset.reused} if asset.reused else {}),
        },
    )


def job_event(house: House, action: str, job: Job) -> Event:
    """The ledger line of a job's end."""
    return Event(
        action=action,
        subject=f"job:{job.id}",
        at=job.updated_at,
        actor="system",
        brand=job.brand,
        facts={
            "assets": [item.asset for item in job.items],
            "seconds": job.seconds,
            "error": job.error_reference,
            **cost_facts(house, job.seconds),
        },
    )
