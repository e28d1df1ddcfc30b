"""Budgets: who sets them, what counts for them, who is warned and what they show."""

from dataclasses import replace

import pytest

from bot.core.budget import Account, Change, accounts_of, brand_account
from bot.core.commands import Cancel, SetBudget, SetTeam, Usage
from bot.core.lives import JobState
from bot.core.people import Role
from bot.core.rendering import RenderingWorker
from brand.spec import RenderFailed
from tests.fakes.studio import OFF_PALETTE, PASSED
from tests.fakes.town import Town, person
from tests.scenario.spending import MARCH, ask, counters, events, jobs, limit, priced


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


async def test_ones_job_comes_next_though_another_has_hundreds_waiting(town: Town) -> None:
    for _ in range(60):
        await ask(town)
    await ask(town, who="ana")
    worker = RenderingWorker(town.house, "w1")
    for _ in range(2):
        await worker.run_one()
    done = [job for job in await jobs(town) if job.state is JobState.DONE]
    assert town.people["ana"].id in {job.requester for job in done}
