"""Tables of the ledger: events, and beside them what can be erased."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from storage.tables.base import BIG, PLAIN, Row, row_number

_WAITS = text("seq IS NULL")


class EventRow(Row, table=True):
    """An event. `seq`, `previous` and `hash` are given when it is chained.

    The commitments stay when the personal text and its salt are erased, so the chain verifies.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        Index(None, "subject", "row"),
        Index(None, "brand", "row"),
        Index(None, "actor", "row"),
        Index(None, "action", "row"),
        Index(
            "ix_ledger_waiting",
            "row",
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
    )

    row: int | None = row_number()
    id: str = Field(unique=True)
    action: str
    subject: str
    at: datetime
    actor: str
    brand: str
    facts: dict[str, Any] = Field(sa_type=PLAIN)
    commitments: dict[str, str] = Field(sa_type=PLAIN)
    seq: int | None = Field(default=None, unique=True, sa_type=BIG)
    previous: str
    hash: str


class PersonalRow(Row, table=True):
    """A personal text of an event, with its salt."""

    __tablename__ = "ledger_personal"

    event: str = Field(primary_key=True, foreign_key="ledger.id")
    name: str = Field(primary_key=True)
    value: str
    salt: str
