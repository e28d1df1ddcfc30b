"""What all processes of a run share."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from bot.settings import Settings, load_settings
from tests.fakes.drawn_kit import DRAWN_KIT

PUBLIC, WORKING, NAIVE = "social", "drafts", "naive"
APPROVER = "ana"
REQUESTERS = ("mia", "tom", "eva")

KIT = (
    DRAWN_KIT
    + """
[[channels]]
name = "#social"
audience = "public"
platform = "slack"

[[channels]]
name = "#drafts"
audience = "working"
platform = "slack"
"""
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Addresses, folders and numbers of one run."""

    folder: Path
    database_url: str
    chat_url: str
    port: int
    lease_s: float

    def settings(self, role: str) -> Settings:
        """The product's settings for one role."""
        flags = {
            "data_dir": str(self.folder / "data"),
            "database_url": self.database_url,
            "brands_dir": str(self.folder / "brands"),
            "generation.socket": str(self.folder / "generation.sock"),
            "port": self.port,
            "roles": role,
            "log_level": "warning",
        }
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
        return cls(**{**given, "folder": Path(given["folder"])})
