"""One job: claim, render, gate, store. A failed gate re-renders once with a changed recipe.

What a worker holds is a lease with a fencing token (`claims`). A job whose worker or generation
service dies goes back to the queue and is rendered again from its stored recipe; a render id
names each submission, so a service that survived hands out the picture it already has.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from bot.core.budget import Budget
from bot.core.charging import charge_cancelled, charged
from bot.core.checking import check, job_event
from bot.core.claims import changed, give_back, renewed, still_ours
from bot.core.errors import HousestyleError, LeaseLost, StaleState, Unavailable
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.measuring import waited
from bot.core.picturing import pictures_of
from bot.core.spending import hold_back, must_wait, overdrawn, settle
from bot.core.telling import tell_job
from bot.core.waking import Loop
from bot.core.watching import hide, reference
from brand.kit import BrandKit
from brand.spec import RenderCancelled, RenderError, RenderUnavailable

log = logging.getLogger(__name__)

MAX_STARTS = 4
"""A job over which the generation service dies this often is given up."""
SUSPECT = 2
"""After so many starts that came to nothing a job is rendered with no other beside it: one of
them takes the service down, and the others are not to be given up with it."""

MOST_PASSED = 20
"""People whose jobs wait for their budgets are passed over, so many at most in one claim."""


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A job in hand, the kit it was queued under, and the budget that has no room for it now."""

    job: Job
    kit: BrandKit
    budget: Budget | None

    @property
    def is_suspect(self) -> bool:
        """Whether it is rendered alone."""
        return self.job.starts > SUSPECT


class NotNow(Exception):
    """The next job is not to be taken yet; the claim is rolled back."""

    def __init__(self, besides: str = "") -> None:
        super().__init__()
        self.besides = besides
        """Whose jobs wait, while those of others may be taken; empty: all wait."""


class RenderingWorker(Loop):
    """Claims jobs and brings them to their end, one at a time."""

    topic = "queue"
    poll_s = 2.0

    _is_away = False
    """The generation service did not answer last time."""

    async def run_one(self) -> bool:
        """Claim and work off one job; False if nothing waits, or nothing could render it."""
        claimed = await self.claim()
        if claimed is None:
            return False
        await self.work_off(claimed)
        return True

    async def claim(self, *, least: int | None = None) -> Claimed | None:
        """Take the next job of at least this priority; None if there is none to be rendered."""
        if self._is_away and not await self._is_back():
            return None
        besides: list[str] = []
        while len(besides) < MOST_PASSED:
            try:
                return await self._next(least, besides)
            except NotNow as exc:
                if not exc.besides:
                    return None
                besides.append(exc.besides)
        return None

    async def _next(self, least: int | None, besides: Collection[str]) -> Claimed | None:
        """Raises NotNow, which rolls back: the job's turn comes when one in hand is done."""
        house, now = self._house, self._house.clock.now()
        async with house.store.write() as tx:
            await tx.jobs.release_expired(now)
            job = await tx.jobs.claim(
                self._name, now=now, lease=house.lease, least=least, besides=besides
            )
            if job is None:
                return None
            kit = await tx.kits.get(job.kit_hash)
            claimed = Claimed(job=job, kit=kit, budget=await overdrawn(house, tx, job))
            if claimed.budget is not None:
                return claimed
            if claimed.is_suspect and self.in_hand:
                raise NotNow
            if await must_wait(house, tx, job):
                raise NotNow(besides=job.requester)
            await tell_job(tx, job, kit, now)
        return claimed

    @property
    def in_hand(self) -> int:
        """How many jobs it works on while it claims another one."""
        return 0

    async def work_off(self, claimed: Claimed) -> None:
        """Bring a claimed job to its end; cancelled, it gives the job back."""
        job = claimed.job
        with self._house.watch.span("job", trail=job.trail, job=job.id, pictures=len(job.pending)):
            await self._claimed(job, claimed.kit, claimed.budget)

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
        waited(house, job)
        if budget is not None:
            await self._hold(job, kit, budget)
            return
        changed(house, job)
        try:
            await self._work(job, kit)
        except asyncio.CancelledError:
            await give_back(house, job, begun=False)
            raise

    async def _hold(self, job: Job, kit: BrandKit, budget: Budget) -> None:
        """The budget was used up while the job waited."""
        house = self._house
        try:
            async with house.store.write() as tx:
                stored = still_ours(await tx.jobs.get(job.id), job)
                held = await hold_back(house, tx, stored, budget, kit)
                held = replace(held, starts=max(0, held.starts - 1))
                await tell_job(tx, await tx.jobs.update(held, was=stored), kit, house.clock.now())
        except (StaleState, LeaseLost):
            log.info("Job was cancelled before it was held", extra={"job": job.id})
        changed(house, job)

    async def _work(self, job: Job, kit: BrandKit) -> None:
        house = self._house
        used: dict[int, float] = {}
        try:
            if job.starts > MAX_STARTS:
                raise RenderError(f"it was started {MAX_STARTS} times and never finished")
            async with renewed(house, job):
                await check(house, job, kit, await pictures_of(house, job, used))
        except RenderUnavailable as exc:
            log.warning("Job goes back to the queue: %s", exc, extra={"job": job.id})
            self._is_away = True
            # The service was at it: perhaps it is this job that brought it down.
            live = house.live.get(job.id)
            await give_back(house, job, begun=live is not None and live.place == 0)
        except RenderCancelled:
            await self._end(job, kit, JobState.CANCELLED, "", used)
        except (StaleState, LeaseLost):
            log.info("Job was cancelled or taken over", extra={"job": job.id})
            await charge_cancelled(house, job, used, kit)
        except Unavailable:
            raise  # the store is away: the lease runs out, and the job is rendered again
        except (RenderError, HousestyleError) as exc:
            await self._end(job, kit, JobState.FAILED, str(exc), used)
        except Exception:
            # A job that trips over a bug of ours fails alone; the worker goes on with the next.
            log.exception("Job tripped over a bug", extra={"job": job.id})
            await self._end(job, kit, JobState.FAILED, "Something broke on our side.", used)
        finally:
            house.live.drop(job.id)
            changed(house, job)

    async def _end(
        self, job: Job, kit: BrandKit, state: JobState, why: str, used: Mapping[int, float]
    ) -> None:
        house, now = self._house, self._house.clock.now()
        try:
            async with house.store.write() as tx:
                stored = still_ours(await tx.jobs.get(job.id), job)
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
                if any(used.values()):
                    new = await charged(house, tx, new, used, kit)
                new = await tx.jobs.update(await settle(house, tx, new), was=stored)
                await tx.ledger.append(job_event(house, f"job.{state.value}", new))
                await tell_job(tx, new, kit, now)
            if failed:
                log.error("Job failed: %s", why, extra={"action": "job.failed", "job": job.id})
        except (StaleState, LeaseLost):
            log.info("Job had ended already", extra={"job": job.id})
            await charge_cancelled(house, job, used, kit)
