"""What all processes of a run share, and what differs between the chats."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bot.core.people import Person
from bot.settings import Settings, load_settings
from tests.chaos.written import Written

if TYPE_CHECKING:
    from tests.benchmarks.chat_parts.conduct import Run

POINT = "bot: jobs add, before the commit"
"""Where a bot is killed: what was done is acknowledged, and its job not committed yet."""


@dataclass(frozen=True, kw_only=True)
class Wanted(ABC):
    """What a run shall do."""

    seconds: float = 10.0
    kills: int = 5
    people: int = 50
    failing_share: float = 0.01
    """Of the answers of the chat's API: half of them 429, half errors of the server."""

    @property
    @abstractmethod
    def deeds(self) -> int:
        """How much people do that makes a job."""

    @property
    def bots(self) -> list[str]:
        """The processes that listen."""
        return ["bot-1"]


@dataclass(frozen=True, kw_only=True)
class Plan(Written, ABC):
    """Addresses and folders of one run."""

    facts: dict[str, str]
    """What the chat said when it started."""
    ports: dict[str, int]

    @property
    def database(self) -> Path:
        """Where the records are."""
        return self.folder / "data" / "housestyle.db"

    @abstractmethod
    def chat_settings(self) -> dict[str, Any]:
        """What the product has to know of the chat."""

    def settings(self, role: str) -> Settings:
        """The product's settings for one process."""
        flags: dict[str, Any] = {
            "data_dir": str(self.folder / "data"),
            "brands_dir": str(self.folder / "brands"),
            "generation.socket": str(self.folder / "generation.sock"),
            "log_level": "warning",
            **self.chat_settings(),
        }
        if role in self.ports:
            flags["port"] = self.ports[role]
        return load_settings(
            flags=flags, environment={"HOME": str(self.folder)}, folder=self.folder
        )


class Platform(Protocol):
    """One chat, as a run needs it."""

    parts: str
    """The module whose `__main__` is `ROLE FILE`: the chat itself, a bot or a worker."""
    chat: str
    """The role of the chat itself."""
    kit: str

    def orders(self, ports: dict[str, int]) -> dict[str, Any]:
        """What the process of the chat is told, beside what is wanted."""
        ...

    def plan(self, folder: Path, ports: dict[str, int], facts: dict[str, str]) -> Plan:
        """What the other processes are told; `facts` is what the chat said."""
        ...

    def members(self) -> list[Person]:
        """Who has an account of the house."""
        ...

    async def warm(self, run: "Run") -> None:
        """Return once all processes listen, and all stands in the chat that must be there."""
        ...

    async def meanwhile(self, run: "Run") -> None:
        """What else happens while people type."""
        ...

    async def open(self, run: "Run") -> int:
        """How much has still to come, beside jobs and their cards."""
        ...

    async def standing(self, run: "Run") -> list[tuple[str, str]]:
        """(our own id, or an empty text; channel) of each message that stands there."""
        ...
