"""What all processes of a run share."""

from dataclasses import dataclass
from typing import Any

from tests.benchmarks.chat_parts import plan
from tests.fakes.discord_town import DRAFTS, SOCIAL
from tests.fakes.drawn_kit import DRAWN_KIT

YES = "✅"
REACTED = "reacted.jsonl"
"""Where the reactions stand, in the folder of a run."""


@dataclass(frozen=True, kw_only=True)
class Wanted(plan.Wanted):
    """What a run shall do."""

    interactions: int = 500
    press_every: int = 5
    """Every so many-th interaction is a button, the others are commands."""
    reviews: int = 20
    """That are open when it begins, of as many people."""
    votes: int = 5
    """How many approvals each of them needs; as many people approve, by emoji."""
    drops: int = 3
    """Of the gateway's connections, with close code 4000."""
    threads: int = 10
    """Where every second person types; the others do so in their direct messages."""
    rates: float = 1.0
    """Times Discord's limits."""
    replicas: int = 1

    @property
    def deeds(self) -> int:
        """How much people do that makes a job."""
        return self.interactions

    @property
    def reactions(self) -> int:
        """How many votes are given by emoji."""
        return self.reviews * self.votes

    @property
    def users(self) -> list[str]:
        """Discord's ids of those who ask."""
        return [f"13000000000000{number:05d}" for number in range(max(self.people, self.reviews))]

    @property
    def approvers(self) -> list[str]:
        """Discord's ids of those who approve."""
        return [f"14000000000000{number:05d}" for number in range(self.votes)]

    @property
    def bots(self) -> list[str]:
        """The processes that listen."""
        return [f"bot-{number + 1}" for number in range(self.replicas)]

    @property
    def kit(self) -> str:
        """The brand, which needs so many votes."""
        channels = "".join(
            f'[[channels]]\nname = "#{name}"\naudience = "{audience}"\n'
            f'platform = "discord"\nid = "{channel}"\n\n'
            for name, audience, channel in (
                ("social", "public", SOCIAL),
                ("drafts", "working", DRAFTS),
            )
        )
        review = f'[review]\nmay_approve = ["role:approver"]\nquorum = {self.votes}\n\n'
        return DRAWN_KIT + review + channels


@dataclass(frozen=True, kw_only=True)
class Plan(plan.Plan):
    """Addresses and folders of one run. `facts`: token, api_url, gateway_url."""

    def chat_settings(self) -> dict[str, Any]:
        """What the product has to know of this Discord."""
        return {
            "discord.token": self.facts["token"],
            "discord.api_base_url": self.facts["api_url"],
            "discord.gateway_url": self.facts["gateway_url"],
        }
