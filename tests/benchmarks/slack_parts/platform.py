"""Slack, as a run needs it."""

from pathlib import Path
from typing import Any

import httpx

from bot.chat.slack_chat.options import Mode
from bot.clock import SystemClock
from bot.core.ids import new_id
from bot.core.people import ANY_BRAND, Identity, Person, Role
from tests.benchmarks.chat_parts.conduct import Run, until
from tests.benchmarks.slack_parts.plan import TEAM, Plan, Wanted
from tests.fakes.drawn_kit import DRAWN_KIT

WARMER = "U0MIA"
"""Who asks for a picture before it begins."""


class Slack:
    """See chat_parts.plan.Platform."""

    parts = "tests.benchmarks.slack_parts"
    chat = "slack"
    kit = DRAWN_KIT

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def orders(self, ports: dict[str, int]) -> dict[str, Any]:
        """Where it delivers by HTTP."""
        is_http = self._wanted.mode is Mode.HTTP
        return {"url": f"http://127.0.0.1:{ports['bot-1']}/slack/events" if is_http else ""}

    def plan(self, folder: Path, ports: dict[str, int], facts: dict[str, str]) -> Plan:
        """With its mode."""
        return Plan(folder=folder, facts=facts, ports=ports, mode=self._wanted.mode)

    def members(self) -> list[Person]:
        """All may ask."""
        return [
            Person(
                id=new_id(),
                name=user.title(),
                created_at=SystemClock().now(),
                roles=((ANY_BRAND, Role.REQUESTER),),
                identities=(Identity(platform="slack", user=user, team=TEAM),),
            )
            for user in (*self._wanted.users, WARMER)
        ]

    async def warm(self, run: Run) -> None:
        """Every bot listens, and a first picture stands in Slack."""

        async def listens() -> bool:
            if self._wanted.mode is Mode.SOCKET:
                facts = await run.ask(do="facts")
                return bool(facts["sockets"] >= 2 * len(self._wanted.bots))
            async with httpx.AsyncClient() as browser:
                port = run.plan.ports["bot-1"]
                return (await browser.get(f"http://127.0.0.1:{port}/health")).status_code < 500

        async def stands() -> bool:
            messages = await run.ask(do="everything")
            return any(block["type"] == "image" for m in messages for block in m["blocks"])

        await until(listens)
        await run.ask(do="command", user=WARMER, name="/imagine", text="a first mug")
        await until(stands)

    async def meanwhile(self, run: Run) -> None:
        """Nothing else."""

    async def open(self, run: Run) -> int:
        """Nothing else."""
        return 0

    async def standing(self, run: Run) -> list[tuple[str, str]]:
        """By the id in their metadata."""
        return [(m["id"], m["channel"]) for m in await run.ask(do="everything")]
