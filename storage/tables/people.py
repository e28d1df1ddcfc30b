"""Tables of people, their roles, identities and keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from bot.core.lives import LinkState
from bot.core.people import KeyKind, Role
from storage.tables.base import PLAIN, Row, row_number, word_of


class PersonRow(Row, table=True):
    """A person."""

    __tablename__ = "people"

    row: int | None = row_number()
    id: str = Field(unique=True)
    name: str
    created_at: datetime
    team: str
    active: bool
    blocked_at: datetime | None
    blocked_by: str
    blocked_why: str
    version: int


class RoleRow(Row, table=True):
    """A role of a person in a brand (`*`: in all)."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("person", "brand", "role"),)

    row: int | None = row_number()
    person: str = Field(foreign_key="people.id")
    brand: str
    role: Role = word_of(Role)


class IdentityRow(Row, table=True):
    """An account of a person; it belongs to one person only."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("platform", "user", "team"),)

    row: int | None = row_number()
    person: str = Field(foreign_key="people.id", index=True)
    platform: str
    user: str
    team: str


class KeyRow(Row, table=True):
    """A link, invitation, session or API key by the hash of its secret."""

    __tablename__ = "keys"

    row: int | None = row_number()
    id: str = Field(unique=True)
    kind: KeyKind = word_of(KeyKind)
    person: str = Field(index=True)
    secret_hash: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    scopes: list[str] = Field(sa_type=PLAIN)
    label: str
    version: int


class LinkRow(Row, table=True):
    """A code that joins two accounts, by its hash."""

    __tablename__ = "account_links"

    row: int | None = row_number()
    id: str = Field(unique=True)
    person: str = Field(index=True)
    code_hash: str = Field(index=True)
    asked_from: dict[str, Any] = Field(sa_type=PLAIN)
    created_at: datetime
    expires_at: datetime
    state: LinkState = word_of(LinkState)
    claim: dict[str, Any] | None = Field(sa_type=PLAIN)
    claim_name: str
    version: int


class LinkTryRow(Row, table=True):
    """How many codes an account has typed since the first one of its window."""

    __tablename__ = "link_tries"

    platform: str = Field(primary_key=True)
    user: str = Field(primary_key=True)
    team: str = Field(primary_key=True)
    tries: int
    since: datetime
