"""Port to the workspaces that installed the app, with their sealed tokens.

A workspace is named by Slack's two ids, or by one key made of them: `T1`, or `E1/T1` in an
Enterprise Grid. An app that a whole enterprise installed has no team: its key is `E1/`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Install:
    """The app in one workspace, or in all of an enterprise (`team` is empty then)."""

    platform: str
    enterprise: str
    team: str
    app: str
    name: str
    """What people call the workspace."""
    url: str
    bot_user: str
    bot_id: str
    scopes: tuple[str, ...]
    installed_by: str
    """The platform's id of who installed it; empty once they were erased."""
    installed_at: datetime
    sealed: str = field(repr=False)
    """The sealed tokens; empty after they were taken away."""
    expires_at: datetime | None = None
    """When the access token ends; None: it does not."""
    gone_at: datetime | None = None
    """When the app was taken out, or lost its tokens."""
    rotating_until: datetime | None = None
    """Until when a process has its tokens renewed, and no other may."""
    rotating_by: str = ""
    version: int = 0

    @property
    def key(self) -> str:
        """The key of the workspace."""
        return f"{self.enterprise}/{self.team}" if self.enterprise else self.team


def ids_of(key: str) -> tuple[str, str]:
    """(enterprise, team) of a workspace's key."""
    enterprise, slash, team = key.partition("/")
    return (enterprise, team) if slash else ("", key)


class Installs(Protocol):
    """Installations by platform, enterprise and team."""

    async def put(self, install: Install) -> Install:
        """Keep it, as it stands then. One that is there is replaced whole, its version goes on:
        whoever still holds the old one can't change the new one."""
        ...

    async def get(self, platform: str, enterprise: str, team: str) -> Install | None:
        """This very installation, also after the app was taken out; or None."""
        ...

    async def of_team(self, platform: str, key: str) -> Install | None:
        """The installation in force for the workspace with this key: its own, else that of its
        whole enterprise; or None."""
        ...

    async def all(self, platform: str) -> Sequence[Install]:
        """All in force, in the order of their keys."""
        ...

    async def update(self, new: Install, *, was: Install) -> Install:
        """Compare-and-set. Raises StaleState, NotFound; ValueError for another workspace's."""
        ...
