"""Limits of a day, and of what people are on a platform: their roles and the place they ask in."""

from dataclasses import replace

from bot.core.budget import Account, brand_account
from bot.core.commands import Imagine, SetBudget, Usage
from bot.core.freeing import free_held
from bot.core.messages import Actor, Card
from brand.brief import Brief
from tests.fakes.town import Town
from tests.scenario.spending import MARCH, ask, counters, events, jobs, limit

TODAY, TOMORROW = "2026-03-02", "2026-03-03"
DESIGNERS, GUILD = "discord:22", "discord:100"


def there(town: Town, who: str, *roles: str, place: str = GUILD) -> Actor:
    """This person in a server, with these roles there."""
    return replace(town.actor(who), groups=frozenset(roles), place=place)


async def ask_there(town: Town, who: Actor, pictures: int = 1) -> Card:
    assert town.house.door is not None
    return await town.house.door.dispatch(Imagine(brief=Brief(words="a red mug", n=pictures)), who)


async def holds(town: Town) -> list[str]:
    return [job.hold for job in await jobs(town)]


async def test_a_limit_of_a_day_holds_what_is_beyond_it_until_the_next_day(town: Town) -> None:
    await town.say(
        SetBudget(scope="person", key="Mia", brand="acme", pictures=2, daily=True), "ida"
    )
    await ask(town, 2)
    held = await ask(town)
    assert "the personal Acme daily budget for 2 March is used up (2 of 2 pictures)" in held.status
    assert "3 Mar, 00:00 UTC" in held.status
    await town.settle()
    assert await free_held(town.house) == 0
    town.clock.jump(15 * 3600)
    assert await free_held(town.house) == 1
    mine = Account(scope="person_day", key=town.people["mia"].id, brand="acme")
    assert await counters(town, mine, TODAY) == (2, 0, 1000, 0)
    assert await counters(town, mine, TOMORROW) == (0, 1, 0, 0)
    await town.settle()
    assert await counters(town, mine, TOMORROW) == (1, 0, 500, 0)
    assert await counters(town) == (3, 0, 1500, 0)


async def test_limits_of_a_day_and_of_a_month_stand_side_by_side(town: Town) -> None:
    await limit(town, pictures=3)
    said = await town.say(SetBudget(scope="brand", key="acme", pictures=2, daily=True), "ida")
    assert said.title == "Acme's daily budget: 2 pictures a day"
    await ask(town, 2)
    await ask(town)
    assert await holds(town) == ["", "brand_day:acme:acme"]
    town.clock.jump(24 * 3600)
    await ask(town)
    await free_held(town.house)
    assert sorted(await holds(town)) == ["", "", "brand:acme:acme"]
    used = await town.say(Usage(), "ida")
    assert [field.label for field in used.fields] == ["Acme's budget", "Acme's daily budget"]
    cleared = await town.say(SetBudget(scope="brand", key="acme", daily=True), "ida")
    assert cleared.title == "No limits on Acme's daily budget"
    assert [b.scope for b in await limited(town)] == ["brand"]


async def limited(town: Town) -> list[Account]:
    async with town.house.store.read() as tx:
        return [budget.account for budget in await tx.budgets.all()]


async def test_all_who_have_a_platform_role_share_its_budget(town: Town) -> None:
    await limit(town, pictures=2, scope="role", key=DESIGNERS, brand="acme")
    await ask_there(town, there(town, "mia", DESIGNERS, "discord:9"))
    await ask_there(town, there(town, "ana", DESIGNERS))
    held = await ask_there(town, there(town, "ana", DESIGNERS))
    assert "the role discord:22's Acme budget" in held.status
    assert (await ask_there(town, there(town, "ana"))).state == "queued"
    assert await holds(town) == ["", "", f"role:acme:{DESIGNERS}", ""]
    account = Account(scope="role", key=DESIGNERS, brand="acme")
    await town.settle()
    assert await counters(town, account) == (2, 0, 1000, 0)


async def test_a_place_has_a_budget_and_other_places_none(town: Town) -> None:
    await limit(town, pictures=1, scope="place", key=GUILD)
    await ask_there(town, there(town, "mia"))
    await ask_there(town, there(town, "ana"))
    await ask_there(town, there(town, "mia", place="discord:200"))
    await ask(town)
    assert await holds(town) == ["", f"place::{GUILD}", "", ""]


async def test_a_raised_limit_of_a_role_frees_what_it_held(town: Town) -> None:
    await limit(town, pictures=1, scope="role", key=DESIGNERS)
    for _ in range(2):
        await ask_there(town, there(town, "mia", DESIGNERS))
    await limit(town, pictures=2, scope="role", key=DESIGNERS)
    assert await free_held(town.house) == 1
    assert await counters(town, Account(scope="role", key=DESIGNERS)) == (0, 2, 0, 0)


async def test_what_was_asked_before_a_limit_was_set_gives_nothing_back_to_it(town: Town) -> None:
    await ask_there(town, there(town, "mia", DESIGNERS))
    await limit(town, pictures=1, scope="role", key=DESIGNERS)
    await town.settle()
    assert await counters(town, Account(scope="role", key=DESIGNERS)) == (0, 0, 0, 0)
    assert await counters(town) == (1, 0, 500, 0)


async def test_without_limits_only_months_of_people_teams_and_brands_are_counted(
    town: Town,
) -> None:
    await ask_there(town, there(town, "mia", DESIGNERS))
    async with town.house.store.read() as tx:
        assert {spend.scope for spend in await tx.budgets.spends(MARCH)} == {"brand", "person"}
        assert await tx.budgets.spends(TODAY) == []


async def test_people_are_warned_once_a_day_of_a_limit_of_a_day(town: Town) -> None:
    await town.say(SetBudget(scope="brand", key="acme", pictures=1, daily=True), "ida")
    await ask(town)
    [event] = await events(town, "budget.warned")
    assert event.facts["month"] == TODAY
    town.clock.jump(24 * 3600)
    await ask(town)
    assert len(await events(town, "budget.warned")) == 2
    account = brand_account("acme").each_day
    assert await counters(town, account, TOMORROW) == (0, 1, 0, 0)


async def test_a_role_is_named_by_its_platform_and_id(town: Town) -> None:
    refused = await limit(town, pictures=1, scope="role", key="designers")
    assert refused.kind == "error"
    assert "`/budget role discord:" in refused.fix
