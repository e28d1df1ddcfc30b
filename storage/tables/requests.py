"""Table of requests that programs made with an idempotency key."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from storage.tables.base import PLAIN, Row


class RequestRow(Row, table=True):
    """A request that was carried out, and the answer it got."""

    __tablename__ = "requests"

    person: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    content: str
    job: str
    answer: dict[str, Any] = Field(sa_type=PLAIN)
    created_at: datetime = Field(index=True)
