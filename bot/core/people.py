"""People: members, their roles per brand, their identities on the platforms."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a member may do in a brand (`*` as the brand: in all)."""

    REQUESTER = "requester"
    APPROVER = "approver"
    BRAND_MANAGER = "brand_manager"
    ADMIN = "admin"
    AUDITOR = "auditor"


ANY_BRAND = "*"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One account of a person on one platform."""

    platform: str
    user: str
    team: str = ""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member. Erasing empties `name` and the identities; the id and the ledger stay."""

    id: str
    name: str
    created_at: datetime
    roles: tuple[tuple[str, Role], ...] = ()
    """(brand id or `*`, role) pairs."""
    identities: tuple[Identity, ...] = ()
    team: str = ""
    """The group whose budget they share, or empty."""
    active: bool = True
    """False once they have left: they can neither sign in nor give commands."""
    version: int = 0

    def roles_in(self, brand: str) -> frozenset[str]:
        """Role words that hold in this brand."""
        return frozenset(role.value for where, role in self.roles if where in (brand, ANY_BRAND))


class KeyKind(StrEnum):
    """What a stored secret opens."""

    LINK = "link"
    SESSION = "session"
    API = "api"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A secret by its hash: a one-time link, a portal session, an API key."""

    id: str
    kind: KeyKind
    person: str
    secret_hash: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    version: int = 0
