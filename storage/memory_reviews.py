"""Reviews and publications in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.lives import PUBLICATION_STEPS, REVIEW_STEPS, PublicationState
from bot.core.publications import Publication
from bot.core.reviews import Review
from storage.memory_tables import Table, Tables
from storage.steps import ON_THEIR_WAY, OPEN_REVIEWS, check_votes, posted, review_open


class MemoryReviews:
    """The Reviews port."""

    def __init__(self, tables: Tables) -> None:
        self._reviews: Table[Review] = Table(tables, "review")

    async def add(self, review: Review) -> None:
        """See the port."""
        check_votes(review)
        open_ones = (r for r in self._reviews if r.state in OPEN_REVIEWS)
        if review.state in OPEN_REVIEWS and any(r.asset == review.asset for r in open_ones):
            raise review_open()
        self._reviews.add(review.id, review)

    async def get(self, review_id: str) -> Review:
        """See the port."""
        return self._reviews.need(review_id)

    async def update(self, new: Review, *, was: Review) -> Review:
        """See the port."""
        check_votes(new)
        return self._reviews.update(new, was, REVIEW_STEPS)

    async def of_asset(self, asset_id: str) -> Sequence[Review]:
        """See the port."""
        every = self._reviews.newest(lambda review: review.opened_at)
        return [review for review in every if review.asset == asset_id]

    async def open(self, *, brand: str = "") -> Sequence[Review]:
        """See the port."""
        every = self._reviews.oldest(lambda review: review.opened_at)
        return [r for r in every if r.state in OPEN_REVIEWS and brand in ("", r.brand)]

    async def count_open(self, brand: str) -> int:
        """See the port."""
        return len(await self.open(brand=brand))

    async def overdue(self, now: datetime) -> Sequence[Review]:
        """See the port."""
        every = self._reviews.oldest(lambda review: review.deadline)
        return [r for r in every if r.state in OPEN_REVIEWS and r.deadline <= now]


class MemoryPublications:
    """The Publications port."""

    def __init__(self, tables: Tables) -> None:
        self._publications: Table[Publication] = Table(tables, "publication")

    async def add(self, publication: Publication) -> None:
        """See the port."""
        for other in self._publications:
            if _post_of(other) == _post_of(publication):
                raise posted(publication.target)
        self._publications.add(publication.id, publication)

    async def get(self, publication_id: str) -> Publication:
        """See the port."""
        return self._publications.need(publication_id)

    async def claim(
        self,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        platforms: Collection[str] | None = None,
    ) -> Publication | None:
        """See the port."""
        due = [
            publication
            for publication in self._publications.oldest(lambda p: p.due_at)
            if publication.state is PublicationState.PENDING and publication.due_at <= now
            if platforms is None or publication.target.platform in platforms
        ]
        if not due:
            return None
        claimed = replace(
            due[0],
            state=PublicationState.SENDING,
            fence=due[0].fence + 1,
            worker=worker,
            lease_until=now + lease,
        )
        return self._publications.update(claimed, due[0], PUBLICATION_STEPS)

    async def update(self, new: Publication, *, was: Publication) -> Publication:
        """See the port."""
        return self._publications.update(new, was, PUBLICATION_STEPS)

    async def expired(self, now: datetime) -> Sequence[Publication]:
        """See the port."""
        return [
            publication
            for publication in self._publications.oldest(lambda p: p.due_at)
            if publication.state is PublicationState.SENDING
            and publication.lease_until is not None
            and publication.lease_until <= now
        ]

    async def doubtful(self, now: datetime) -> Sequence[Publication]:
        """See the port."""
        ended = (p for p in self._publications if p.state not in ON_THEIR_WAY)
        due = [(p.check_at, p) for p in ended if p.check_at is not None and p.check_at <= now]
        return [publication for _, publication in sorted(due, key=lambda pair: pair[0])]

    async def of_asset(self, asset_id: str) -> Sequence[Publication]:
        """See the port."""
        every = self._publications.newest(lambda publication: publication.created_at)
        return [publication for publication in every if publication.asset == asset_id]


def _post_of(publication: Publication) -> tuple[str, str, str, str]:
    target = publication.target
    return publication.review, target.platform, target.channel, publication.slot
