"""Tables of jobs, and of whose turn it is."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from bot.core.lives import JobState
from storage.tables.base import BIG, PLAIN, Row, row_number, word_of


class JobRow(Row, table=True):
    """A job. `rank` is the negated priority, so that one ascending index gives whose turn it is:
    those free to be claimed (`hold` is empty) come first in it, then those held, by account."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "state", "hold", "rank", "turn", "created_at", "row"),
        Index(None, "brand", "created_at", "row"),
        Index(None, "requester", "created_at", "row"),
        Index(None, "created_at", "row"),
    )

    row: int | None = row_number()
    id: str = Field(unique=True)
    brand: str
    kit_version: str
    kit_hash: str
    requester: str
    brief: dict[str, Any] = Field(sa_type=PLAIN)
    items: list[Any] = Field(sa_type=PLAIN)
    created_at: datetime
    updated_at: datetime
    origin: dict[str, Any] | None = Field(sa_type=PLAIN)
    private: bool
    priority: int
    rank: int
    state: JobState = word_of(JobState)
    error: str
    error_reference: str
    slot: str
    source_asset: str
    fence: int
    starts: int
    worker: str
    lease_until: datetime | None
    version: int
    seconds: float
    hold: str
    held_why: str
    turn: int = Field(sa_type=BIG)
    charge: dict[str, Any] | None = Field(sa_type=PLAIN)
    trail: str
    paused_at: datetime | None
    place: str
    groups: list[str] = Field(sa_type=PLAIN)


class TurnRow(Row, table=True):
    """Where a person's last job of a priority ends in virtual time."""

    __tablename__ = "turns"
    __table_args__ = (Index(None, "priority", "finish"),)

    priority: int = Field(primary_key=True)
    requester: str = Field(primary_key=True)
    finish: int = Field(sa_type=BIG)
