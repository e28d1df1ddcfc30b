"""The Usage page: months, budgets with their bars, and the forms that set them; scripts off."""

from dataclasses import replace

import httpx
import pytest

from bot.core.commands import Approve, Imagine, SetBudget, SetTeam
from bot.core.people import Role
from bot.core.tariff import Tariff
from brand.templates import Brief
from tests.fakes.html import Page
from tests.fakes.portal import Portal, add_person, make_portal
from tests.fakes.town import person
from tests.unit.web.test_pages import page


@pytest.fixture
async def portal() -> Portal:
    """Mia and Ana in the team Design; two pictures of Mia's."""
    return await furnished()


async def furnished(tariff: Tariff | None = None) -> Portal:
    """The same, with a tariff."""
    made = await make_portal(tariff=tariff)
    for who in ("Mia", "Ana"):
        await made.town.say(SetTeam(person=who, team="Design"), "ida")
    await made.picture(brief=Brief(words="a red mug", n=2))
    await made.town.clock.advance(1)
    return made


async def submit(client: httpx.AsyncClient, shown: Page, name: str, **fields: str) -> Page:
    """Send a form with other values; the page one comes back to."""
    form = shown.form(name)
    answer = await client.post(form.action, data={**form.data(), **fields})
    assert answer.status_code == 303, answer.text
    return await page(client, answer.headers["location"])


async def test_without_a_tariff_no_money_is_shown_and_the_page_says_why(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        shown = await page(client, "/usage")
    assert "Mia 2 0 0 % 1.0 s" in shown.text
    assert "no tariff set" in shown.text
    assert "0.00" not in shown.text


async def test_cost_stands_beside_its_number_of_approved_pictures() -> None:
    portal = await furnished(Tariff(per_hour=36.0))  # a cent a second
    review = await portal.review()
    await portal.town.say(Approve(review=review.id), "ana")
    await portal.town.clock.advance(1)
    async with portal.browser("ida") as client:
        shown = await page(client, "/usage")
    assert "cost of an approved picture 1.5 ct n = 1" in shown.text
    assert "36.00 EUR an hour" in shown.text


async def test_an_admin_sets_changes_and_clears_a_budget_in_place(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        shown = await page(client, "/usage")
        assert "No limits" in shown.text
        shown = await submit(client, shown, "Set for all of Acme", pictures="10")
        assert "Acme's budget 2 of 10 pictures 20 %" in shown.text
        shown = await submit(client, shown, "Save", pictures="2")
        assert "used up: new pictures wait" in shown.text
        assert "2 of 2 pictures 100 %" in shown.text
        shown = await submit(client, shown, "Save", pictures="")
        assert "No limits" in shown.text


async def test_teams_and_people_have_budgets_of_their_own(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        shown = await submit(
            client, await page(client, "/usage"), "Set for a team", key="Design", pictures="50"
        )
        assert "Team Design's budget 2 of 50 pictures 4 %" in shown.text
        mia = portal.town.people["mia"].id
        shown = await submit(client, shown, "Set for a person", key=mia, pictures="4")
    assert "Mia's budget 2 of 4 pictures 50 %" in shown.text
    assert "Per team" in shown.text


async def test_reserved_pictures_are_told_from_rendered_ones(portal: Portal) -> None:
    await portal.town.say(SetBudget(scope="brand", key="acme", pictures=4), "ida")
    await portal.town.say(Imagine(brief=Brief(words="a mug")))
    async with portal.browser("ida") as client:
        shown = await page(client, "/usage")
    assert "3 of 4 pictures 75 %" in shown.text
    assert "2 rendered, 1 reserved by waiting jobs" in shown.text


async def test_a_requester_sees_the_budgets_that_limit_them_and_no_form(portal: Portal) -> None:
    for key, scope in (("acme", "brand"), ("Ana", "person"), ("Design", "team")):
        await portal.town.say(SetBudget(scope=scope, key=key, pictures=9), "ida")
    async with portal.browser("mia") as client:
        shown = await page(client, "/usage")
    assert "Acme's budget" in shown.text
    assert "Team Design's budget" in shown.text
    assert "Ana" not in shown.text
    assert "Set a budget" not in shown.text
    assert "Change" not in shown.text


async def test_a_brand_manager_sets_budgets_of_the_own_brand_alone(portal: Portal) -> None:
    await add_person(portal, replace(person("Max"), roles=(("acme", Role.BRAND_MANAGER),)))
    async with portal.browser("max") as client:
        shown = await page(client, "/usage")
        mia = portal.town.people["mia"].id
        shown = await submit(client, shown, "Set for a person", key=mia, pictures="4")
        assert "Mia's Acme budget 2 of 4 pictures 50 %" in shown.text
        shown = await submit(client, shown, "Set for a person", key=mia, pictures="1", brand="")
        assert "You manage acme only" in shown.text
    async with portal.town.house.store.read() as tx:
        assert [b.pictures for b in await tx.budgets.all()] == [4]


async def test_who_may_not_set_a_budget_gets_told_so_and_changes_nothing(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await client.post("/usage/budget", data={"scope": "brand", "pictures": "9999"})
        shown = await page(client, answer.headers["location"])
    assert "Budgets are set by an admin" in shown.text
    async with portal.town.house.store.read() as tx:
        assert await tx.budgets.all() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": "planet"},
        {"scope": "team"},
        {"scope": "brand", "pictures": "many"},
        {"scope": "brand", "pictures": "-1"},
        {"scope": "brand", "cost": "nan?"},
    ],
)
async def test_a_form_with_nonsense_is_refused_in_words(
    portal: Portal, fields: dict[str, str]
) -> None:
    async with portal.browser("ida") as client:
        answer = await client.post("/usage/budget", data=fields)
    assert answer.status_code == 422


async def test_the_month_before_has_its_own_numbers_and_no_budgets(portal: Portal) -> None:
    await portal.town.say(SetBudget(scope="brand", key="acme", pictures=4), "ida")
    async with portal.browser("ida") as client:
        present = (await client.get("/usage")).text
        assert "/usage?month=2026-02" in present
        assert "/usage?month=2026-04" not in present
        before = await page(client, "/usage?month=2026-02")
        assert "Nothing was rendered in February 2026" in before.text
        assert "Acme's budget" not in before.text
        future = await page(client, "/usage?month=2031-01")
        assert "March 2026 so far" in future.text
        for odd in ("March", "2026-13", "0000-01", "9999-12", "2026-03-01"):
            assert (await client.get("/usage", params={"month": odd})).status_code == 422
        assert (await client.get("/usage?month=0001-01")).status_code == 200  # long before, but one
