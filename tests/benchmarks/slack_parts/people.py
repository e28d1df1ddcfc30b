"""The Slack of a run, as a process of its own, and the people in it who type.

It says one line of JSON when it listens, types when it is told a line, says `typed` when everybody
has been acknowledged, and ends with its input. Each try stands in `typed.jsonl`.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.chat.slack_chat.options import Mode
from tests.benchmarks.slack_parts.plan import Wanted
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.people import Person

AGAIN_S = 1.0
"""After which a person types anew what was not acknowledged."""
GIVES_UP = 60
"""Tries after which a person gives up; that command is lost."""


@dataclass(frozen=True, kw_only=True)
class Try:
    """One time that a command was typed."""

    words: str
    """As none other."""
    command: int
    trigger: str
    copies: int
    acked: bool
    ms: float
    """From when it was due to its acknowledgement."""
    error: str


class Typing:
    """Commands at their times, whether or not earlier ones were acknowledged."""

    def __init__(self, wanted: Wanted, people: list[Person], log: Path) -> None:
        self._wanted = wanted
        self._people = people
        self._log = log.open("a")

    async def type_all(self) -> None:
        """All of them; returns when the last one is acknowledged."""
        start, wanted = asyncio.get_running_loop().time(), self._wanted
        pace = wanted.seconds / wanted.commands
        await asyncio.gather(
            *(self._one(number, start + number * pace) for number in range(wanted.commands))
        )

    async def _one(self, number: int, due: float) -> None:
        copies = 2 if number % self._wanted.double_every == self._wanted.double_every - 1 else 1
        for attempt in range(GIVES_UP):
            tried = await self._type(number, attempt, due, copies)
            self._log.write(json.dumps(asdict(tried)) + "\n")
            self._log.flush()
            if tried.acked:
                return
            due = asyncio.get_running_loop().time() + AGAIN_S

    async def _type(self, number: int, attempt: int, due: float, copies: int) -> Try:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, due - clock()))
        late = clock() - due
        words = f"mug number {number}" + (f", try {attempt + 1}" if attempt else "")
        person = self._people[number % len(self._people)]
        receipt = await person.command("/imagine", words, copies=copies)
        return Try(
            words=words,
            command=number,
            trigger=receipt.payload["trigger_id"],
            copies=copies,
            acked=receipt.acked and not receipt.body,  # a body says that it was not taken
            ms=late * 1000 + receipt.ms,
            error=receipt.error or str(receipt.body or ""),
        )


def _failing(slack: FakeSlack, share: float) -> None:
    """Of all answers, half of this share 429; a quarter 500, and one more where all was done."""
    if share:
        slack.troubles.add("*", "429", times=None, every=round(2 / share))
        slack.troubles.add("*", "500", times=None, every=round(4 / share))
        slack.troubles.add("*", "500", times=None, every=round(4 / share), kept=True)


async def main(orders: Path) -> None:
    """Serve until the input ends."""
    given: dict[str, Any] = json.loads(orders.read_text())  # noqa: ASYNC240  (nothing runs yet)
    url = given.pop("url")
    wanted = Wanted(**{**given, "mode": Mode(given["mode"])})
    async with FakeSlack() as slack:
        people = [slack.add_person(user, user.lower()) for user in wanted.users]
        slack.listens(url)
        said = {
            "base": slack.world.base,
            "api_url": slack.api_url,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "signing_secret": slack.world.signing_secret,
        }
        _say(json.dumps(said))
        await asyncio.to_thread(sys.stdin.readline)
        _failing(slack, wanted.failing_share)
        await Typing(wanted, people, orders.parent / "typed.jsonl").type_all()
        _say("typed")
        while await asyncio.to_thread(sys.stdin.readline):
            pass


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
