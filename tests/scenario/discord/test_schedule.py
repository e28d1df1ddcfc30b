"""The calendar posts to Discord once, whoever dies and however many machines tick; and it tells the
schedule's owner where Discord says no."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.chat.discord_chat.wiring import open_discord
from bot.core.house import House
from bot.core.lives import PublicationState, SlotState
from bot.core.planning import advance, plan_ahead, post_due
from bot.core.publications import Publication
from bot.core.publishing import Publisher
from bot.core.slots import Schedule
from storage.database import open_store
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.state import Event, Message
from tests.fakes.discord_town import SOCIAL, options_for
from tests.fakes.town import Town, make_town
from tests.scenario.calendar.planning import NEXT, go_to, ready, slot, tick, told
from tests.scenario.discord.test_posting import POST, POSTED_TO

LATER_S = 300.0
"""Longer than a publisher's lease, and than Discord remembers a nonce."""


@dataclass
class Week:
    """A schedule for Discord's #social whose first post is approved; Ida's, who is told in the
    local chat. Its clock stands at the time of the post."""

    discord: FakeDiscord
    town: Town
    schedule: Schedule
    stack: AsyncExitStack

    async def replica(self) -> House:
        """A machine of its own."""
        house = self.town.house
        parts = await self.stack.enter_async_context(
            open_discord(
                options_for(self.discord), store=house.store, blobs=house.blobs, clock=house.clock
            )
        )
        return replace(house, chats={**house.chats, "discord": parts.chat})

    def shown(self) -> list[Message]:
        """What stands in #social."""
        return self.discord.messages(SOCIAL)

    async def post(self) -> Publication:
        """The first slot's, as the records have it."""
        found = await slot(self.town, self.schedule)
        async with self.town.house.store.read() as tx:
            (post,) = [p for p in await tx.publications.of_asset(found.asset) if p.slot]
        return post

    async def stands_once(self) -> None:
        """One message, and the records know it."""
        post, (standing,) = await self.post(), self.shown()
        assert post.state is PublicationState.SENT
        assert post.receipt is not None
        assert (post.receipt.message, standing.nonce) == (standing.id, post.id)
        await tick(self.town)
        assert (await slot(self.town, self.schedule)).state is SlotState.POSTED


@pytest.fixture
async def week(
    request: pytest.FixtureRequest, discord: FakeDiscord, tmp_path: Path
) -> AsyncIterator[Week]:
    """All that was to do before is done. On memory, unless a test asks for SQLite."""
    kind = getattr(request, "param", "memory")
    async with AsyncExitStack() as stack:
        store = await open_store("memory:" if kind == "memory" else f"sqlite:///{tmp_path}/h.db")
        stack.push_async_callback(store.close)
        town = await make_town(POSTED_TO, store=store)
        discord.world.now = lambda: town.clock.now().timestamp()
        made = Week(discord, town, (await ready(town))[0], stack)
        town.house = await made.replica()
        await town.clock.advance_to(NEXT)
        yield made


async def due(house: House) -> None:
    """What the clock does on a machine, but the posting."""
    for step in (plan_ahead, advance, post_due):
        await step(house)


async def test_a_schedule_s_picture_is_posted_at_its_time_and_once(week: Week) -> None:
    assert week.shown() == []
    await tick(week.town)
    await week.stands_once()
    await go_to(week.town, NEXT.replace(day=10))
    assert len(week.shown()) == 1


@pytest.mark.parametrize("remembered", [True, False], ids=["at once", "later"])
async def test_a_process_that_dies_when_discord_has_the_post_leaves_one(
    week: Week, remembered: bool
) -> None:
    await due(week.town.house)
    dying = asyncio.create_task(Publisher(week.town.house, "first").run_one())

    def die(event: Event) -> None:
        if event.name == "MESSAGE_CREATE":
            dying.cancel()

    week.discord.world.tellers.append(die)
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert len(week.shown()) == 1
    assert (await week.post()).state is PublicationState.SENDING
    week.town.clock.jump(LATER_S)
    if not remembered:
        week.discord.forget_nonces()
    house = await week.replica()
    for _ in range(3):
        await due(house)
        await Publisher(house, "second").run_one()
    await week.stands_once()


@pytest.mark.parametrize("week", ["sqlite"], indirect=True)
async def test_two_replicas_post_once(week: Week) -> None:
    houses = [week.town.house, await week.replica()]
    for _ in range(3):
        await asyncio.gather(*map(due, houses))
        await asyncio.gather(
            *(Publisher(house, f"p{n}").run_one() for n, house in enumerate(houses))
        )
    await week.stands_once()
    assert len(week.discord.calls(POST)) == 1


@pytest.mark.parametrize(
    ("status", "code", "fix"),
    [
        (403, 50001, "View Channel"),
        (403, 50013, "Send Messages"),
        (404, 10003, "kit"),
        (400, 200000, "AutoMod"),
    ],
)
async def test_a_refusal_is_told_to_the_schedule_s_owner_with_the_fix(
    week: Week, status: int, code: int, fix: str
) -> None:
    week.discord.troubles.add(POST, "refuse", status=status, code=code, times=None)
    await tick(week.town)
    found = await slot(week.town, week.schedule)
    assert found.state is SlotState.MISSED
    cards = told(week.town, "@ida", "Missed") + told(week.town, "@ida", "Not posted")
    words = "\n".join(f"{card.title} {' '.join(card.lines)} {card.fix}" for card in cards)
    assert fix in words
    assert week.shown() == []
    assert len(week.discord.calls(POST)) == 1, "a no is not asked again"
