"""Workspaces that installed the app, and the files that stand there, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.ports.installs import Install, ids_of
from bot.core.ports.sent_files import PASSING, SentFile
from storage.memory_tables import Table, Tables
from storage.steps import check_same, check_workspace, grown, missing


class MemoryInstalls:
    """The Installs port."""

    def __init__(self, tables: Tables) -> None:
        self._installs: Table[Install] = Table(tables, "install")

    async def put(self, install: Install) -> Install:
        """See the port."""
        known = self._installs.get(_key(install))
        stored = replace(install, version=known.version + 1) if known else install
        self._installs.put(_key(install), stored)
        return stored

    async def get(self, platform: str, enterprise: str, team: str) -> Install | None:
        """See the port."""
        return self._installs.get((platform, enterprise, team))

    async def of_team(self, platform: str, key: str) -> Install | None:
        """See the port."""
        enterprise, team = ids_of(key)
        found = [await self.get(platform, enterprise, team)]
        if enterprise and team:
            found.append(await self.get(platform, enterprise, ""))
        return next((each for each in found if each and not each.gone_at), None)

    async def all(self, platform: str) -> Sequence[Install]:
        """See the port."""
        ours = (each for each in self._installs if each.platform == platform and not each.gone_at)
        return sorted(ours, key=lambda install: install.key)

    async def update(self, new: Install, *, was: Install) -> Install:
        """See the port."""
        check_workspace(new, was)
        stored = self._installs.get(_key(was))
        if stored is None:
            raise missing("workspace", was.key)
        check_same(stored, was)
        result = grown(new, was)
        self._installs.put(_key(was), result)
        return result


class MemorySentFiles:
    """The SentFiles port."""

    def __init__(self, tables: Tables) -> None:
        self._files: Table[SentFile] = Table(tables, "sent file")

    async def put(self, sent: SentFile) -> None:
        """See the port."""
        self._files.put((sent.platform, sent.team, sent.key), sent)

    async def get(self, platform: str, team: str, key: str) -> SentFile | None:
        """See the port."""
        return self._files.get((platform, team, key))

    async def drop(self, platform: str, team: str, key: str) -> None:
        """See the port."""
        self._files.drop((platform, team, key))

    async def by_file(self, platform: str, team: str, file: str) -> SentFile | None:
        """See the port."""
        wanted = (platform, team, file)
        return next((f for f in self._files if (f.platform, f.team, f.file) == wanted), None)

    async def passing(self, platform: str, *, before: datetime, limit: int) -> list[SentFile]:
        """See the port."""
        there = [f for f in self._files if f.platform == platform and f.key.startswith(PASSING)]
        old = [sent for sent in there if sent.at < before]
        return sorted(old, key=lambda sent: sent.at)[:limit]

    async def purge(self, before: datetime) -> int:
        """See the port."""
        return self._files.drop_where(lambda sent: sent.at < before)


def _key(install: Install) -> tuple[str, str, str]:
    return (install.platform, install.enterprise, install.team)
