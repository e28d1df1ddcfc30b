"""The calendar posts with tokens that end after twelve hours, however long Slack is silent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from bot.chat.slack_chat.installing.pairs import opened
from bot.chat.slack_chat.installing.vault import Vault, new_key
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.wiring import open_slack
from bot.core.house import House
from bot.core.lives import SlotState
from bot.core.planning import post_due
from bot.core.ports import Install
from bot.core.publishing import Publisher
from bot.core.slots import Schedule, Slot
from storage.database import open_store
from tests.fakes.chat import FakeChat
from tests.fakes.clock import DrivenClock
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import button_of, doubled, pictured
from tests.fakes.slack.state import Message
from tests.fakes.slack_town import Running, make_slack_town, options_for, running, slack_kit
from tests.fakes.town import Town
from tests.fakes.waiting import until
from tests.scenario.calendar.planning import LEAD, NEXT, slots, tick
from tests.scenario.slack.test_workspaces import install

T = TypeVar("T")

LIFE = timedelta(hours=12)
"""Of an access token, at Slack."""
SILENCE = timedelta(hours=30)
"""Before the slot's time: from then on nothing comes from Slack, and nothing goes there."""
LOOK_S = 0.01
"""Of our time, while `STEP_S` of the house's time passes for whoever waits for its clock."""
STEP_S = 0.25


@dataclass
class Rotating:
    """A workspace that has installed the house; its tokens end. One clock is the house's and
    Slack's. `replicas` are processes of it, of which the first hears people."""

    slack: FakeSlack
    town: Town
    clock: DrivenClock
    options: SlackOptions
    replicas: list[Running]

    async def passing(self, work: Awaitable[T]) -> T:
        """Its result; time passes meanwhile, so that what waits for a rate goes on."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_S)
            await self.clock.advance(STEP_S)
        return await task

    async def row(self) -> Install:
        """The workspace as it stands in the records."""
        async with self.town.house.store.read() as tx:
            stored = await tx.installs.get("slack", "", "T1")
        assert stored is not None
        return stored

    async def token(self) -> str:
        """The one that stands there now."""
        return opened(Vault(self.options.token_keys), await self.row()).token

    async def schedules(self) -> list[Schedule]:
        """All of them, the oldest first."""
        async with self.town.house.store.read() as tx:
            return sorted(await tx.schedules.of_brand(), key=lambda s: s.created_at)

    async def slot(self, schedule: Schedule) -> Slot:
        """The schedule's first."""
        return (await slots(self.town, schedule))[0]

    async def approved(self, *themes: str) -> list[Schedule]:
        """Schedules that Ida makes by typing them, whose first pictures Ana approves; then it is
        SILENCE before their time."""
        ida, ana = (self.slack.person(user) for user in ("U0IDA", "U0ANA"))
        for theme in themes:
            line = f"schedule every Monday 9:00 Europe/Berlin theme {theme} in #social"
            assert (await ida.command("/imagine", line)).acked
        await until(lambda: self._made(len(themes)))
        await self.go_to(NEXT - LEAD)
        for review in [m for m in self.slack.messages("C0DRAFTS") if _asks(m)]:
            assert (await ana.click(review, _asks(review))).acked
        await until(self._all_ready)
        await self.go_to(NEXT - SILENCE)
        assert self.posts() == []
        return await self.schedules()

    async def go_to(self, when: datetime, house: House | None = None) -> None:
        """At that time everything that is due is done, by the first replica or by this house.
        Whoever sleeps meanwhile wakes up then, once."""
        self.clock.jump((when - self.clock.now()).total_seconds())
        town = self.town if house is None else replace(self.town, house=house)
        for _ in range(3):  # what waits for a rate is left at the first time
            await self.passing(tick(town))
            self.clock.jump(3)

    def posts(self) -> list[Message]:
        """What stands in #social."""
        return self.slack.messages("C0SOCIAL")

    async def _made(self, number: int) -> bool:
        return len(await self.schedules()) == number

    async def _all_ready(self) -> bool:
        found = [await self.slot(schedule) for schedule in await self.schedules()]
        return all(slot.state is SlotState.READY for slot in found)


def _asks(message: Message) -> str:
    return button_of(message, "do:approve:")


ONE = [pytest.param((mode, 1), id=str(mode)) for mode in Mode]
TWO = [pytest.param((mode, 2), id=str(mode)) for mode in Mode]
"""How people are heard, and how many processes there are."""


