"""Tables of outgoing messages and of taken deliveries."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from bot.core.lives import OutboxState
from storage.tables.base import PLAIN, Row, few_of, row_number, word_of


class OutgoingRow(Row, table=True):
    """An outgoing message.

    `subject` is the card's; `platform`, `channel` and `thread` are the target's place (see
    `storage.steps.place_of`); `due_at` is when it may be sent; the three `sent_`
    columns say where it stands.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(None, "state", "due_at", "row"),
        Index("ix_outbox_place", "subject", "platform", "channel", "thread", "row"),
        Index("ix_outbox_sent", "sent_message", "sent_channel", "sent_platform"),
        few_of("ix_outbox_check_at", "check_at"),
    )

    row: int | None = row_number()
    id: str = Field(unique=True)
    target: dict[str, Any] = Field(sa_type=PLAIN)
    platform: str
    channel: str
    thread: str
    card: dict[str, Any] = Field(sa_type=PLAIN)
    subject: str
    created_at: datetime
    only_for: str = Field(sa_column_kwargs={"server_default": ""})
    reply_to: str = Field(sa_column_kwargs={"server_default": ""})
    update: dict[str, Any] | None = Field(sa_type=PLAIN)
    state: OutboxState = word_of(OutboxState)
    not_before: datetime | None
    due_at: datetime
    attempts: int
    sent: dict[str, Any] | None = Field(sa_type=PLAIN)
    sent_platform: str | None
    sent_channel: str | None
    sent_message: str | None
    check_at: datetime | None
    error: str
    fence: int
    worker: str
    lease_until: datetime | None
    version: int


class DeliveryRow(Row, table=True):
    """A delivery that was taken in: the platform's own id of it, once."""

    __tablename__ = "deliveries"

    platform: str = Field(primary_key=True)
    delivery: str = Field(primary_key=True)
    at: datetime
