"""A year of the calendar in three time zones: `python -m tests.benchmarks.calendar`.

Drives a clock through a year with schedules in Berlin, New York and on Lord Howe Island, whose
clocks change by half an hour; some are due at times that a clock change leaves out or doubles. Two
machines do everything at the same time, on one store. Approvers approve, reject, wait too long, ask
for another picture and move slots; the chat sometimes cannot be reached or loses its answer, and
has no idempotency key; once everything stops for 24 hours, right after a post was queued. Prints
JSON:

- `slots`: how many the rules have in that year, counted on paper, without the code under test.
- `posted_once`: those that one approved post stands for, made at their time (at most an hour late).
- `missed_reported`: those that were missed and of which the owner was told; nothing was posted.
- `doubled`: those that more than one post stands for.
- `unapproved_posts`: posts of what nobody had approved.

`posted_once` and `missed_reported` make `slots`; the other two are 0. `--backend sqlite` runs it on
a database file, where `--days` may want to be fewer; `--seed` draws other people.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from bot.core.commands import AddSchedule, Approve, Command, MoveSlot, Reject, RerollSlot
from bot.core.dispatch import Dispatch
from bot.core.errors import ChatAmbiguous, ChatError, ChatUnavailable
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.live import LiveBoard
from bot.core.lives import AssetState, SlotState
from bot.core.messages import Card
from bot.core.planning import advance, plan_ahead, post_due
from bot.core.planning_digest import tell_week
from bot.core.planning_slots import GRACE, REMINDERS, slot_of
from bot.core.publications import Publication
from bot.core.publishing import Publisher
from bot.core.rendering import RenderingWorker
from bot.core.reviewing import expire_overdue
from bot.core.reviews import Answer, Review
from bot.core.sending import Sender
from bot.core.slots import LEAD_HOURS, Slot
from brand.kit import Template
from storage.database import OpenStore, open_store
from storage.memory_blobs import MemorySignals
from tests.fakes.chat import FakeChat
from tests.fakes.town import KIT, START, Town, make_town

HOUR = timedelta(hours=1)
LEAD = timedelta(hours=LEAD_HOURS)
MOMENTS = (
    *(-LEAD, -LEAD + HOUR, -LEAD + 2 * HOUR, -LEAD + 3 * HOUR),
    *(-before for before in REMINDERS),
    *(timedelta(), timedelta(minutes=1), timedelta(minutes=10), GRACE + timedelta(minutes=1)),
)
"""Relative to a slot's time: when something may happen with it."""
BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
OUTAGE = timedelta(hours=24)
OUTAGE_AFTER = timedelta(days=20)


def rule(zone: str, days: Sequence[int], hour: int, minute: int = 0, **more: Any) -> AddSchedule:
    """One schedule."""
    return AddSchedule(
        weekdays=tuple(days),
        at=time(hour, minute),
        zone=zone,
        theme="innovation",
        channel="#social",
        name=f"{zone} {sorted(days)} {hour}:{minute:02}",
        **more,
    )


RULES = (
    rule(BERLIN, [6], 2, 30),  # left out in March, doubled in October
    rule(BERLIN, [0, 3], 9),
    rule(BERLIN, [1], 18, 30, every_weeks=2, templates=("mug", "cup")),
    rule(NEW_YORK, [6], 2, 30),  # left out in March
    rule(NEW_YORK, [6], 1, 30),  # doubled in November
    rule(NEW_YORK, [2], 9),
    rule(LORD_HOWE, [6], 2, 15),  # left out in October
    rule(LORD_HOWE, [6], 1, 45),  # doubled in April
    rule(LORD_HOWE, [4], 12),
)


SUNDAYS = tuple(each for each in RULES if each.weekdays == (6,))
"""Those that meet the changes of the clocks."""


def on_paper(each: AddSchedule, first: date, days: int) -> list[date]:
    """The dates of a rule, counted day by day."""
    every = [first + timedelta(days=n) for n in range(days)]
    found = [day for day in every if day.weekday() in each.weekdays]
    return found if each.every_weeks == 1 else found[:: each.every_weeks]


@dataclass
class Watch:
    """Looks at each post from outside, at the moment it is made."""

    town: Town
    made: list[Publication] = field(default_factory=list)

    def see(self, publication: Publication) -> None:
        """Called by the chat."""
        self.made.append(publication)

    async def unapproved(self) -> int:
        """Posts of what nobody had approved, as the records have it."""
        wrong = 0
        async with self.town.house.store.read() as tx:
            for publication in self.made:
                review = await tx.reviews.get(publication.review)
                asset = await tx.assets.get(publication.asset)
                yes = review.outcome is Answer.APPROVE and bool(review.votes)
                seen = publication.file_hash in review.rendition_hashes
                wrong += not (yes and seen and asset.state is AssetState.APPROVED)
        return wrong


