"""Discord, as a run needs it."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from bot.clock import SystemClock
from bot.core.ids import new_id
from bot.core.people import ANY_BRAND, Identity, Person, Role
from tests.benchmarks.chat_parts.conduct import SOON_S, Run, until
from tests.benchmarks.chat_parts.records import Records, read_records
from tests.benchmarks.discord_parts.plan import REACTED, Plan, Wanted
from tests.fakes.discord.looking import BUTTON
from tests.fakes.discord.state import walk
from tests.fakes.discord_town import DRAFTS

OVER = ("sent", "failed", "cancelled")
"""States of a post for which nothing more is done."""


class Discord:
    """See chat_parts.plan.Platform."""

    parts = "tests.benchmarks.discord_parts"
    chat = "discord"

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.kit = wanted.kit

    def orders(self, ports: dict[str, int]) -> dict[str, Any]:
        """Nothing more."""
        return {}

    def plan(self, folder: Path, ports: dict[str, int], facts: dict[str, str]) -> Plan:
        """Nothing more."""
        return Plan(folder=folder, facts=facts, ports=ports)

    def members(self) -> list[Person]:
        """Those who ask, and those who approve."""
        roles = dict.fromkeys(self._wanted.users, Role.REQUESTER)
        roles |= dict.fromkeys(self._wanted.approvers, Role.APPROVER)
        return [
            Person(
                id=new_id(),
                name=f"P{user[-5:]}",
                created_at=SystemClock().now(),
                roles=((ANY_BRAND, role),),
                identities=(Identity(platform="discord", user=user),),
            )
            for user, role in roles.items()
        ]

    async def warm(self, run: Run) -> None:
        """Every bot listens; so many people have a picture, and another that is in review."""
        wanted = self._wanted

        async def listens() -> bool:
            facts = await run.ask(do="facts")
            return facts["connected"] >= wanted.replicas and "imagine" in facts["commands"]

        async def drawn() -> bool:
            return len(_pressable(await run.ask(do="everything"), "do:send:")) >= 2 * wanted.reviews

        async def reviewed() -> bool:
            stand = await run.ask(do="messages", channel=DRAFTS)
            return len(_pressable(stand, "do:approve:")) >= wanted.reviews

        await until(listens)
        users = wanted.users[: wanted.reviews]
        for user in (*users, *users):
            options = {"prompt": "a first mug"}
            await run.ask(do="command", user=user, name="imagine", options=options)
        await until(drawn)
        for user, (message, send) in zip(users, await _one_each(run), strict=True):
            where = {"channel": message["channel"], "message": message["id"]}
            await run.ask(do="click", user=user, what=send, **where)
        await until(reviewed)

    async def meanwhile(self, run: Run) -> None:
        """The gateway closes its connections at even times, whenever there is one."""
        began, drops = time.monotonic(), self._wanted.drops

        async def connected() -> bool:
            return bool((await run.ask(do="facts"))["connected"])

        for number in range(drops):
            due = began + (number + 0.5) * self._wanted.seconds / drops
            await asyncio.sleep(max(SOON_S, due - time.monotonic()))
            await until(connected)
            await run.ask(do="gateway", how="drop", code=4000)

    async def open(self, run: Run) -> int:
        """Votes, posts and answers that have still to come."""
        records = read_records(run.plan.database)
        posts = [key for key, state in records.posts.items() if state not in OVER]
        return len(missed(run, records)) + len(posts) + len(await self.unanswered(run))

    async def unanswered(self, run: Run) -> list[str]:
        """Interactions that were acknowledged, and whose person still reads `thinking …`."""
        thinking: list[str] = (await run.ask(do="facts"))["thinking"]
        return thinking

    async def standing(self, run: Run) -> list[tuple[str, str]]:
        """By their nonce."""
        return [(m["nonce"], m["channel"]) for m in await run.ask(do="everything")]


def missed(run: Run, records: Records) -> list[str]:
    """The reactions on open reviews that are no vote."""
    log = run.plan.folder / REACTED
    given = [json.loads(line) for line in log.read_text().splitlines()]
    about = records.subjects()
    return [
        f"{one['user']} on {about.get(one['message'], one['message'])}"
        for one in given
        if (about.get(one["message"], "").partition(":")[2], one["user"]) not in records.votes
    ]


async def _one_each(run: Run) -> list[tuple[dict[str, Any], str]]:
    """Of each person's direct messages one card with its button."""
    found = _pressable(await run.ask(do="everything"), "do:send:")
    by_line = {message["channel"]: (message, button) for message, button in found}
    return [by_line[line] for line in sorted(by_line, key=int)]


def _pressable(messages: list[dict[str, Any]], start: str) -> list[tuple[dict[str, Any], str]]:
    """Messages with a button that begins so, and its custom id."""
    return [
        (message, part["custom_id"])
        for message in messages
        for part in walk(message["components"])
        if part.get("type") == BUTTON and str(part.get("custom_id", "")).startswith(start)
    ]
