"""What all processes of a run share."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from bot.chat.slack_chat.options import Mode
from bot.settings import Settings, load_settings

TEAM = "T1"
POINT = "bot: jobs add, before the commit"
"""Where a bot is killed: what was typed is acknowledged, and its job not committed yet."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a run shall do."""

    commands: int = 500
    seconds: float = 10.0
    kills: int = 5
    mode: Mode = Mode.SOCKET
    people: int = 50
    double_every: int = 10
    """Every so many-th command is delivered twice at the same time."""
    failing_share: float = 0.01
    """Of the Web API's answers: half of them 429, half 500."""

    @property
    def users(self) -> list[str]:
        """Slack's ids of those who type."""
        return [f"U0P{number:03d}" for number in range(self.people)]

    @property
    def bots(self) -> list[str]:
        """The processes that listen. Behind one address of HTTP there is one."""
        return ["bot-1", "bot-2"] if self.mode is Mode.SOCKET else ["bot-1"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Addresses and folders of one run."""

    folder: Path
    slack: dict[str, str]
    """What the Slack said when it started: api_url, bot_token, app_token, signing_secret."""
    ports: dict[str, int]
    mode: Mode

    @property
    def database(self) -> Path:
        """Where the records are."""
        return self.folder / "data" / "housestyle.db"

    def settings(self, role: str) -> Settings:
        """The product's settings for one process."""
        flags: dict[str, Any] = {
            "data_dir": str(self.folder / "data"),
            "brands_dir": str(self.folder / "brands"),
            "generation.socket": str(self.folder / "generation.sock"),
            "log_level": "warning",
            "slack.mode": self.mode.value,
            "slack.api_base_url": self.slack["api_url"],
            "slack.bot_token": self.slack["bot_token"],
        }
        if role in self.ports:
            flags["port"] = self.ports[role]
        if self.mode is Mode.SOCKET:
            flags["slack.app_token"] = self.slack["app_token"]
        else:
            flags["slack.signing_secret"] = self.slack["signing_secret"]
        return load_settings(
            flags=flags, environment={"HOME": str(self.folder)}, folder=self.folder
        )

    def write(self) -> Path:
        """Leave it where the processes find it."""
        path = self.folder / "plan.json"
        path.write_text(json.dumps(asdict(self), default=str))
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` left."""
        given: dict[str, Any] = json.loads(path.read_text())
        return cls(**{**given, "folder": Path(given["folder"]), "mode": Mode(given["mode"])})