class Year:
    """The town, its two machines and its people."""

    def __init__(
        self,
        town: Town,
        stores: Sequence[OpenStore],
        *,
        seed: int,
        days: int,
        rules: Sequence[AddSchedule],
    ) -> None:
        self.town = town
        self.random = random.Random(seed)
        self.days = days
        self.rules = rules
        self.chat = FakeChat(once=False)
        self.watch = Watch(town)
        self.posted_at: dict[str, datetime] = {}
        self.chat.on_post = self._on_post
        self.machines = [self._machine(store) for store in stores]
        self.end = START + timedelta(days=days)
        self.dealt: set[str] = set()
        self.out = False

    def _machine(self, store: OpenStore) -> House:
        house = replace(
            self.town.house,
            store=store,
            signals=MemorySignals(),
            chats={"local": self.chat},
            live=LiveBoard(),
        )
        return replace(house, door=Dispatch(house))

    def _on_post(self, publication: Publication) -> None:
        self.watch.see(publication)
        self.posted_at.setdefault(publication.slot, self.town.clock.now())

    async def run(self) -> dict[str, int]:
        """Live through it; the figures."""
        for each in self.rules:
            card = await self._door(0, each, "ida")
            if card.kind == "error":
                raise RuntimeError(f"A schedule was refused: {card.lines}")
        last = self.end
        day = START
        while await self._open(last) or self.town.clock.now() < last:
            await self._step()
            if self.town.clock.now() >= day + timedelta(days=30):
                day = self.town.clock.now()
                sys.stderr.write(f"{day:%d %b %Y}\n")
        await self._send()
        return await self._figures()

    async def _open(self, until: datetime) -> list[Slot]:
        async with self.town.house.store.read() as tx:
            slots = await tx.schedules.open_slots(until=until + LEAD)
        return [slot for slot in slots if self._counts(slot)]

    def _counts(self, slot: Slot) -> bool:
        return slot.local_date < self.end.date()

    async def _step(self) -> None:
        """On to the next moment at which something may happen, and all that does."""
        clock = self.town.clock
        now = clock.now()
        async with self.town.house.store.read() as tx:
            coming = await tx.schedules.slots(since=now - 2 * HOUR, until=now + LEAD + 2 * HOUR)
        due = {slot.due_at for slot in coming}
        moments = {at + moment for at in due for moment in MOMENTS} | {now + timedelta(hours=12)}
        await clock.advance_to(min(moment for moment in moments if moment > now))
        if not self.out and clock.now() >= START + OUTAGE_AFTER and await self._ready_now():
            self.out = True
            await post_due(self.machines[0])  # a post is queued, and everything stops
            clock.jump(OUTAGE.total_seconds())
            await _work(self.machines[1], 1)  # what was queued is looked at first
        self._trouble()
        for _ in range(2):
            await asyncio.gather(*(_tick(house) for house in self.machines))
            await asyncio.gather(*(_work(house, n) for n, house in enumerate(self.machines)))
        await self._people()
        if clock.now().hour < 12:
            await self._send()

    async def _ready_now(self) -> bool:
        """Whether a slot that is ready comes due at this very moment."""
        now = self.town.clock.now()
        async with self.town.house.store.read() as tx:
            slots = await tx.schedules.slots(since=now, until=now + timedelta(seconds=1))
        return any(slot.state is SlotState.READY for slot in slots)

    def _trouble(self) -> None:
        """What goes wrong with the next call to the chat."""
        self.chat.before, self.chat.after = [], []
        drawn = self.random.random()
        if drawn < 0.05:
            self.chat.before = [ChatUnavailable("Try again later.", retry_after_s=20)]
        elif drawn < 0.1:
            lost: list[ChatError] = [ChatAmbiguous("The answer was lost.")]
            self.chat.after = lost

    async def _people(self) -> None:
        """Whoever looks at what waits does something with it, sooner or later or never."""
        async with self.town.house.store.read() as tx:
            reviews = [
                (review, await slot_of(tx, await tx.assets.get(review.asset)))
                for review in await tx.reviews.open()
            ]
        for review, slot in reviews:
            if slot is not None and review.id not in self.dealt and self._counts(slot):
                await self._deal(review, slot)

    async def _deal(self, review: Review, slot: Slot) -> None:
        chance = self.random.random()
        if chance < 0.3:
            return  # not now
        self.dealt.add(review.id)
        if chance < 0.8:
            # Two approvers at once, each on another machine.
            await asyncio.gather(
                self._door(0, Approve(review=review.id), "ana"),
                self._door(1, Approve(review=review.id), "ben"),
            )
        elif chance < 0.88:
            await self._door(1, Reject(review=review.id, reason="too dark"), "ana")
        elif chance < 0.93:
            await self._door(0, RerollSlot(slot=slot.id), "ben")
        elif chance < 0.96:
            day = slot.due_at.date() + timedelta(days=1)
            await self._door(1, MoveSlot(slot=slot.id, day=day, at=time(2, 30)), "ana")
            await self._door(0, Approve(review=review.id), "ben")

    async def _door(self, machine: int, command: Command, who: str) -> Card:
        door = self.machines[machine % len(self.machines)].door
        assert door is not None
        return await door.dispatch(command, self.town.actor(who))

    async def _send(self) -> None:
        self.chat.before, self.chat.after = [], []
        sender = Sender(self.machines[0], "sender")
        while await sender.run_one():
            pass

    async def _figures(self) -> dict[str, int]:
        async with self.town.house.store.read() as tx:
            schedules = await tx.schedules.of_brand()
            slots = [
                slot
                for schedule in schedules
                for slot in await tx.schedules.slots_of(schedule.id, since=START.date())
                if self._counts(slot)
            ]
        by_name = {each.name: each for each in self.rules}
        wanted = {
            (schedule.id, day)
            for schedule in schedules
            for day in on_paper(
                by_name[schedule.name],
                schedule.starts_on,
                (self.end.date() - schedule.starts_on).days,
            )
        }
        have = {(slot.schedule, slot.local_date): slot for slot in slots}
        copies = await self._copies()
        told = {card.subject for card in self.chat.shown("@ida") if "Missed" in card.title}
        found = [have[key] for key in wanted if key in have]
        return {
            "slots": len(wanted),
            "posted_once": sum(self._posted_once(slot, copies[slot.id]) for slot in found),
            "missed_reported": sum(
                slot.state is SlotState.MISSED
                and f"slot:{slot.id}" in told
                and copies[slot.id] == 0
                for slot in found
            ),
            "doubled": sum(copies[slot.id] > 1 for slot in slots),
            "unapproved_posts": await self.watch.unapproved(),
        }

    async def _copies(self) -> Counter[str]:
        """How many posts stand for each slot: by whose picture it is, whatever the post says."""
        copies: Counter[str] = Counter()
        async with self.town.house.store.read() as tx:
            for publication in {each.id: each for each in self.watch.made}.values():
                slot = await slot_of(tx, await tx.assets.get(publication.asset))
                standing = len(self.chat.copies(publication.id))
                copies[slot.id if slot else ""] += standing
        return copies

    def _posted_once(self, slot: Slot, copies: int) -> bool:
        at = self.posted_at.get(slot.id)
        in_time = at is not None and slot.due_at <= at <= slot.due_at + GRACE + HOUR / 2
        return slot.state is SlotState.POSTED and copies == 1 and in_time