@pytest.fixture(params=ONE)
async def here(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rotating]:
    """One process on memory; two on one database where a test asks for them."""
    mode, count = request.param
    clock = DrivenClock()
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(
            FakeSlack(now=lambda: clock.now().timestamp(), processing_s=0)
        )
        stores = [
            await open_store("memory:" if count == 1 else f"sqlite:///{tmp_path}/house.db")
            for _ in range(count)
        ]
        for store in stores:
            stack.push_async_callback(store.close)
        options = options_for(
            slack,
            mode,
            bot_token="",
            client_id=slack.world.client_id,
            client_secret=slack.world.client_secret,
            token_keys=(new_key(),),
        )
        first = replace(await make_slack_town(slack_kit("T1"), store=stores[0]), clock=clock)
        replicas = [
            await stack.enter_async_context(
                running(slack, replace(first, store=store), options=options, work=False)
            )
            for store in reversed(stores)
        ][::-1]
        town = Town(
            house=replicas[0].house,
            chat=FakeChat(),
            renderer=first.renderer,
            studio=first.studio,
            clock=clock,
            kit=first.kit,
            people=first.people,
        )
        await install(replicas[0], "T1")
        yield Rotating(slack, town, clock, options, replicas)
        assert slack.violations == []


async def test_a_slot_s_picture_is_posted_with_a_renewed_token(here: Rotating) -> None:
    (schedule,) = await here.approved("innovation")
    old, renewed = await here.token(), here.slack.consents.refreshed
    assert (await here.row()).expires_at < NEXT, "it ends while nothing is heard of Slack"
    await here.go_to(NEXT)
    assert (await here.slot(schedule)).state is SlotState.POSTED
    (post,) = here.posts()
    assert pictured(post)
    assert await here.token() != old
    assert here.slack.consents.refreshed == renewed + 1
    assert doubled(here.slack) == []
    assert [call for call in here.slack.calls if call.error] == []


@pytest.mark.parametrize("here", TWO, indirect=True)
async def test_of_two_processes_that_post_at_once_one_renews_the_token(here: Rotating) -> None:
    made = await here.approved("innovation", "ceramics")
    renewed = here.slack.consents.refreshed
    here.clock.jump((NEXT - here.clock.now()).total_seconds())
    assert await post_due(here.town.house) == 2
    publishers = [Publisher(each.house, f"p{n}") for n, each in enumerate(here.replicas)]
    posted = asyncio.gather(*(publisher.run_one() for publisher in publishers))
    assert await here.passing(posted) == [True, True]
    assert len(here.posts()) == 2
    assert here.slack.consents.refreshed == renewed + 1
    await here.go_to(here.clock.now())
    assert [(await here.slot(each)).state for each in made] == [SlotState.POSTED] * 2
    assert doubled(here.slack) == []


async def test_a_token_that_was_taken_once_posts_nothing(here: Rotating) -> None:
    """The naive control: what the other tests show is the renewal's doing."""
    (schedule,) = await here.approved("innovation")
    naive = options_for(here.slack, here.options.mode, bot_token=await here.token())
    house = here.town.house
    async with open_slack(naive, store=house.store, blobs=house.blobs, clock=here.clock) as parts:
        await here.go_to(NEXT, replace(house, chats={"slack": parts.chat}))
    assert here.posts() == []
    assert (await here.slot(schedule)).state is SlotState.MISSED
    assert {call.error for call in here.slack.calls if call.error} == {"token_expired"}


def _leaves(slack: FakeSlack) -> None:
    slack.channel("C0SOCIAL").members.discard("U0BOTT1")


def _archives(slack: FakeSlack) -> None:
    slack.channel("C0SOCIAL").archived = True


def _restricts(slack: FakeSlack) -> None:
    slack.channel("C0SOCIAL").restricted = True


def _deletes(slack: FakeSlack) -> None:
    here = slack.world.workspaces["T1"].channels
    here["C0ELSE"] = here.pop("C0SOCIAL")


REFUSALS = {
    "not_in_channel": (_leaves, "/invite @Housestyle"),
    "is_archived": (_archives, "Unarchive it in Slack"),
    "restricted_action": (_restricts, "ask a workspace admin"),
    "channel_not_found": (_deletes, "correct the channel's id in the brand kit"),
}
"""Slack's word -> what is done to #social before the post, and what to do about it."""


@pytest.mark.parametrize("word", REFUSALS)
async def test_a_slot_that_slack_refuses_is_told_to_the_schedule_s_owner_with_the_fix(
    here: Rotating, word: str
) -> None:
    (schedule,) = await here.approved("innovation")
    happens, fix = REFUSALS[word]
    happens(here.slack)
    ida = here.slack.person("U0IDA")
    before = len(ida.dm.live())
    await here.go_to(NEXT)
    assert word in {call.error for call in here.slack.calls}
    assert (await here.slot(schedule)).state is SlotState.MISSED
    told = [message.text for message in ida.dm.live()[before:]]
    assert any("#social" in text and fix in text for text in told), told
    assert [m for m in here.slack.world.all_messages() if m.channel == "C0SOCIAL"] == []
