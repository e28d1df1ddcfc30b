"""The Slack of a run, as a process of its own, and the people in it who type.

It says one line of JSON when it listens, types when it is told a line, says `typed` when everybody
has been acknowledged, and ends with its input. Each try stands in `typed.jsonl`.
"""

import json
from pathlib import Path
from typing import Any

from bot.chat.slack_chat.options import Mode
from tests.benchmarks.chat_parts.tries import TYPED, Said, conversed, do_all
from tests.benchmarks.slack_parts.plan import Wanted
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.people import Person


class Typing:
    """Commands in everybody's direct messages."""

    def __init__(self, wanted: Wanted, people: list[Person]) -> None:
        self._wanted = wanted
        self._people = people

    async def type(self, number: int, attempt: int) -> Said:
        """One try; its words are as none other's."""
        copies = 2 if number % self._wanted.double_every == self._wanted.double_every - 1 else 1
        words = f"mug number {number}" + (f", try {attempt + 1}" if attempt else "")
        person = self._people[number % len(self._people)]
        receipt = await person.command("/imagine", words, copies=copies)
        return Said(
            trigger=receipt.payload["trigger_id"],
            acked=receipt.acked and not receipt.body,  # a body says that it was not taken
            ms=receipt.ms,
            error=receipt.error or str(receipt.body or ""),
            words=words,
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
        facts = {
            "base": slack.world.base,
            "api_url": slack.api_url,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "signing_secret": slack.world.signing_secret,
        }

        async def typing() -> None:
            _failing(slack, wanted.failing_share)
            do = Typing(wanted, people).type
            await do_all(wanted.deeds, wanted.seconds, do, orders.parent / TYPED)

        await conversed(facts, typing)
