"""Tables of the local chat's timeline."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from storage.tables.base import PLAIN, Row, row_number


class TimelineRow(Row, table=True):
    """A message of the local chat. `outgoing` is NULL for what people write."""

    __tablename__ = "timeline"
    __table_args__ = (Index(None, "channel", "row"),)

    row: int | None = row_number()
    id: str = Field(unique=True)
    channel: str
    author: str
    user: str
    at: datetime
    text: str
    card: dict[str, Any] | None = Field(sa_type=PLAIN)
    outgoing: str | None = Field(unique=True)
    blob: str
    only_for: str
    edited_at: datetime | None
    version: int


class ReactionRow(Row, table=True):
    """A person's reaction to a message."""

    __tablename__ = "reactions"
    __table_args__ = (UniqueConstraint("message", "emoji", "user"),)

    row: int | None = row_number()
    message: str = Field(foreign_key="timeline.id")
    emoji: str
    user: str
