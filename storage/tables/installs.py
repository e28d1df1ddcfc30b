"""Tables of the workspaces that installed the app, and of the files that stand there."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from storage.tables.base import PLAIN, Row


class InstallRow(Row, table=True):
    """The app in one workspace, or in all of an enterprise (`team` is empty then)."""

    __tablename__ = "installs"

    platform: str = Field(primary_key=True)
    enterprise: str = Field(primary_key=True)
    team: str = Field(primary_key=True)
    app: str
    name: str
    url: str
    bot_user: str
    bot_id: str
    scopes: list[str] = Field(sa_type=PLAIN)
    installed_by: str
    installed_at: datetime
    sealed: str
    expires_at: datetime | None
    gone_at: datetime | None
    rotating_until: datetime | None
    rotating_by: str
    version: int


class SentFileRow(Row, table=True):
    """A file that was uploaded to a workspace; `key` is the SHA-256 of what it shows."""

    __tablename__ = "sent_files"
    __table_args__ = (Index(None, "platform", "team", "file"), Index(None, "at"))

    platform: str = Field(primary_key=True)
    team: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    file: str
    ready: bool
    at: datetime
