"""Budgets, from the limit that an admin sets to the job that waits for it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core.budget import Account, Budget, Change, accounts_of, brand_account
from bot.core.caller import Caller
from bot.core.commands import Cancel, Imagine, SetBudget, SetTeam, Usage
from bot.core.crew import RenderingCrew
from bot.core.dispatch import Dispatch
from bot.core.freeing import free_held
from bot.core.ids import new_id
from bot.core.intake import queue_for_slot
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.lives import JobState
from bot.core.messages import Actor, Card
from bot.core.people import Role
from bot.core.rendering import RenderingWorker
from bot.core.spending import ROOM
from bot.core.tariff import Tariff
from brand.kit import BrandKit
from brand.spec import Picture, Progress, RenderFailed, RenderRequest
from brand.templates import Brief
from tests.fakes.studio import OFF_PALETTE, PASSED
from tests.fakes.town import Town, person
from tests.fakes.waiting import until

MARCH = "2026-03"
APRIL = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
TARIFF = Tariff(per_hour=36.0)
"""A cent a second; the renderer of these tests takes half a second a picture."""


def priced(town: Town, tariff: Tariff | None = TARIFF) -> Town:
    """The town with a tariff."""
    house = replace(town.house, tariff=tariff)
    return replace(town, house=replace(house, door=Dispatch(house)))


async def limit(
    town: Town, pictures: int | None = None, cost: float | None = None, **change: str
) -> Card:
    """An admin sets the budget of Acme, or another."""
    plain = {"scope": "brand", "key": "acme", **change}
    return await town.say(SetBudget(**plain, pictures=pictures, cost=cost), "ida")  # type: ignore[arg-type]


async def ask(town: Town, pictures: int = 1, who: str = "mia") -> Card:
    """Ask for pictures."""
    return await town.say(Imagine(brief=Brief(words="a red mug", n=pictures)), who)


async def jobs(town: Town) -> list[Job]:
    """All, oldest first."""
    async with town.house.store.read() as tx:
        return list(await tx.jobs.recent(limit=5000))[::-1]


async def counters(
    town: Town, account: Account | None = None, month: str = MARCH
) -> tuple[int, ...]:
    """Pictures, reserved pictures, ms, reserved ms of Acme or another account."""
    async with town.house.store.read() as tx:
        spends = await tx.budgets.spends(month, [account or brand_account("acme")])
    return next(
        ((s.pictures, s.reserved_pictures, s.ms, s.reserved_ms) for s in spends), (0, 0, 0, 0)
    )


async def events(town: Town, action: str) -> list[Event]:
    """Of one kind, oldest first."""
    async with town.house.store.read() as tx:
        return [e for e in await tx.ledger.recent(limit=1000) if e.action == action][::-1]


async def test_pictures_are_reserved_when_queued_and_measured_when_rendered(town: Town) -> None:
    await ask(town, 3)
    assert await counters(town) == (0, 3, 0, 0)
    await town.settle()
    assert await counters(town) == (3, 0, 1500, 0)


async def test_a_picture_counts_for_the_person_their_team_and_the_brand(town: Town) -> None:
    await town.say(SetTeam(person="Mia", team="Design"), "ida")
    await ask(town, 2)
    await town.settle()
    mia = town.people["mia"].id
    for account in accounts_of(mia, "Design", "acme"):
        assert await counters(town, account) == (2, 0, 1000, 0)
    assert len(accounts_of(mia, "Design", "acme")) == 5


async def test_who_changes_the_team_meanwhile_settles_with_the_old_one(town: Town) -> None:
    await town.say(SetTeam(person="Mia", team="Design"), "ida")
    await ask(town, 2)
    await town.say(SetTeam(person="Mia", team="Events"), "ida")
    await town.settle()
    assert await counters(town, Account(scope="team", key="Design")) == (2, 0, 1000, 0)
    assert await counters(town, Account(scope="team", key="Events")) == (0, 0, 0, 0)


async def test_a_cancelled_job_gives_back_what_it_reserved(town: Town) -> None:
    await ask(town, 2)
    await town.say(Cancel())
    assert await counters(town) == (0, 0, 0, 0)


async def test_a_failed_job_gives_back_what_it_reserved(town: Town) -> None:
    town.renderer.failures = [RenderFailed("no memory")]
    await ask(town, 2)
    await town.settle()
    assert [job.state for job in await jobs(town)] == [JobState.FAILED]
    assert await counters(town) == (0, 0, 0, 0)


async def test_a_second_try_counts_its_seconds_and_no_second_picture(town: Town) -> None:
    town.studio.verdicts = [OFF_PALETTE, PASSED]
    await ask(town)
    await town.settle()
    assert await counters(town) == (1, 0, 1000, 0)


async def test_what_has_no_room_is_held_and_says_who_can_help_and_when_it_goes_on(
    town: Town,
) -> None:
    await limit(town, pictures=3)
    await ask(town, 2)
    card = await ask(town, 2)
    assert card.state == "queued"
    assert "Held: it doesn't fit into what is left of Acme's budget for March" in card.status
    assert "(2 of 3 pictures)" in card.status
    assert "@brand or an admin can raise it; else it goes on by itself on 1 Apr" in card.status
    assert [button.label for button in card.buttons] == ["Cancel"]
    await town.settle()
    assert [job.state for job in await jobs(town)] == [JobState.DONE, JobState.QUEUED]
    assert await counters(town) == (2, 0, 1000, 0)
    [event] = await events(town, "job.held")
    assert event.facts == {"account": "brand:acme:acme", "pictures": 2}


async def test_what_still_fits_goes_on_beside_what_is_held(town: Town) -> None:
    await limit(town, pictures=3)
    await ask(town, 2)
    await ask(town, 2)
    card = await ask(town, 1)
    assert "in line" in card.status
    assert "used up (3 of 3 pictures)" in (await ask(town)).status


async def test_held_jobs_go_on_when_the_limit_is_raised_oldest_first(town: Town) -> None:
    await limit(town, pictures=1)
    for _ in range(5):
        await ask(town)
        town.clock.jump(1)
    assert await free_held(town.house) == 0
    card = await limit(town, pictures=3)
    assert "goes on within half a minute" in card.lines[-1]
    assert await free_held(town.house) == 2
    assert [bool(job.hold) for job in await jobs(town)] == [False, False, False, True, True]
    assert await free_held(town.house) == 0
    assert await counters(town) == (0, 3, 0, 0)
    await town.settle()
    assert await counters(town) == (3, 0, 1500, 0)
    assert len(await events(town, "job.freed")) == 2


async def test_held_jobs_go_on_when_the_month_turns_never_beyond_the_limit(town: Town) -> None:
    await limit(town, pictures=2)
    for _ in range(5):
        await ask(town)
        town.clock.jump(1)
    await town.settle()
    await town.clock.advance_to(APRIL)
    assert await free_held(town.house) == 2
    assert await counters(town, month="2026-04") == (0, 2, 0, 0)
    assert await counters(town) == (2, 0, 1000, 0)
    await town.settle()
    last = (await jobs(town))[-1]
    assert "for April is used up" in last.held_why
    assert "1 May, 00:00 UTC" in last.held_why


async def test_the_whole_row_behind_a_stuck_job_reads_the_new_month(town: Town) -> None:
    await limit(town, pictures=2)
    for pictures in (2, 2, 1, 1):
        await ask(town, pictures)
        town.clock.jump(1)
    await town.clock.advance_to(APRIL)
    assert await free_held(town.house) == 1
    held = [job for job in await jobs(town) if job.hold]
    assert len(held) == 2
    assert all("1 May" in job.held_why for job in held)


async def test_a_smaller_job_does_not_overtake_the_oldest_when_room_comes_back(town: Town) -> None:
    await limit(town, pictures=2)
    for pictures in (1, 2, 1, 1):
        await ask(town, pictures)
        town.clock.jump(1)
    assert [bool(job.hold) for job in await jobs(town)] == [False, True, False, True]
    await limit(town, pictures=3)
    assert await free_held(town.house) == 0
    await limit(town, pictures=5)
    assert await free_held(town.house) == 2


async def test_a_job_larger_than_a_whole_month_holds_nobody_else_up(town: Town) -> None:
    await limit(town, pictures=2)
    card = await ask(town, 4)
    assert "it asks for 4 pictures" in card.status
    await ask(town, 2)
    town.clock.jump(1)
    await ask(town, 1, "ana")
    await town.clock.advance_to(APRIL)
    assert await free_held(town.house) == 1
    assert [bool(job.hold) for job in await jobs(town)] == [True, False, False]


async def test_a_job_that_two_budgets_hold_waits_for_both(town: Town) -> None:
    await limit(town, pictures=1)
    await limit(town, pictures=1, scope="person", key="Mia")
    await ask(town)
    await ask(town)
    await limit(town, pictures=9)
    assert await free_held(town.house) == 0
    [held] = [job for job in await jobs(town) if job.hold]
    assert "the personal budget for March is used up" in held.held_why
    assert "An admin can raise it" in held.held_why
    await limit(town, scope="person", key="Mia")
    assert await free_held(town.house) == 1


async def test_a_held_job_can_be_cancelled_and_takes_nothing(town: Town) -> None:
    await limit(town, pictures=0)
    card = await ask(town)
    await town.say(Cancel(job=card.subject.removeprefix("job:")))
    assert await counters(town) == (0, 0, 0, 0)
    assert await free_held(town.house) == 0


async def test_two_replicas_that_free_at_once_free_each_job_once(town: Town) -> None:
    await limit(town, pictures=0)
    for _ in range(6):
        await ask(town)
    await limit(town, pictures=4)
    freed = await asyncio.gather(*(free_held(town.house) for _ in range(3)))
    assert sum(freed) == 4
    assert await counters(town) == (0, 4, 0, 0)
    assert len(await events(town, "job.freed")) == 4


async def test_people_are_warned_once_when_most_of_a_budget_is_used(town: Town) -> None:
    async with town.house.store.write() as tx:
        await tx.people.add(person("Max", Role.BRAND_MANAGER))
    await limit(town, pictures=10)
    await ask(town, 4)
    await ask(town, 3)
    assert await events(town, "budget.warned") == []
    await ask(town, 1)
    await ask(town, 1)
    await town.settle()
    told = [c for c in town.chat.shown("@mia") if "of Acme's budget" in c.title]
    assert [card.title for card in told] == ["80 % of Acme's budget for this month"]
    assert "8 of 10 pictures are used or reserved" in told[0].lines[0]
    assert "1 Apr, 00:00 UTC" in told[0].lines[0]
    assert len([c for c in town.chat.shown("@ida") if "budget" in c.title]) == 1
    [event] = await events(town, "budget.warned")
    assert event.facts["limits"] == {"pictures": 10, "cost": None}


async def test_a_persons_own_budget_warns_that_person_alone(town: Town) -> None:
    await limit(town, pictures=5, scope="person", key="Mia")
    await ask(town, 4)
    await town.settle()
    assert any("of your budget" in card.title for card in town.chat.shown("@mia"))
    assert not any("budget" in card.title for card in town.chat.shown("@ida"))


async def test_a_budget_of_money_holds_by_the_measured_seconds(town: Town) -> None:
    town = priced(town)
    await limit(town, cost=0.02)  # four pictures of half a second
    await ask(town)
    await town.settle()
    for _ in range(5):
        await ask(town)
    assert await counters(town) == (1, 3, 500, 1500)
    await town.settle()
    assert await counters(town) == (4, 0, 2000, 0)
    held = [job for job in await jobs(town) if job.hold]
    assert len(held) == 2
    assert "(2.0 ct of 0.02 EUR)" in held[0].held_why


async def test_before_the_first_measured_picture_one_job_at_a_time_goes(town: Town) -> None:
    town = priced(town)
    await limit(town, cost=0.02)
    for _ in range(5):
        await ask(town)
    held = [job for job in await jobs(town) if job.hold]
    assert len(held) == 4
    assert "nobody knows yet what a picture of Acme costs" in held[0].held_why
    await town.settle()
    assert await free_held(town.house) == 3
    await town.settle()
    assert await counters(town) == (4, 0, 2000, 0)


async def test_pictures_that_take_longer_than_expected_hold_what_still_waits(town: Town) -> None:
    town = priced(town)
    await limit(town, cost=0.04)
    await ask(town)
    await town.settle()
    for _ in range(6):
        await ask(town)
    town.studio.verdicts = [OFF_PALETTE, PASSED] * 6  # each takes two tries
    await town.settle()
    pictures, reserved, ms, reserved_ms = await counters(town)
    assert (reserved, reserved_ms) == (0, 0)
    assert ms <= 4500  # one job at most beyond the four seconds
    assert pictures + len([job for job in await jobs(town) if job.hold]) == 7


class Crew:
    """A crew whose pictures are ready only when it can take no further job in hand."""

    def __init__(self, town: Town) -> None:
        self._crew = RenderingCrew(town.house, "c")
        self._render = town.renderer.render
        self._ready = asyncio.Event()
        self._waiting = 0
        self.seconds = 0.5
        self.together: list[int] = []
        """How many pictures were made side by side, each time."""
        town.renderer.render = self.render  # type: ignore[method-assign]

    async def render(self, request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        """As the port."""
        self._waiting += 1
        await self._ready.wait()
        self._waiting -= 1
        async for event in self._render(request):
            yield replace(event, seconds=self.seconds) if isinstance(event, Picture) else event

    async def work_off(self) -> None:
        """Until nothing is left that could be taken."""
        while True:
            while await self._crew.run_one():
                pass
            await until(lambda: self._crew.in_hand == self._waiting)
            if not self._waiting:
                return
            self.together.append(self._waiting)
            self._ready.set()
            await until(lambda: not self._crew.in_hand)
            self._ready.clear()


async def test_several_jobs_at_once_go_beyond_the_money_by_one_job_at_most(town: Town) -> None:
    town = priced(town)
    crew = Crew(town)
    await limit(town, cost=0.06)
    await ask(town)
    await crew.work_off()
    for _ in range(9):
        await ask(town)
    crew.seconds, crew.together[:] = 0.5 * ROOM, []
    await crew.work_off()
    pictures, reserved, ms, _ = await counters(town)
    assert (pictures, reserved, ms) == (4, 0, 8000)  # six seconds, and one job of 2.5
    assert crew.together == [2, 1]
    assert sum(bool(job.hold) for job in await jobs(town)) == 6


async def test_with_room_enough_jobs_of_one_account_render_side_by_side(town: Town) -> None:
    town = priced(town)
    crew = Crew(town)
    await limit(town, cost=10.0)
    await ask(town)
    await crew.work_off()
    for _ in range(4):
        await ask(town)
    await crew.work_off()
    assert crew.together == [1, 4]


async def test_who_waits_for_the_own_money_lets_others_go_first(town: Town) -> None:
    town = priced(town)
    crew = Crew(town)
    await limit(town, cost=0.02, scope="person", key=town.people["mia"].id)
    await ask(town, who="ana")
    await crew.work_off()
    crew.together.clear()
    for _ in range(2):
        await ask(town)
    await ask(town, who="ana")
    await crew.work_off()
    assert crew.together == [2, 1]
    assert all(job.state is JobState.DONE for job in await jobs(town))


async def test_a_lowered_limit_holds_what_has_not_begun(town: Town) -> None:
    for _ in range(4):
        await ask(town)
    await limit(town, pictures=2)
    await town.settle()
    assert await counters(town) == (2, 0, 1000, 0)
    assert [bool(job.hold) for job in await jobs(town)] == [False, False, True, True]


class CancelledMeanwhile(RenderingWorker):
    """Somebody cancels what it has just claimed and is about to hold."""

    by: Actor

    async def _hold(self, job: Job, kit: BrandKit, budget: Budget) -> None:
        assert self._house.door is not None
        await self._house.door.dispatch(Cancel(job=job.id), self.by)
        await super()._hold(job, kit, budget)


async def test_a_job_cancelled_before_it_is_held_does_not_stop_the_worker(town: Town) -> None:
    await ask(town)
    await limit(town, pictures=0)
    worker = CancelledMeanwhile(town.house, "one")
    worker.by = town.actor("mia")
    assert await worker.run_one()
    assert [job.state for job in await jobs(town)] == [JobState.CANCELLED]
    assert await counters(town) == (0, 0, 0, 0)


async def test_a_budget_of_money_needs_a_tariff(town: Town) -> None:
    card = await limit(town, cost=5)
    assert card.kind == "error"
    assert "No tariff is set" in card.lines[0]
    await limit(priced(town), cost=0.0)
    assert "in line" in (await ask(town)).status  # the tariff was taken away: nothing to count in


async def test_who_may_set_which_budget(town: Town) -> None:
    manager = replace(person("Max"), roles=(("acme", Role.BRAND_MANAGER),))
    async with town.house.store.write() as tx:
        await tx.people.add(manager)
    refused = SetBudget(scope="person", key="Mia", pictures=5)
    for command in (refused, replace(refused, brand="acme")):
        for who in ("mia", "ana"):
            assert (await town.say(command, who)).state == "not_allowed"
    card = await town.say(refused, "max")
    assert (card.state, card.fix) == ("not_allowed", "Add `--brand acme`, or ask an admin.")
    for allowed in (replace(refused, brand="acme"), SetBudget(scope="brand", key="", pictures=7)):
        assert (await town.say(allowed, "max")).kind == "reply"
    card = await town.say(refused, "ida")
    assert card.title == "Mia's budget: 5 pictures a month"
    assert [event.actor for event in await events(town, "budget.set")] == [
        manager.id,
        manager.id,
        town.people["ida"].id,
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        SetBudget(scope="person", key="nobody", pictures=1),
        SetBudget(scope="team", key="nowhere", pictures=1),
        SetBudget(scope="brand", key="nike", pictures=1),
        SetBudget(scope="planet", key="earth", pictures=1),
        SetBudget(scope="brand", key="acme", pictures=-1),
        SetBudget(scope="brand", key="acme", cost=float("nan")),
    ],
)
async def test_a_budget_of_nobody_or_of_no_number_is_refused(town: Town, wrong: SetBudget) -> None:
    assert (await town.say(wrong, "ida")).kind == "error"
    assert await events(town, "budget.set") == []


async def test_who_may_not_set_a_budget_learns_no_name_of_members_or_teams(town: Town) -> None:
    await town.say(SetTeam(person="Ana", team="design"), "ida")
    for scope, key in (("person", "Mai"), ("person", "Nobody"), ("team", "nobody")):
        card = await town.say(SetBudget(scope=scope, key=key, pictures=1), "mia")
        assert card.kind == "error"
        assert "set by an admin" in card.lines[0]


async def test_the_quiet_line_and_the_ledger_have_the_cost_where_a_tariff_is_set(
    town: Town,
) -> None:
    await ask(town)
    await town.settle()
    await ask(priced(town))
    await priced(town).settle()
    captions = [c.pictures[0].caption for c in town.chat.shown("drafts") if c.pictures]
    assert captions[0].endswith("0.5 s")
    assert captions[1].endswith("0.5 s · 0.5 ct")
    without, with_cost = await events(town, "job.done")
    assert "cost" not in without.facts
    assert (with_cost.facts["cost"], with_cost.facts["currency"]) == (0.005, "EUR")
    assert without.facts["seconds"] == with_cost.facts["seconds"] == 0.5


async def test_usage_shows_cost_with_its_number_and_how_far_budgets_are_used(town: Town) -> None:
    await limit(town, pictures=10)
    await ask(town, 3)
    await town.settle()
    plain = await town.say(Usage())
    assert plain.rows == (("Mia", "3", "0", "1.5 s"),)
    assert plain.lines == ("Cost: no tariff set.",)
    assert [(f.label, f.value) for f in plain.fields] == [
        ("Acme's budget", "30 %: 3 of 10 pictures")
    ]
    card = await priced(town).say(Usage(), "ida")
    assert card.rows[0] == ("Mia", "3", "0", "1.5 s", "1.5 ct", "none approved")


async def test_a_job_queued_before_there_were_budgets_counts_when_it_is_rendered(
    town: Town,
) -> None:
    await ask(town, 2)
    [job] = await jobs(town)
    async with town.house.store.write() as tx:
        await tx.jobs.update(replace(job, charge=None), was=job)
        account = brand_account("acme")
        mine = accounts_of(town.people["mia"].id, "", "acme")
        await tx.budgets.count(mine, MARCH, Change(reserved_pictures=-2))
    await town.settle()
    assert await counters(town, account) == (2, 0, 1000, 0)


async def test_nothing_that_many_ask_at_once_goes_beyond_the_limit(town: Town) -> None:
    await limit(town, pictures=40)
    await asyncio.gather(*(ask(town) for _ in range(100)))
    every = await jobs(town)
    assert len(every) == 100
    assert sum(not job.hold for job in every) == 40
    assert await counters(town) == (0, 40, 0, 0)


async def test_ones_job_comes_next_though_another_has_hundreds_waiting(town: Town) -> None:
    for _ in range(60):
        await ask(town)
    await ask(town, who="ana")
    worker = RenderingWorker(town.house, "w1")
    for _ in range(2):
        await worker.run_one()
    done = [job for job in await jobs(town) if job.state is JobState.DONE]
    assert town.people["ana"].id in {job.requester for job in done}


async def test_a_calendar_entry_is_held_too_and_its_owner_is_told(town: Town) -> None:
    await limit(town, pictures=0)
    calendar = Actor(platform="calendar", user="calendar", name="Calendar")
    caller = Caller(person=town.people["mia"], actor=calendar)
    async with town.house.store.write() as tx:
        brief = Brief(words="innovation")
        await queue_for_slot(town.house, tx, caller, town.kit, brief, new_id())
    await town.settle()
    [job] = await jobs(town)
    assert job.hold == "brand:acme:acme"
    [told] = [card for card in town.chat.shown("@mia") if "calendar" in card.title]
    assert told.title == "A calendar entry of Acme waits: innovation"
    assert told.lines[0].startswith("Held: ")