async def _tick(house: House) -> None:
    for tick in (plan_ahead, expire_overdue, advance, post_due, tell_week):
        await tick(house)


async def _work(house: House, number: int) -> None:
    worker = RenderingWorker(house, f"worker-{number}")
    publisher = Publisher(house, f"publisher-{number}")
    while await worker.run_one() or await publisher.run_one():
        pass


async def live(
    *, days: int = 365, seed: int = 1, url: str = "memory:", rules: Sequence[AddSchedule] = RULES
) -> dict[str, int]:
    """The figures of a year, or of so many days from 2 March 2026 on."""
    templates = (Template(name="mug", text="a mug"), Template(name="cup", text="a cup"))
    async with AsyncExitStack() as stack:
        stores = [await open_store(url)]
        # On memory both machines have the one store; elsewhere each its own connections.
        stores.append(stores[0] if url == "memory:" else await open_store(url))
        for store in {id(store): store for store in stores}.values():
            stack.push_async_callback(store.close)
        town = await make_town(replace(KIT, templates=templates), store=stores[0])
        return await Year(town, stores, seed=seed, days=days, rules=rules).run()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="A year of the calendar.")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", choices=("memory", "sqlite"), default="memory")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = f"sqlite:///{Path(folder) / f'{new_id()}.db'}"
        url = "memory:" if chosen.backend == "memory" else file
        figures = asyncio.run(live(days=chosen.days, seed=chosen.seed, url=url))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
