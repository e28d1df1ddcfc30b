"""People: members, their roles per brand, their identities on the platforms."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.lives import LinkState


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

    def __str__(self) -> str:
        return f"{self.platform}:{self.user}"


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
    blocked_at: datetime | None = None
    """Since when they are on the block list: they give no command, and stay a member."""
    blocked_by: str = ""
    """Person id of whoever put them there."""
    blocked_why: str = ""
    """As they read it."""
    version: int = 0

    def roles_in(self, brand: str) -> frozenset[str]:
        """Role words that hold in this brand."""
        return frozenset(role.value for where, role in self.roles if where in (brand, ANY_BRAND))

    @property
    def is_admin(self) -> bool:
        """Whether they may change everything, in all brands."""
        return self.active and (ANY_BRAND, Role.ADMIN) in self.roles

    @property
    def is_blocked(self) -> bool:
        """Whether they are on the block list."""
        return self.blocked_at is not None

    @property
    def is_erased(self) -> bool:
        """Whether nothing is left of them but the id."""
        return not self.name and not self.active


class KeyKind(StrEnum):
    """What a stored secret opens."""

    LINK = "link"
    INVITE = "invite"
    SESSION = "session"
    API = "api"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A secret by its hash: a one-time link, an invitation, a portal session, an API key."""

    id: str
    kind: KeyKind
    person: str
    secret_hash: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    """When it was used up; of an API key, its last use (to the minute)."""
    scopes: tuple[str, ...] = ()
    """What an API key may do, as words of `api_keys.Scope`."""
    label: str = ""
    """What its owner calls an API key."""
    version: int = 0


@dataclass(frozen=True, kw_only=True)
class AccountLink:
    """A code by which a second account asks to be its owner's: asked for in one account, typed
    in the other, confirmed in the first."""

    id: str
    person: str
    code_hash: str
    asked_from: Identity
    """Where the code was given, and where its owner is asked to confirm."""
    created_at: datetime
    expires_at: datetime
    state: LinkState = LinkState.OPEN
    claim: Identity | None = None
    """The account in which the code was typed."""
    claim_name: str = ""
    version: int = 0
