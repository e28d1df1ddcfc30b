"""Table of the pictures that people brought."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from storage.tables.base import BIG, Row


class UploadRow(Row, table=True):
    """A file that somebody brought, and the newest job that it was used in."""

    __tablename__ = "uploads"
    __table_args__ = (Index(None, "person", "at"), Index(None, "job", "at"))

    person: str = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    bytes: int = Field(sa_type=BIG)
    at: datetime
    job: str
