"""The Usage page at phone and desk size, light and dark: accessible, inside its width, by keys."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bot.core.commands import Approve, Imagine, SendToApproval, SetBudget, SetTeam
from bot.core.messages import ChannelRef
from brand.templates import Brief
from tests.browser.conftest import LOOKS, Live, Visit, window_of

pytestmark = pytest.mark.browser
DRAFTS = ChannelRef(platform="local", channel="brand-drafts")


async def furnish(live: Live) -> None:
    """Two teams, budgets with room, nearly used and used up, and a held job."""
    portal = live.portal
    town = portal.town
    for who, team in (("Mia", "Design"), ("Ana", "Print and packaging of the south-east")):
        await town.say(SetTeam(person=who, team=team), "ida", DRAFTS)
    for who, n in (("mia", 4), ("ana", 1)):
        await portal.picture("a teal teapot", who=who, brief=Brief(words="a teal teapot", n=n))
    asset = await portal.picture("a teal mug", where=DRAFTS)
    await town.say(SendToApproval(asset=asset.id, channel="#social"), "mia", DRAFTS)
    await town.settle()
    async with town.house.store.read() as tx:
        review = (await tx.reviews.open())[0]
    await town.say(Approve(review=review.id), "ana", DRAFTS)
    budgets = (
        SetBudget(scope="brand", key="northwind", pictures=500, cost=90.0),
        SetBudget(scope="team", key="Design", pictures=6),
        SetBudget(scope="person", key="Mia", pictures=5),
    )
    for command in budgets:
        card = await town.say(command, "ida", DRAFTS)
        assert card.kind == "reply", card.lines
    await town.say(Imagine(brief=Brief(words="one too many")), "mia", DRAFTS)


@LOOKS
def test_the_usage_page_is_accessible_and_fits(
    live: Live, browser: Browser, tmp_path: Path, size: str, scheme: str
) -> None:
    live.call(furnish(live))
    window = window_of(live, browser, size, scheme)
    window.enter("ida")
    page = window.go("/usage")
    assert window.axe() == []
    page.screenshot(path=tmp_path / f"usage-{size}-{scheme}.png", full_page=True)
    page.locator(".gauge-edit > summary").first.click()
    page.locator("#new-budget > summary").click()
    assert window.axe() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / f"usage-open-{size}-{scheme}.png", full_page=True)
    window.go("/usage?month=2020-01")
    assert window.axe() == []
    assert not window.complaints
    window.context.close()


def test_a_limit_is_changed_by_keys_alone(live: Live, visit: Visit) -> None:
    live.call(furnish(live))
    visit.enter("ida")
    page = visit.go("/usage")
    page.locator(".gauge-edit > summary").last.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("777")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=/ of 777 pictures/")
    assert visit.axe() == []
