"""What all processes of a run share."""

from dataclasses import dataclass
from typing import Any

from bot.chat.slack_chat.options import Mode
from tests.benchmarks.chat_parts import plan

TEAM = "T1"


@dataclass(frozen=True, kw_only=True)
class Wanted(plan.Wanted):
    """What a run shall do."""

    commands: int = 500
    mode: Mode = Mode.SOCKET
    double_every: int = 10
    """Every so many-th command is delivered twice at the same time."""

    @property
    def deeds(self) -> int:
        """How much people do that makes a job."""
        return self.commands

    @property
    def users(self) -> list[str]:
        """Slack's ids of those who type."""
        return [f"U0P{number:03d}" for number in range(self.people)]

    @property
    def bots(self) -> list[str]:
        """The processes that listen. Behind one address of HTTP there is one."""
        return ["bot-1", "bot-2"] if self.mode is Mode.SOCKET else ["bot-1"]


@dataclass(frozen=True, kw_only=True)
class Plan(plan.Plan):
    """Addresses and folders of one run. `facts`: api_url, bot_token, app_token, signing_secret."""

    mode: Mode

    def chat_settings(self) -> dict[str, Any]:
        """What the product has to know of this Slack."""
        by_mode = "app_token" if self.mode is Mode.SOCKET else "signing_secret"
        return {
            "slack.mode": self.mode.value,
            "slack.api_base_url": self.facts["api_url"],
            "slack.bot_token": self.facts["bot_token"],
            f"slack.{by_mode}": self.facts[by_mode],
        }
