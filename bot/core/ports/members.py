"""Ports to the records of people: members, their keys, the joining of accounts, erasing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.people import AccountLink, Identity, Key, KeyKind, Person


class People(Protocol):
    """Members and their identities."""

    async def add(self, person: Person) -> None:
        """Raises Conflict if the id or an identity exists."""
        ...

    async def get(self, person_id: str) -> Person:
        """Raises NotFound."""
        ...

    async def name(self, person_id: str) -> str:
        """As people are called; empty for one who is not there."""
        ...

    async def update(self, new: Person, *, was: Person) -> Person:
        """Compare-and-set, roles and identities included. Raises StaleState."""
        ...

    async def by_identity(self, platform: str, user: str, team: str = "") -> Person | None:
        """Who this account is, or None."""
        ...

    async def all(self) -> Sequence[Person]:
        """By name."""
        ...

    async def admins(self) -> Sequence[Person]:
        """Active admins of all brands, by name. Until a writing transaction ends no other one
        gets past this call, so two people cannot take each other's last right away at once."""
        ...


class Keys(Protocol):
    """Links, invitations, sessions and API keys, by their hashes."""

    async def add(self, key: Key) -> None:
        """Raises Conflict."""
        ...

    async def get(self, kind: KeyKind, key_id: str) -> Key:
        """Raises NotFound."""
        ...

    async def update(self, new: Key, *, was: Key) -> Key:
        """Compare-and-set: a one-time link is used once. Raises StaleState."""
        ...

    async def remove(self, key_id: str) -> None:
        """Forget it; no error if it is gone."""
        ...

    async def of_person(self, person_id: str, kind: KeyKind) -> Sequence[Key]:
        """A person's keys of this kind, oldest first; expired ones too."""
        ...

    async def remove_of(self, person_id: str, *kinds: KeyKind) -> int:
        """Forget all of a person's keys of these kinds (of every kind if none); how many."""
        ...

    async def purge(self, before: datetime) -> int:
        """Forget keys that expired before this time; how many."""
        ...


class AccountLinks(Protocol):
    """Codes by which two accounts are joined, and who typed wrong ones."""

    async def add(self, link: AccountLink) -> None:
        """Raises Conflict."""
        ...

    async def get(self, link_id: str) -> AccountLink:
        """Raises NotFound."""
        ...

    async def update(self, new: AccountLink, *, was: AccountLink) -> AccountLink:
        """Compare-and-set along `lives.LINK_STEPS`. Raises StaleState."""
        ...

    async def by_code(self, code_hash: str) -> AccountLink | None:
        """The newest one with this code that is still open, expired or not; or None."""
        ...

    async def of_person(self, person_id: str) -> Sequence[AccountLink]:
        """Oldest first; ended ones too."""
        ...

    async def count_try(self, account: Identity, now: datetime, within: timedelta) -> int:
        """Count one more code typed by this account: how many in the window that its first one
        opened, this one included. Until the transaction ends, others of the account wait."""
        ...

    async def forget_tries(self, account: Identity) -> None:
        """The account typed a right code: it begins anew."""
        ...

    async def purge(self, before: datetime) -> int:
        """Forget codes that expired, and tries counted, before this time; how many."""
        ...


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What was taken out, in numbers."""

    jobs: int = 0
    pictures: int = 0
    """Unpublished ones whose words are gone."""
    kept: int = 0
    """Approved or published ones, which stay as they are."""
    reviews: int = 0
    messages: int = 0
    texts: int = 0
    """Personal texts of the ledger."""
    files: tuple[str, ...] = ()
    """SHA-256 of files that no record speaks of any more: to be removed after the commit."""


class Erasure(Protocol):
    """Takes a person's words out of every record."""

    async def erase(self, person: Person, now: datetime) -> Erased:
        """Empty what this person wrote and where their name or accounts stand, in all records
        but `people` and `keys`: see docs/people.md for what stays. Within this transaction; the
        local chat's timeline is part of it."""
        ...
