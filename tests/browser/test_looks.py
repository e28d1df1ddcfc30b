"""Every page at phone and desk size, light and dark: accessible, inside its width, silent."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bot.core.commands import Approve, SendToApproval
from bot.core.messages import ChannelRef
from brand.templates import Brief
from tests.browser.conftest import LOOKS, Live, Visit, pictures_ready, window_of

pytestmark = pytest.mark.browser
DRAFTS = ChannelRef(platform="local", channel="brand-drafts")
LONG = "a Donaudampfschifffahrtsgesellschaftskapitänsmütze" * 3


async def furnish(live: Live) -> str:
    """Pictures, reviews, a post, a mistake, a waiting job; returns an asset's id."""
    portal = live.portal
    for words, n in (("a teal teapot on a wooden table", 1), ("an orange lamp", 4), (LONG, 1)):
        await portal.picture(words, where=DRAFTS, brief=Brief(words=words, n=n))
    for colour in ("teal", "orange", "white"):
        asset = await portal.picture(f"a {colour} mug", where=DRAFTS)
        await portal.town.say(SendToApproval(asset=asset.id, channel="#social"), "mia", DRAFTS)
        await portal.town.settle()
    async with portal.town.house.store.read() as tx:
        first = (await tx.reviews.open())[0]
    await portal.town.say(Approve(review=first.id), "ana", DRAFTS)
    await portal.town.settle()
    return asset.id


@LOOKS
def test_every_page_is_accessible_and_fits(
    live: Live, browser: Browser, tmp_path: Path, size: str, scheme: str
) -> None:
    asset = live.call(furnish(live))
    window = window_of(live, browser, size, scheme)
    page = window.page
    page.goto(live.link("ana"))
    assert window.axe() == []
    page.wait_for_selector("form button:focus")
    page.keyboard.press("Enter")
    page.wait_for_url("**/chat/**")
    page.fill("#say", "/imagine template:prodct")
    page.press("#say", "Enter")
    page.wait_for_selector(".card-error")
    live.renderer.step_seconds = 0.5
    page.fill("#say", "/imagine a red mug")
    page.press("#say", "Enter")
    page.wait_for_selector(".status-preview")
    pages = [page.url.removeprefix(live.url), "/chat/me", "/chat/social", "/queue", "/gallery"]
    pages += [f"/pictures/{asset}", "/review", "/review?compare=1", "/brands", "/usage", "/health"]
    pages += ["/more", "/gallery?q=nothing"]
    for path in pages:
        window.go(path)
        pictures_ready(page)
        page.screenshot(path=tmp_path / f"{path.strip('/').replace('/', '_')}-{size}-{scheme}.png")
        assert window.axe() == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert not window.complaints
    window.context.close()


def test_failure_pages_are_accessible_too(live: Live, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    window = Visit(live, context)
    for path in ("/queue", "/nowhere", "/enter?key=x", "/signed-out"):
        window.go(path)
        assert window.axe() == [], path
    context.close()


def test_open_menus_and_forms_are_accessible_and_fit(live: Live, visit: Visit) -> None:
    live.call(furnish(live))
    visit.enter("ana")
    page = visit.page
    page.locator(".more-actions summary").first.click()
    assert visit.axe() == []
    page.locator("details.ask:not(.more-actions) summary:has-text('Reject')").last.click()
    page.keyboard.type("Too dark.")
    assert visit.axe() == []
    page.fill("#say", "")
    page.locator("#say").press_sequentially("/imagine te")
    page.wait_for_selector("#suggest [aria-selected=true]")
    assert visit.axe() == []
