"""Tables of reviews, votes and publications."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from bot.core.lives import PublicationState, ReviewState
from bot.core.reviews import Answer
from storage.tables.base import PLAIN, Row, few_of, row_number, word_of

_IS_OPEN = text("state IN ('open', 'escalated')")


class ReviewRow(Row, table=True):
    """A review. An asset has at most one that is open."""

    __tablename__ = "reviews"
    __table_args__ = (
        Index(
            "uq_reviews_open_asset",
            "asset",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        Index(None, "asset", "opened_at"),
        Index(None, "state", "opened_at"),
        Index(None, "state", "deadline"),
    )

    row: int | None = row_number()
    id: str = Field(unique=True)
    asset: str
    brand: str
    requester: str
    pixel_hash: str
    rendition_hashes: list[str] = Field(sa_type=PLAIN)
    target: dict[str, Any] | None = Field(sa_type=PLAIN)
    opened_at: datetime
    deadline: datetime
    quorum: int
    caption: str
    state: ReviewState = word_of(ReviewState)
    outcome: Answer | None = word_of(Answer)
    decided_at: datetime | None
    version: int


class VoteRow(Row, table=True):
    """A vote; one a person and review."""

    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("review", "person"),)

    row: int | None = row_number()
    review: str = Field(foreign_key="reviews.id")
    person: str
    name: str
    answer: Answer = word_of(Answer)
    at: datetime
    reason: str
    platform: str
    own_request: bool


class PublicationRow(Row, table=True):
    """A publication; one a review, channel and slot: a fallback goes out for many slots.

    `platform` and `channel` repeat the target's.
    """

    __tablename__ = "publications"
    __table_args__ = (
        UniqueConstraint("review", "platform", "channel", "slot"),
        Index(None, "state", "due_at", "row"),
        Index(None, "asset", "created_at"),
        few_of("ix_publications_check_at", "check_at"),
    )

    row: int | None = row_number()
    id: str = Field(unique=True)
    asset: str
    review: str
    brand: str
    rendition: str
    file_hash: str
    pixel_hash: str
    target: dict[str, Any] = Field(sa_type=PLAIN)
    platform: str
    channel: str
    caption: str
    requested_by: str
    due_at: datetime
    created_at: datetime
    slot: str
    state: PublicationState = word_of(PublicationState)
    attempts: int
    receipt: dict[str, Any] | None = Field(sa_type=PLAIN)
    sent_at: datetime | None
    tried_at: datetime | None
    check_at: datetime | None
    error: str
    fence: int
    worker: str
    lease_until: datetime | None
    version: int
