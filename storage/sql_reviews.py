"""Reviews with their votes, and publications, in SQL."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.engine import RowMapping

from bot.core.errors import Conflict
from bot.core.lives import PUBLICATION_STEPS, REVIEW_STEPS, PublicationState
from bot.core.publications import Publication
from bot.core.reviews import Review, Vote
from storage.rows import Shape
from storage.sql_table import Session, SqlTable
from storage.steps import ON_THEIR_WAY, OPEN_REVIEWS, check_votes, posted, review_open
from storage.tables import PublicationRow, ReviewRow, VoteRow

_REVIEWS = Shape(Review, ReviewRow, apart=("votes",))
_VOTES = Shape(Vote, VoteRow)
_PUBLICATIONS = Shape(Publication, PublicationRow)


class _ReviewTable(SqlTable[Review]):
    async def load(self, rows: Sequence[RowMapping]) -> list[Review]:
        if not rows:
            return []
        table = _VOTES.table
        query = select(table).where(table.c.review.in_([row["id"] for row in rows]))
        of: dict[str, list[Vote]] = defaultdict(list)
        for found in await self.session.rows(query.order_by(table.c.row)):
            of[found["review"]].append(_VOTES.value(found))
        return [_REVIEWS.value(row, votes=tuple(of[row["id"]])) for row in rows]


class SqlReviews:
    """The Reviews port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reviews = _ReviewTable(session, "review", _REVIEWS)
        self._c = self._reviews.c

    async def add(self, review: Review) -> None:
        """See the port."""
        check_votes(review)
        tables = [(_REVIEWS.table, [_REVIEWS.row(review)]), (_VOTES.table, _vote_rows(review))]
        await self._session.insert(tables, refused=review_open())

    async def get(self, review_id: str) -> Review:
        """See the port."""
        return await self._reviews.need(review_id)

    async def update(self, new: Review, *, was: Review) -> Review:
        """See the port."""
        check_votes(new)
        updated = await self._reviews.update(new, was, REVIEW_STEPS)
        if new.votes != was.votes:
            await self._session.change(delete(_VOTES.table).where(_VOTES.table.c.review == new.id))
            await self._session.add_rows(_VOTES.table, _vote_rows(new))
        return updated

    async def of_asset(self, asset_id: str) -> Sequence[Review]:
        """See the port."""
        newest = (self._c.opened_at.desc(), self._c.row.desc())
        return await self._reviews.where(self._c.asset == asset_id, order=newest)

    async def open(self, *, brand: str = "") -> Sequence[Review]:
        """See the port."""
        of_brand = [self._c.brand == brand] if brand else []
        reviews = await self._waiting(*of_brand)
        return sorted(reviews, key=lambda review: review.opened_at)

    async def count_open(self, brand: str) -> int:
        """See the port."""
        states = [(self._c.state == state) & (self._c.brand == brand) for state in OPEN_REVIEWS]
        counts = [select(func.count()).select_from(_REVIEWS.table).where(state) for state in states]
        return sum([await self._session.number(count) for count in counts])

    async def overdue(self, now: datetime) -> Sequence[Review]:
        """See the port."""
        reviews = await self._waiting(self._c.deadline <= now)
        return sorted(reviews, key=lambda review: review.deadline)

    async def _waiting(self, *conditions: ColumnElement[bool]) -> list[Review]:
        # One state at a time: for an IN of them SQLite would rather read the whole table.
        found = []
        for state in OPEN_REVIEWS:
            order = (self._c.opened_at, self._c.row)
            found += await self._reviews.where(self._c.state == state, *conditions, order=order)
        return found


def _vote_rows(review: Review) -> list[dict[str, Any]]:
    return [{"review": review.id, **_VOTES.row(vote)} for vote in review.votes]


class _PublicationTable(SqlTable[Publication]):
    def columns(self, value: Publication) -> dict[str, Any]:
        target = {"platform": value.target.platform, "channel": value.target.channel}
        return {**super().columns(value), **target}

    def conflict(self, value: Publication) -> Conflict:
        return posted(value.target)


class SqlPublications:
    """The Publications port."""

    def __init__(self, session: Session) -> None:
        self._publications = _PublicationTable(session, "publication", _PUBLICATIONS)
        self._c = self._publications.c
        self._by_due = (self._c.due_at, self._c.row)

    async def add(self, publication: Publication) -> None:
        """See the port."""
        await self._publications.add(publication)

    async def get(self, publication_id: str) -> Publication:
        """See the port."""
        return await self._publications.need(publication_id)

    async def claim(
        self,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        platforms: Collection[str] | None = None,
    ) -> Publication | None:
        """See the port."""
        due = [self._c.state == PublicationState.PENDING, self._c.due_at <= now]
        due += [self._c.platform.in_(platforms)] if platforms is not None else []
        found = await self._publications.where(*due, order=self._by_due, limit=1, lock=True)
        if not found:
            return None
        claimed = replace(
            found[0],
            state=PublicationState.SENDING,
            fence=found[0].fence + 1,
            worker=worker,
            lease_until=now + lease,
        )
        return await self._publications.update(claimed, found[0], PUBLICATION_STEPS)

    async def update(self, new: Publication, *, was: Publication) -> Publication:
        """See the port."""
        return await self._publications.update(new, was, PUBLICATION_STEPS)

    async def expired(self, now: datetime) -> Sequence[Publication]:
        """See the port."""
        lost = (self._c.state == PublicationState.SENDING, self._c.lease_until <= now)
        return await self._publications.where(*lost, order=self._by_due)

    async def doubtful(self, now: datetime) -> Sequence[Publication]:
        """See the port."""
        ended = self._c.state.not_in(ON_THEIR_WAY)
        order = (self._c.check_at, self._c.row)
        return await self._publications.where(self._c.check_at <= now, ended, order=order)

    async def of_asset(self, asset_id: str) -> Sequence[Publication]:
        """See the port."""
        newest = (self._c.created_at.desc(), self._c.row.desc())
        return await self._publications.where(self._c.asset == asset_id, order=newest)
