"""The Discord of a run, as a process of its own, and the people in it who type, press and react.

See `chat_parts.tries`: each try stands in `typed.jsonl`, each reaction in `reacted.jsonl`.
"""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

from tests.benchmarks.chat_parts.tries import TYPED, Said, conversed, do_all
from tests.benchmarks.discord_parts.plan import REACTED, YES, Wanted
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.interactions import Receipt
from tests.fakes.discord.looking import button_of
from tests.fakes.discord.state import DM, Message
from tests.fakes.discord_town import DRAFTS, GUILD, settle

VARY = "do:vary:"
APPROVE = "do:approve:"


class Doing:
    """Commands where people are, and buttons on the cards that they had before it began."""

    def __init__(self, discord: FakeDiscord, wanted: Wanted, threads: list[str]) -> None:
        self._discord = discord
        self._wanted = wanted
        self._threads = threads
        self._cards = _cards(discord)

    async def do(self, number: int, attempt: int) -> Said:
        """One try."""
        every = self._wanted.press_every
        if number % every == every - 1:
            return _said(await self._press(number // every))
        words = f"mug number {number}" + (f", try {attempt + 1}" if attempt else "")
        return _said(await self._type(number, words), words)

    async def _type(self, number: int, words: str) -> Receipt:
        at = number % self._wanted.people
        person = self._discord.person(self._wanted.users[at])
        channel = self._threads[at // 2 % len(self._threads)] if at % 2 else ""
        return await person.command("imagine", prompt=words, channel=channel)

    async def _press(self, number: int) -> Receipt:
        user, card = self._cards[number % len(self._cards)]
        return await self._discord.person(user).click(card, button_of(card, VARY))


def _cards(discord: FakeDiscord) -> list[tuple[str, Message]]:
    """(whose it is, a card whose picture can be varied and is in no review)."""
    lines = [channel for channel in discord.world.channels.values() if channel.type == DM]
    return [
        (line.recipient, card)
        for line in lines
        for card in line.live()
        if button_of(card, VARY) and button_of(card, "do:send:")
    ]


def _said(receipt: Receipt, words: str = "") -> Said:
    error = "" if receipt.acked else "the application did not respond"
    trigger = receipt.interaction.id
    return Said(trigger=trigger, acked=receipt.acked, ms=receipt.ms, error=error, words=words)


async def react_all(discord: FakeDiscord, wanted: Wanted, log: Path) -> None:
    """Every approver puts an emoji on every open review, in an order of chance, at even times."""
    reviews = [card for card in discord.messages(DRAFTS) if button_of(card, APPROVE)]
    todo = [(user, card) for card in reviews for user in wanted.approvers]
    random.Random(1).shuffle(todo)
    with log.open("a") as lines:
        for user, card in todo:
            discord.person(user).react(card, YES)
            lines.write(json.dumps({"user": user, "message": card.id}) + "\n")
            lines.flush()
            await asyncio.sleep(wanted.seconds / len(todo))


def found(discord: FakeDiscord, wanted: Wanted) -> list[str]:
    """The guild with its people; its threads."""
    settle(discord)
    for user in (*wanted.users, *wanted.approvers):
        discord.world.add_user(f"p{user[-5:]}", user_id=user)
        discord.world.join(GUILD, user)
    return [discord.world.add_thread(DRAFTS, f"talk {n}").id for n in range(wanted.threads)]


def _failing(discord: FakeDiscord, share: float) -> None:
    """Of all answers, half of this share 429; a quarter 502, and of one more quarter the answer
    to what was done is lost."""
    if share:
        add = discord.troubles.add
        add("*", "429", times=None, every=round(2 / share), retry_after=1.0)
        add("*", "html502", times=None, every=round(4 / share))
        add("*", "lost", times=None, every=round(4 / share))


async def main(orders: Path) -> None:
    """Serve until the input ends."""
    given: dict[str, Any] = json.loads(orders.read_text())  # noqa: ASYNC240  (nothing runs yet)
    wanted, folder = Wanted(**given), orders.parent
    async with FakeDiscord(rates=wanted.rates) as discord:
        threads = found(discord, wanted)
        facts = {
            "base": discord.world.base,
            "token": discord.token,
            "api_url": discord.api_url,
            "gateway_url": discord.gateway_url,
        }

        async def typing() -> None:
            _failing(discord, wanted.failing_share)
            do = Doing(discord, wanted, threads).do
            await asyncio.gather(
                do_all(wanted.deeds, wanted.seconds, do, folder / TYPED),
                react_all(discord, wanted, folder / REACTED),
            )

        await conversed(facts, typing)
