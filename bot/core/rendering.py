"""One job: claim, render, gate, store. A failed gate re-renders once with a changed recipe.

What a worker holds is a lease with a fencing token; it renews the lease while it works, and
whatever it stores after losing it is refused by the store. A job whose worker or generation
service dies goes back to the queue and is rendered again from its stored recipe; a render id
names each submission, so a service that survived hands out the picture it already has.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

from bot.core.assets import Asset, Rendition
from bot.core.budget import Budget
from bot.core.cards import brief_title
from bot.core.errors import Conflict, HousestyleError, LeaseLost, NotFound, StaleState, Unavailable
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.jobs import MAX_ATTEMPTS, Job, JobItem
from bot.core.ledger import Event
from bot.core.live import LiveProgress
from bot.core.lives import AssetState, JobState
from bot.core.ports import Checked, Signal
from bot.core.spending import cost_facts, hold_back, measured, overdrawn, settle
from bot.core.submitting import picture_of
from bot.core.telling import tell_job
from bot.core.waking import Loop
from bot.core.watching import hide, reference
from brand.kit import BrandKit
from brand.retry import changed_recipe
from brand.spec import (
    Picture,
    Progress,
    RenderBusy,
    RenderCancelled,
    RenderError,
    RenderRequest,
    RenderUnavailable,
)

log = logging.getLogger(__name__)

MAX_CLAIMS = 6  # a job that takes the generation service down this often is given up


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """An item with its picture, before the gates."""

    item: JobItem
    picture: Picture


class RenderingWorker(Loop):
    """Claims jobs and brings them to their end, one at a time."""

    topic = "queue"
    poll_s = 2.0

    _is_away = False
    """The generation service did not answer last time."""

    async def run_one(self) -> bool:
        """Claim and work off one job; False if nothing waits, or nothing could render it."""
        house = self._house
        if self._is_away and not await self._is_back():
            return False
        now = house.clock.now()
        async with house.store.write() as tx:
            await tx.jobs.release_expired(now)
            job = await tx.jobs.claim(self._name, now=now, lease=house.lease)
            if job is not None:
                kit = await tx.kits.get(job.kit_hash)
                budget = await overdrawn(house, tx, job)
                if budget is None:
                    await tell_job(tx, job, kit, now)
        if job is None:
            return False
        with house.watch.span("job", trail=job.trail, job=job.id, pictures=len(job.pending)):
            await self._claimed(job, kit, budget)
        return True

    async def _is_back(self) -> bool:
        """Ask before claiming again: an outage must not use up the claims of all that waits."""
        try:
            await self._house.renderer.health()
        except RenderUnavailable:
            return False
        self._is_away = False
        return True

    async def _claimed(self, job: Job, kit: BrandKit, budget: Budget | None) -> None:
        house = self._house
        hide(job.brief.words, *(item.spec.prompt for item in job.items))
        _waited(house, job)
        if budget is not None:
            await self._hold(job, kit, budget)
            return
        _changed(house, job)
        try:
            await self._work(job, kit)
        except asyncio.CancelledError:
            await _give_back(house, job)
            raise

    async def _hold(self, job: Job, kit: BrandKit, budget: Budget) -> None:
        """The budget was used up while the job waited."""
        house = self._house
        try:
            async with house.store.write() as tx:
                stored = _still_ours(await tx.jobs.get(job.id), job)
                held = await hold_back(house, tx, stored, budget, kit)
                await tell_job(tx, await tx.jobs.update(held, was=stored), kit, house.clock.now())
        except (StaleState, LeaseLost):
            log.info("Job was cancelled before it was held", extra={"job": job.id})
        _changed(house, job)

    async def _work(self, job: Job, kit: BrandKit) -> None:
        house = self._house
        try:
            if job.fence > MAX_CLAIMS:
                raise RenderError(f"it was started {MAX_CLAIMS} times and never finished")
            async with _renewed(house, job):
                rendered = [await self._render(job, item) for item in job.pending]
                await self._check(job, kit, rendered)
        except RenderUnavailable as exc:
            log.warning("Job goes back to the queue: %s", exc, extra={"job": job.id})
            self._is_away = True
            await _give_back(house, job)
        except RenderCancelled:
            await self._end(job, kit, JobState.CANCELLED, "")
        except (StaleState, LeaseLost):
            log.info("Job was cancelled or taken over", extra={"job": job.id})
        except Unavailable:
            raise  # the store is away: the lease runs out, and the job is rendered again
        except (RenderError, HousestyleError) as exc:
            await self._end(job, kit, JobState.FAILED, str(exc))
        except Exception:
            # A job that trips over a bug of ours fails alone; the worker goes on with the next.
            log.exception("Job tripped over a bug", extra={"job": job.id})
            await self._end(job, kit, JobState.FAILED, "Something broke on our side.")
        finally:
            house.live.drop(job.id)
            _changed(house, job)

    async def _render(self, job: Job, item: JobItem) -> Rendered:
        request = RenderRequest(
            render_id=item.render_id, brand=job.brand, spec=item.spec, priority=job.priority
        )
        with _timed(self._house, "rendering"), self._house.watch.span("submit", picture=item.index):
            picture = await self._picture(job, item, request)
        return Rendered(item=item, picture=picture)

    async def _picture(self, job: Job, item: JobItem, request: RenderRequest) -> Picture:
        """Waits with the job in hand while the service is full: that is no failed start."""
        while True:
            try:
                return await picture_of(
                    self._house, request, lambda progress: self._note(job, item, progress)
                )
            except RenderBusy as exc:
                await self._house.clock.sleep(exc.retry_after_s)

    def _note(self, job: Job, item: JobItem, event: Progress) -> None:
        total = len(job.items)
        finished = total - len(job.pending) + [i.index for i in job.pending].index(item.index)
        part = event.done / event.total if event.total else 0.0
        progress = LiveProgress(
            fraction=(finished + part) / total,
            place=event.place,
            eta_s=event.eta_s,
            preview=event.preview,
            picture=finished + 1,
            pictures=total,
        )
        self._house.live.put(job.id, progress)
        data = {
            "fraction": round(progress.fraction, 4),
            "place": event.place,
            "eta_s": event.eta_s,
            "preview": bool(event.preview),
            "picture": progress.picture,
            "pictures": total,
        }
        self._house.signals.publish(Signal(topic=f"job:{job.id}", kind="progress", data=data))

    async def _check(self, job: Job, kit: BrandKit, rendered: Sequence[Rendered]) -> None:
        house = self._house
        async with house.store.write() as tx:
            # The lease was renewed meanwhile, so the stored row is newer than ours.
            stored = _still_ours(await tx.jobs.get(job.id), job)
            seconds = sum(r.picture.seconds for r in rendered)
            counted = await measured(house, tx, stored, seconds, kit)
            await tx.jobs.update(replace(counted, state=JobState.CHECKING), was=stored)
        _changed(house, job)
        with _timed(house, "checking"):
            results = [await self._asset_of(job, kit, each) for each in rendered]
            with house.watch.span("store"):
                await self._store(job, kit, results)
        for asset, _ in results:
            _counted(house, asset)

    async def _asset_of(self, job: Job, kit: BrandKit, rendered: Rendered) -> tuple[Asset, JobItem]:
        house, item, picture = self._house, rendered.item, rendered.picture
        async with house.store.read() as tx:
            known = await tx.assets.fingerprints(job.brand)
            earlier = [a for a in await tx.assets.of_job(job.id) if a.index == item.index]
        if job.source_asset:  # a variation is meant to be like its source
            known = [pair for pair in known if pair[0] != job.source_asset]
        with house.watch.span("gates", picture=item.index):
            checked = await house.studio.check(picture.png, item.spec, kit, known)
        asset_id = new_id()
        renditions = await self._files(job, asset_id, picture, item, kit)
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
            parent=earlier[-1].id if earlier else job.source_asset,
            change=item.change,
            seconds=picture.seconds,
            cost=house.tariff.money(picture.seconds) if house.tariff else None,
        )
        return asset, _next_item(item, asset, checked, kit)

    async def _files(
        self, job: Job, asset_id: str, picture: Picture, item: JobItem, kit: BrandKit
    ) -> list[Rendition]:
        made = await self._house.studio.make_files(
            picture.png,
            item.spec,
            kit,
            asset_id=asset_id,
            weights=picture.reproduction.weights,
            from_photo=bool(job.brief.reference),
        )
        return [
            Rendition(
                id=new_id(),
                asset=asset_id,
                transform=file.transform,
                file_hash=await self._house.blobs.put(file.data),
                pixel_hash=file.pixel_hash,
                mime=file.mime,
                bytes=len(file.data),
                width=file.width,
                height=file.height,
            )
            for file in made
        ]

    async def _store(
        self, job: Job, kit: BrandKit, results: Sequence[tuple[Asset, JobItem]]
    ) -> None:
        house, now = self._house, self._house.clock.now()
        async with house.store.write() as tx:
            stored = _still_ours(await tx.jobs.get(job.id), job)
            new = replace(stored, updated_at=now)
            for asset, item in results:
                await tx.assets.add(asset)
                await tx.ledger.append(_rendered_event(asset))
                new = new.with_item(item)
            again = bool(new.pending)
            new = replace(
                new,
                state=JobState.QUEUED if again else JobState.DONE,
                lease_until=None,
                worker="",
            )
            if not again:
                new = await settle(house, tx, new)
            new = await tx.jobs.update(new, was=stored)
            if not again:
                await tx.ledger.append(_job_event(house, "job.done", new))
            await tell_job(tx, new, kit, now)
        if again:
            house.signals.publish(Signal(topic="queue", kind="added", data={}))

    async def _end(self, job: Job, kit: BrandKit, state: JobState, why: str) -> None:
        house, now = self._house, self._house.clock.now()
        try:
            async with house.store.write() as tx:
                stored = _still_ours(await tx.jobs.get(job.id), job)
                failed = state is JobState.FAILED
                known = reference() if failed else ""
                new = replace(
                    stored,
                    state=state,
                    error=why,
                    error_reference=known,
                    updated_at=now,
                    lease_until=None,
                )
                new = await tx.jobs.update(await settle(house, tx, new), was=stored)
                await tx.ledger.append(_job_event(house, f"job.{state.value}", new))
                await tell_job(tx, new, kit, now)
            if failed:
                log.error("Job failed: %s", why, extra={"action": "job.failed", "job": job.id})
        except (StaleState, LeaseLost):
            log.info("Job had ended already", extra={"job": job.id})


@contextmanager
def _timed(house: House, step: str) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        house.watch.time("job", time.perf_counter() - began, step=step)


def _waited(house: House, job: Job) -> None:
    """How long it stood in the queue; a job that was taken over did not wait in it."""
    if job.fence == 1:
        waited = max(0.0, (house.clock.now() - job.created_at).total_seconds())
        house.watch.time("job", waited, step="waiting")
        with house.watch.span("queue wait", ago=waited):
            pass


def _counted(house: House, asset: Asset) -> None:
    passed = asset.evidence.passed
    house.watch.count("pictures", outcome="passed" if passed else "discarded")
    for verdict in asset.evidence.verdicts:
        outcome = {True: "passed", False: "failed", None: "not_judged"}[verdict.passed]
        house.watch.count("gates", gate=verdict.name, outcome=outcome)


def _still_ours(stored: Job, ours: Job) -> Job:
    if stored.fence != ours.fence or stored.state not in (JobState.RENDERING, JobState.CHECKING):
        raise LeaseLost("The job was cancelled or taken over by another worker.")
    return stored


def _next_item(item: JobItem, asset: Asset, checked: Checked, kit: BrandKit) -> JobItem:
    if checked.evidence.passed or item.attempt >= MAX_ATTEMPTS:
        return replace(item, asset=asset.id)
    spec, why = changed_recipe(item.spec, checked.evidence, item.attempt + 1, kit)
    return replace(item, spec=spec, attempt=item.attempt + 1, change=why, render_id=new_id())


async def _give_back(house: House, job: Job) -> None:
    try:
        async with house.store.write() as tx:
            stored = _still_ours(await tx.jobs.get(job.id), job)
            new = replace(stored, state=JobState.QUEUED, worker="", lease_until=None)
            new = await tx.jobs.update(new, was=stored)
            await tell_job(tx, new, await tx.kits.get(new.kit_hash), house.clock.now())
    except (Conflict, NotFound):
        log.info("Job had moved on before it was given back", extra={"job": job.id})


@asynccontextmanager
async def _renewed(house: House, job: Job) -> AsyncIterator[None]:
    """Renew the lease in the background; losing it stops the work."""
    work = asyncio.current_task()
    lost: list[Exception] = []

    async def renew() -> None:
        while True:
            await house.clock.sleep(house.lease.total_seconds() / 3)
            try:
                async with house.store.write() as tx:
                    stored = _still_ours(await tx.jobs.get(job.id), job)
                    await tx.jobs.renew(stored, until=house.clock.now() + house.lease)
            except Unavailable:
                log.exception("The lease could not be renewed", extra={"job": job.id})
            except (Conflict, NotFound) as exc:
                lost.append(exc)
                if work is not None:
                    work.cancel()
                return

    task = asyncio.create_task(renew())
    try:
        yield
    except asyncio.CancelledError:
        if lost:
            if work is not None:
                work.uncancel()
            for item in job.pending:
                await house.renderer.cancel(item.render_id)
            raise LeaseLost("The job was cancelled or taken over.") from lost[0]
        raise
    finally:
        task.cancel()


def _changed(house: House, job: Job) -> None:
    house.signals.publish(Signal(topic=f"job:{job.id}", kind="changed", data={}))
    house.signals.publish(Signal(topic="outbox", kind="added", data={}))


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
        },
    )


def _job_event(house: House, action: str, job: Job) -> Event:
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
