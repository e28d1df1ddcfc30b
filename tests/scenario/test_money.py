"""Budgets of money: by a tariff and measured seconds, by one job too much at most."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from bot.core.crew import RenderingCrew
from bot.core.freeing import free_held
from bot.core.lives import JobState
from bot.core.spending import ROOM
from brand.spec import Picture, Progress, RenderRequest
from tests.fakes.studio import OFF_PALETTE, PASSED
from tests.fakes.town import Town
from tests.fakes.waiting import until
from tests.scenario.spending import ask, counters, events, jobs, limit, priced


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


async def test_a_budget_of_money_needs_a_tariff(town: Town) -> None:
    card = await limit(town, cost=5)
    assert card.kind == "error"
    assert "No tariff is set" in card.lines[0]
    await limit(priced(town), cost=0.0)
    assert "in line" in (await ask(town)).status  # the tariff was taken away: nothing to count in


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
