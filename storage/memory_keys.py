"""Keys, and the codes that join accounts, in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.lives import LINK_STEPS, LinkState
from bot.core.people import AccountLink, Identity, Key, KeyKind
from storage.memory_tables import Table, Tables
from storage.steps import missing


class MemoryKeys:
    """The Keys port."""

    def __init__(self, tables: Tables) -> None:
        self._keys: Table[Key] = Table(tables, "key")

    async def add(self, key: Key) -> None:
        """See the port."""
        self._keys.add(key.id, key)

    async def get(self, kind: KeyKind, key_id: str) -> Key:
        """See the port."""
        key = self._keys.need(key_id)
        if key.kind is not kind:
            raise missing("key", key_id)
        return key

    async def update(self, new: Key, *, was: Key) -> Key:
        """See the port."""
        return self._keys.update(new, was, None)

    async def remove(self, key_id: str) -> None:
        """See the port."""
        self._keys.drop(key_id)

    async def of_person(self, person_id: str, kind: KeyKind) -> Sequence[Key]:
        """See the port."""
        every = self._keys.oldest(lambda key: key.created_at)
        return [key for key in every if key.person == person_id and key.kind is kind]

    async def remove_of(self, person_id: str, *kinds: KeyKind) -> int:
        """See the port."""
        wanted = kinds or tuple(KeyKind)
        return self._keys.drop_where(lambda key: key.person == person_id and key.kind in wanted)

    async def purge(self, before: datetime) -> int:
        """See the port."""
        return self._keys.drop_where(lambda key: key.expires_at < before)


class MemoryAccountLinks:
    """The AccountLinks port."""

    def __init__(self, tables: Tables) -> None:
        self._links: Table[AccountLink] = Table(tables, "code")
        self._tries: Table[tuple[int, datetime]] = Table(tables, "typed codes of")

    async def add(self, link: AccountLink) -> None:
        """See the port."""
        self._links.add(link.id, link)

    async def get(self, link_id: str) -> AccountLink:
        """See the port."""
        return self._links.need(link_id)

    async def update(self, new: AccountLink, *, was: AccountLink) -> AccountLink:
        """See the port."""
        return self._links.update(new, was, LINK_STEPS)

    async def by_code(self, code_hash: str) -> AccountLink | None:
        """See the port."""
        fitting = [
            link
            for link in self._links
            if link.code_hash == code_hash and link.state is LinkState.OPEN
        ]
        return fitting[-1] if fitting else None

    async def of_person(self, person_id: str) -> Sequence[AccountLink]:
        """See the port."""
        return [link for link in self._links if link.person == person_id]

    async def count_try(self, account: Identity, now: datetime, within: timedelta) -> int:
        """See the port."""
        tries, since = self._tries.get(account) or (0, now)
        if since <= now - within:
            tries, since = 0, now
        self._tries.put(account, (tries + 1, since))
        return tries + 1

    async def forget_tries(self, account: Identity) -> None:
        """See the port."""
        self._tries.drop(account)

    async def purge(self, before: datetime) -> int:
        """See the port."""
        links = self._links.drop_where(lambda link: link.expires_at < before)
        return links + self._tries.drop_where(lambda typed: typed[1] < before)
