"""The Audit page at phone and desk size, light and dark: accessible, inside its width."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bot.core.commands import Approve
from bot.core.sequencing import chain_all
from tests.browser.conftest import LOOKS, Live, window_of

pytestmark = pytest.mark.browser


async def furnish(live: Live) -> str:
    """A picture's whole story; its review."""
    review = await live.portal.review("a teal teapot")
    await live.portal.town.say(Approve(review=review.id), "ana")
    await live.portal.town.settle()
    await chain_all(live.portal.town.house)
    return review.id


@LOOKS
def test_the_audit_page_is_accessible_and_fits(
    live: Live, browser: Browser, tmp_path: Path, size: str, scheme: str
) -> None:
    review = live.call(furnish(live))
    window = window_of(live, browser, size, scheme)
    window.enter("ida")
    page = window.go("/audit")
    assert window.axe() == []
    page.locator("text=Check it now").click()
    page.wait_for_selector("text=unbroken")
    for path in ("/audit", f"/audit?subject=review:{review}", "/audit?action=budget"):
        page = window.go(path)
        for summary in page.locator(".trail summary").all()[:2]:
            summary.click()
        assert window.axe() == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.screenshot(path=tmp_path / f"{len(path)}-{size}-{scheme}.png", full_page=True)
    assert not window.complaints
    window.context.close()
