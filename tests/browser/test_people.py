"""People, one's own account and signing in, in a browser: they fit, read, work by keyboard and
without scripts; and the way to a provider and back gets past the page's own policy."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.core.api_keys import create
from bot.core.caller import Caller
from bot.core.members import invitation
from bot.core.people import Identity, Role
from tests.browser.conftest import LOOKS, Live, Visit, window_of
from tests.browser.test_journeys import tab_to
from tests.fakes.oidc_provider import FakeProvider, serving_provider
from tests.fakes.portal import add_person
from tests.fakes.sign_in import company, give
from tests.fakes.town import person

pytestmark = pytest.mark.browser
LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"


async def furnish(live: Live) -> str:
    """Members of every kind; returns an invitation's address."""
    portal = live.portal
    for name, role in (("Max", Role.BRAND_MANAGER), ("Kim", Role.AUDITOR)):
        await add_person(portal, replace(person(name), roles=(("northwind", role),)))
    await add_person(portal, replace(person(LONG, *Role), team="campaigns"))
    await add_person(portal, replace(person("Gone", Role.REQUESTER), active=False))
    await add_person(portal, replace(person("Noa", Role.REQUESTER), identities=()))
    await give(portal, "mia", Identity(platform="slack", user="U024BE7LH", team="T1"))
    admin = Caller(person=portal.town.people["ida"], actor=portal.town.actor("ida"))
    await create(portal.town.house, admin, label="badge of the studio", scopes=("read", "submit"))
    return await invitation(portal.town.house, admin, portal.town.people["noa"].id)


@pytest.fixture
def provider(live: Live) -> Iterator[FakeProvider]:
    """A company's provider, offered on the sign-in page."""
    with serving_provider() as fake:
        live.providers = (company(fake),)
        live.hang_up()
        live.serve()
        yield fake


@LOOKS
def test_people_and_account_are_accessible_and_fit(
    live: Live, provider: FakeProvider, browser: Browser, tmp_path: Path, size: str, scheme: str
) -> None:
    invited = live.call(furnish(live))
    window = window_of(live, browser, size, scheme)
    page = window.page

    def look(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}-{size}-{scheme}.png", full_page=True)
        assert window.axe() == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name

    for name, path in (("ways", "/sign-in"), ("invitation", invited.removeprefix(live.url))):
        window.go(path)
        look(name)
    window.enter("ida")
    window.go("/account")
    page.locator("#keys summary").click()
    look("account")
    window.go("/people")
    look("people")
    for summary in page.locator(".invite summary, .member-more > summary").all():
        if summary.is_visible():
            summary.click()
    look("people-open")
    page.fill("#invite-name", "Eve")
    page.get_by_role("button", name="Invite and show the link").click()
    page.wait_for_selector("#secret")
    look("invited")
    window.enter("mia")
    window.go("/people")
    look("people-plain")
    assert not window.complaints
    window.context.close()


def test_inviting_and_giving_a_role_by_keyboard_alone(live: Live, visit: Visit) -> None:
    live.call(furnish(live))
    visit.enter("ida")
    page = visit.go("/people")
    tab_to(page, "^Invite someone")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Eve")
    tab_to(page, "^Invite and show")
    page.keyboard.press("Enter")
    page.wait_for_selector("#secret")
    link = page.inner_text("#secret")
    tab_to(page, "To the people")
    page.keyboard.press("Enter")
    page.wait_for_url("**/people#p-*")
    tab_to(page, "^Change Mia")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    tab_to(page, "^Give it")
    page.keyboard.press("Enter")
    expect(page.locator(".flash")).to_contain_text("Mia is now approver in all brands")
    page.goto(link)
    expect(page.locator("h1")).to_contain_text("Welcome to Housestyle, Eve")


@pytest.mark.parametrize("scripts", [True, False])
def test_signing_in_at_a_provider_and_back(
    live: Live, provider: FakeProvider, browser: Browser, scripts: bool
) -> None:
    live.call(
        give(live.portal, "mia", Identity(platform="oidc", user="u-17", team=provider.issuer))
    )
    context = browser.new_context(java_script_enabled=scripts)
    window = Visit(live, context)
    page = window.go("/usage")
    assert page.get_by_role("button", name="Sign in with Acme ID").is_visible()
    page.get_by_role("button", name="Sign in with Acme ID").click()
    page.wait_for_url("**/usage")
    expect(page.locator("h1")).to_have_text("Usage")
    signed_out(page)
    assert [text for text in window.complaints if "401" not in text] == []
    context.close()


def signed_out(page: Page) -> None:
    """Leave by the button, whatever the size."""
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url("**/signed-out")
    expect(page.locator("h1")).to_have_text("You are signed out")


def test_an_invitation_is_accepted_with_the_company_account(
    live: Live, provider: FakeProvider, browser: Browser
) -> None:
    invited = live.call(furnish(live))
    context = browser.new_context()
    window = Visit(live, context)
    page = window.page
    page.goto(invited)
    page.get_by_role("button", name="Join with Acme ID").click()
    page.wait_for_url("**/chat/**")
    expect(page.locator(".me-name")).to_contain_text("Noa")
    assert not window.complaints
    context.close()


def test_a_fresh_key_is_copied_by_a_button(live: Live, visit: Visit) -> None:
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.enter("ana")
    page = visit.go("/account")
    page.locator("#keys summary").click()
    page.fill("#key-label", "badge")
    page.get_by_role("button", name="Make the key").click()
    page.wait_for_selector("#secret")
    key = page.inner_text("#secret")
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
