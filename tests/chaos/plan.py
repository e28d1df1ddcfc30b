"""What all processes of a run share."""

from dataclasses import dataclass

from bot.settings import Settings, load_settings
from tests.chaos.written import Written
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
class Plan(Written):
    """Addresses, folders and numbers of one run."""

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
