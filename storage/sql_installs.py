"""Workspaces that installed the app, and the files that stand there, in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update

from bot.core.ports.installs import Install, ids_of
from bot.core.ports.sent_files import PASSING, SentFile
from storage.rows import Shape
from storage.sql_table import Session
from storage.steps import check_workspace, grown, missing, stale
from storage.tables import InstallRow, SentFileRow

_INSTALLS = Shape(Install, InstallRow)
_FILES = Shape(SentFile, SentFileRow)


class SqlInstalls:
    """The Installs port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._c = _INSTALLS.table.c

    async def put(self, install: Install) -> Install:
        """See the port. One statement, so that two at once do not undo each other."""
        row = _INSTALLS.row(install)
        key = [column.name for column in _INSTALLS.table.primary_key]
        others = {name: value for name, value in row.items() if name not in key}
        statement = self._session.upsert(_INSTALLS.table).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=key, set_={**others, "version": self._c.version + 1}
        )
        stored = await self._session.change(statement.returning(_INSTALLS.table))
        return _INSTALLS.value(stored.mappings().one())

    async def get(self, platform: str, enterprise: str, team: str) -> Install | None:
        """See the port."""
        query = select(_INSTALLS.table).where(self._at(platform, enterprise, team))
        found = await self._session.rows(query)
        return _INSTALLS.value(found[0]) if found else None

    async def of_team(self, platform: str, key: str) -> Install | None:
        """See the port."""
        enterprise, team = ids_of(key)
        found = [await self.get(platform, enterprise, team)]
        if enterprise and team:
            found.append(await self.get(platform, enterprise, ""))
        return next((each for each in found if each and not each.gone_at), None)

    async def all(self, platform: str) -> Sequence[Install]:
        """See the port."""
        ours = (self._c.platform == platform, self._c.gone_at.is_(None))
        found = await self._session.rows(select(_INSTALLS.table).where(*ours))
        return sorted(map(_INSTALLS.value, found), key=lambda install: install.key)

    async def update(self, new: Install, *, was: Install) -> Install:
        """See the port."""
        check_workspace(new, was)
        result = grown(new, was)
        same = self._at(was.platform, was.enterprise, was.team)
        change = update(_INSTALLS.table).where(same, self._c.version == was.version)
        changed = await self._session.change(change.values(_INSTALLS.row(result)))
        if changed.rowcount == 1:
            return result
        stored = await self.get(was.platform, was.enterprise, was.team)
        raise stale(stored) if stored else missing("workspace", was.key)

    def _at(self, platform: str, enterprise: str, team: str) -> ColumnElement[bool]:
        c = self._c
        return and_(c.platform == platform, c.enterprise == enterprise, c.team == team)


class SqlSentFiles:
    """The SentFiles port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._c = _FILES.table.c

    async def put(self, sent: SentFile) -> None:
        """See the port."""
        await self._session.put(_FILES.table, _FILES.row(sent))

    async def get(self, platform: str, team: str, key: str) -> SentFile | None:
        """See the port."""
        return await self._first(self._in(platform, team), self._c.key == key)

    async def drop(self, platform: str, team: str, key: str) -> None:
        """See the port."""
        same = (self._in(platform, team), self._c.key == key)
        await self._session.change(delete(_FILES.table).where(*same))

    async def by_file(self, platform: str, team: str, file: str) -> SentFile | None:
        """See the port."""
        return await self._first(self._in(platform, team), self._c.file == file)

    async def passing(self, platform: str, *, before: datetime, limit: int) -> list[SentFile]:
        """See the port."""
        is_passing = and_(self._c.platform == platform, self._c.key.startswith(PASSING))
        old = select(_FILES.table).where(is_passing, self._c.at < before)
        found = await self._session.rows(old.order_by(self._c.at).limit(limit))
        return [_FILES.value(row) for row in found]

    async def purge(self, before: datetime) -> int:
        """See the port."""
        old = delete(_FILES.table).where(self._c.at < before)
        return (await self._session.change(old)).rowcount

    async def _first(self, *conditions: ColumnElement[bool]) -> SentFile | None:
        found = await self._session.rows(select(_FILES.table).where(*conditions).limit(1))
        return _FILES.value(found[0]) if found else None

    def _in(self, platform: str, team: str) -> ColumnElement[bool]:
        return and_(self._c.platform == platform, self._c.team == team)
