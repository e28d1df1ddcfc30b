"""Keys, and the codes that join accounts, in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from bot.core.lives import LINK_STEPS, LinkState
from bot.core.people import AccountLink, Identity, Key, KeyKind
from storage.codec import clean_text
from storage.rows import Shape
from storage.sql_table import Session, SqlTable
from storage.steps import missing
from storage.tables import KeyRow, LinkMissRow, LinkRow, table_of

_KEYS = Shape(Key, KeyRow)
_LINKS = Shape(AccountLink, LinkRow)
_MISSES = table_of(LinkMissRow)


class SqlKeys:
    """The Keys port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keys = SqlTable(session, "key", _KEYS)
        self._c = _KEYS.table.c

    async def add(self, key: Key) -> None:
        """See the port."""
        await self._keys.add(key)

    async def get(self, kind: KeyKind, key_id: str) -> Key:
        """See the port."""
        key = await self._keys.need(key_id)
        if key.kind is not kind:
            raise missing("key", key_id)
        return key

    async def update(self, new: Key, *, was: Key) -> Key:
        """See the port."""
        return await self._keys.update(new, was, None)

    async def remove(self, key_id: str) -> None:
        """See the port."""
        await self._session.change(delete(_KEYS.table).where(self._c.id == key_id))

    async def of_person(self, person_id: str, kind: KeyKind) -> Sequence[Key]:
        """See the port."""
        mine = (self._c.person == person_id, self._c.kind == kind)
        return await self._keys.where(*mine, order=(self._c.created_at, self._c.row))

    async def remove_of(self, person_id: str, *kinds: KeyKind) -> int:
        """See the port."""
        mine = delete(_KEYS.table).where(self._c.person == person_id)
        if kinds:
            mine = mine.where(self._c.kind.in_(kinds))
        return (await self._session.change(mine)).rowcount

    async def purge(self, before: datetime) -> int:
        """See the port."""
        old = delete(_KEYS.table).where(self._c.expires_at < before)
        return (await self._session.change(old)).rowcount


class SqlAccountLinks:
    """The AccountLinks port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._links = SqlTable(session, "code", _LINKS)
        self._c = _LINKS.table.c

    async def add(self, link: AccountLink) -> None:
        """See the port."""
        await self._links.add(link)

    async def get(self, link_id: str) -> AccountLink:
        """See the port."""
        return await self._links.need(link_id)

    async def update(self, new: AccountLink, *, was: AccountLink) -> AccountLink:
        """See the port."""
        return await self._links.update(new, was, LINK_STEPS)

    async def by_code(self, code_hash: str) -> AccountLink | None:
        """See the port."""
        wanted = (self._c.code_hash == code_hash, self._c.state == LinkState.OPEN)
        found = await self._links.where(*wanted, order=(self._c.row.desc(),), limit=1)
        return found[0] if found else None

    async def of_person(self, person_id: str) -> Sequence[AccountLink]:
        """See the port."""
        return await self._links.where(self._c.person == person_id, order=(self._c.row,))

    async def note_miss(self, account: Identity, at: datetime) -> None:
        """See the port."""
        row = {"platform": account.platform, "user": account.user, "team": account.team}
        plain = {name: clean_text(text) for name, text in row.items()}
        await self._session.add_rows(_MISSES, [{**plain, "at": at}])

    async def misses(self, account: Identity, since: datetime) -> int:
        """See the port."""
        c = _MISSES.c
        query = select(func.count()).where(
            c.platform == account.platform,
            c.user == account.user,
            c.team == account.team,
            c.at >= since,
        )
        return await self._session.number(query.select_from(_MISSES))

    async def purge(self, before: datetime) -> int:
        """See the port."""
        links = delete(_LINKS.table).where(self._c.expires_at < before)
        misses = delete(_MISSES).where(_MISSES.c.at < before)
        gone = (await self._session.change(links)).rowcount
        return gone + (await self._session.change(misses)).rowcount
