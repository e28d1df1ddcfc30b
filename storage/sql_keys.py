"""Keys, and the codes that join accounts, in SQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, delete

from bot.core.lives import LINK_STEPS, LinkState
from bot.core.people import AccountLink, Identity, Key, KeyKind
from storage.codec import clean_text
from storage.rows import Shape
from storage.sql_table import Session, SqlTable
from storage.steps import missing
from storage.tables import KeyRow, LinkRow, LinkTryRow, table_of

_KEYS = Shape(Key, KeyRow)
_LINKS = Shape(AccountLink, LinkRow)
_TRIES = table_of(LinkTryRow)


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

    async def count_try(self, account: Identity, now: datetime, within: timedelta) -> int:
        """See the port."""
        c = _TRIES.c
        over = c.since <= now - within
        statement = self._session.upsert(_TRIES).values(**_plain(account), tries=1, since=now)
        counted = statement.on_conflict_do_update(
            index_elements=["platform", "user", "team"],
            set_={
                "tries": case((over, 1), else_=c.tries + 1),
                "since": case((over, now), else_=c.since),
            },
        )
        return int((await self._session.change(counted.returning(c.tries))).scalar_one())

    async def forget_tries(self, account: Identity) -> None:
        """See the port."""
        same = (_TRIES.c[name] == text for name, text in _plain(account).items())
        await self._session.change(delete(_TRIES).where(*same))

    async def purge(self, before: datetime) -> int:
        """See the port."""
        links = delete(_LINKS.table).where(self._c.expires_at < before)
        tries = delete(_TRIES).where(_TRIES.c.since < before)
        gone = (await self._session.change(links)).rowcount
        return gone + (await self._session.change(tries)).rowcount


def _plain(account: Identity) -> dict[str, str]:
    named = {"platform": account.platform, "user": account.user, "team": account.team}
    return {name: clean_text(text) for name, text in named.items()}
