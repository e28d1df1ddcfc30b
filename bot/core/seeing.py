"""Who may see which picture (DESIGN, rule 3): drafts stay with those whom they concern."""

from collections.abc import Sequence

from bot.core.assets import Asset
from bot.core.errors import NotFound
from bot.core.jobs import Job
from bot.core.lives import AssetState
from bot.core.messages import Audience, Card
from bot.core.people import Person, Role
from bot.core.policy import MANAGERS, audience_of
from bot.core.ports import Transaction
from brand.kit import BrandKit

DRAFTS = (AssetState.CANDIDATE, AssetState.DISCARDED)
WIDE = MANAGERS | {Role.APPROVER.value, Role.AUDITOR.value}


def sees_wide(kit: BrandKit, person: Person) -> bool:
    """Whether the person's work is to look at what others made."""
    roles = person.roles_in(kit.id)
    return bool(roles & WIDE) or kit.review.allows_approval(person.id, roles)


def may_see_job(kit: BrandKit, person: Person, job: Job) -> bool:
    """Own jobs; those of a working channel for members; all but private ones for reviewers."""
    if person.id == job.requester:
        return True
    roles = person.roles_in(kit.id)
    if job.private:
        return Role.AUDITOR.value in roles
    if roles and job.origin is not None and audience_of(kit, job.origin) is Audience.WORKING:
        return True
    return sees_wide(kit, person)


def as_seen(kit: BrandKit, person: Person, job: Job, card: Card) -> Card:
    """The job's card for somebody who may stop or pause it: of a private one, without what only
    its requester sees."""
    if may_see_job(kit, person, job):
        return card
    return Card(kind="reply", title="A private request", status=card.status, private=True)


def not_there(picture: str) -> NotFound:
    """What is said of a picture that somebody may not see, by its id or its job's."""
    return NotFound(
        f"There is no picture `{picture[:40]}`.", fix="`/find WORDS` searches the archive."
    )


class Sight:
    """What one person may see; reads jobs and kits once each within one transaction."""

    def __init__(self, tx: Transaction, person: Person) -> None:
        self._tx = tx
        self._person = person
        self._jobs: dict[str, Job | None] = {}
        self._kits: dict[str, BrandKit] = {}

    async def asset(self, asset: Asset) -> bool:
        """Approved pictures are for the brand's members. What was in review stood in the
        working channels, for their members too. Drafts go by their job."""
        if asset.is_erased:
            return False
        if asset.requester == self._person.id:
            return True
        member = bool(self._person.roles_in(asset.brand))
        if asset.state is AssetState.APPROVED:
            return member
        kit = await self._kit(asset.brand)
        shared = sees_wide(kit, self._person) or (member and bool(kit.working_channels))
        if shared and await self._was_reviewed(asset):
            return True
        job = await self._job(asset.job)
        return job is not None and may_see_job(kit, self._person, job)

    async def check(self, asset: Asset) -> None:
        """Raises NotFound for a picture that the person may not see."""
        if not await self.asset(asset):
            raise not_there(asset.id)

    async def only_visible(self, assets: Sequence[Asset]) -> list[Asset]:
        """Those of `assets` that the person may see, in their order."""
        return [asset for asset in assets if await self.asset(asset)]

    async def job(self, job: Job) -> bool:
        """Whether the person may see this job's words and previews."""
        return may_see_job(await self._kit(job.brand), self._person, job)

    async def _was_reviewed(self, asset: Asset) -> bool:
        if asset.state is AssetState.WITHDRAWN:  # a draft can be withdrawn too
            return bool(await self._tx.reviews.of_asset(asset.id))
        return asset.state not in DRAFTS

    async def _kit(self, brand: str) -> BrandKit:
        if brand not in self._kits:
            self._kits[brand] = await self._tx.kits.current(brand)
        return self._kits[brand]

    async def _job(self, job_id: str) -> Job | None:
        if job_id not in self._jobs:
            try:
                self._jobs[job_id] = await self._tx.jobs.get(job_id)
            except NotFound:
                self._jobs[job_id] = None
        return self._jobs[job_id]
