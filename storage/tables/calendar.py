"""Tables of schedules and slots."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from bot.core.lives import ScheduleState, SlotState
from storage.tables.base import PLAIN, Row, row_number, word_of


class ScheduleRow(Row, table=True):
    """A schedule."""

    __tablename__ = "schedules"

    row: int | None = row_number()
    id: str = Field(unique=True)
    brand: str = Field(index=True)
    name: str
    weekdays: list[int] = Field(sa_type=PLAIN)
    at: time
    zone: str
    theme: str
    templates: list[str] = Field(sa_type=PLAIN)
    target: dict[str, Any] = Field(sa_type=PLAIN)
    owner: str
    created_at: datetime
    every_weeks: int
    starts_on: date
    lead_hours: int
    fallback_asset: str
    planned_until: date | None
    state: ScheduleState = word_of(ScheduleState)
    version: int


class SlotRow(Row, table=True):
    """A slot; one a schedule and local date, which needs no leader among several schedulers."""

    __tablename__ = "slots"
    __table_args__ = (
        UniqueConstraint("schedule", "local_date"),
        Index(None, "due_at", "row"),
        Index(None, "state", "due_at", "row"),
    )

    row: int | None = row_number()
    id: str = Field(unique=True)
    schedule: str = Field(foreign_key="schedules.id")
    brand: str
    local_date: date
    due_at: datetime
    template: str
    theme: str
    turn: int
    moved: bool
    job: str
    asset: str
    review: str
    publication: str
    renders: int
    reminded: int
    reason: str
    state: SlotState = word_of(SlotState)
    version: int
