"""The main job in a browser: with scripts, by keyboard alone, and with scripts off."""

import re
import time
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.core.messages import Actor
from bot.web.site import site_of_app
from tests.browser.conftest import WAIT_MS, Live, Visit, key, ready
from tests.browser.test_looks import DRAFTS

pytestmark = pytest.mark.browser
MAX_TABS = 150


def tab_to(page: Page, label: str) -> None:
    """Press Tab until the focus is on what is called so; it must be visible there."""
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => { const at = document.activeElement;
            return at.matches('a, button, summary') ? (at.title || at.textContent).trim() : ''; }"""
        )
        if re.search(label, name):
            ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring != "none", f"no focus ring on {label}"
            return
    raise AssertionError(f"the Tab key never reached {label}")


def test_the_main_job_by_keyboard_alone(live: Live, visit: Visit, browser: Browser) -> None:
    visit.enter("mia")
    page = visit.page
    tab_to(page, "Skip to the page")
    page.keyboard.press("Enter")
    tab_to(page, "^Try /imagine")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "say"
    page.keyboard.press("Enter")
    expect(page.locator("[data-status]")).to_contain_text("Done: 1 picture", timeout=WAIT_MS)
    page.keyboard.press("Shift+Tab")
    page.locator("#room-name").evaluate("node => node.ownerDocument.activeElement.blur()")
    tab_to(page, "Send to approval for #social")
    page.keyboard.press("Enter")
    expect(page.locator(".card-review")).to_be_visible()

    other = Visit(live, browser.new_context())
    other.enter("ana")
    tab_to(other.page, "^Review")
    other.page.keyboard.press("Enter")
    other.page.wait_for_url("**/review/**")
    key(other.page, "a")
    expect(other.page.locator(".flash")).to_contain_text("Approved by Ana")
    other.go("/chat/social")
    expect(other.page.locator(".card-post img")).to_be_visible()
    assert not other.complaints
    other.context.close()
    expect(page.locator(".card-review .stamp")).to_contain_text("Approved by Ana")


def test_the_main_job_with_scripts_off(live: Live, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live.link("ana"))
    page.click("text=Open Housestyle")
    page.wait_for_url("**/chat/brand-drafts")
    page.click("text=Try /imagine")
    page.click("button:has-text('Send')")
    for _ in range(100):
        if page.locator("text=Done: 1 picture").count():
            break
        page.click("text=show what is new")
    page.click("button:has-text('Send to approval for #social')")
    for _ in range(100):
        if page.locator(".card-review").count():
            break
        page.click("text=show what is new")
    context.close()

    second = browser.new_context(java_script_enabled=False)
    page = second.new_page()
    page.goto(live.link("ben"))
    page.click("text=Open Housestyle")
    page.click("a:has-text('Review')")
    page.click("summary:has-text('Reject')")
    page.fill("textarea[name=said]", "The ground is too dark.")
    page.click("button:has-text('Reject'):not(summary)")
    expect(page.locator(".flash")).to_contain_text("Rejected by Ben")
    page.click("a:has-text('Gallery')")
    page.fill("#q", "mug")
    page.click("button:has-text('Search')")
    expect(page.locator(".tile-state")).to_have_text("rejected")
    page.click("button[title=Dark]")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    second.close()


def test_a_card_changes_in_place_while_the_picture_is_made(live: Live, visit: Visit) -> None:
    live.renderer.step_seconds = 0.1
    visit.enter("mia")
    page = visit.page
    page.fill("#say", "/imagine a red mug")
    page.press("#say", "Enter")
    card = page.locator(".card-job")
    bar = card.locator("progress")
    expect(card.locator(".status-preview")).to_be_visible()
    early = bar.evaluate("bar => bar.value")
    expect(bar).not_to_have_js_property("value", early)
    assert "%" in card.locator("[data-status]").inner_text()
    expect(card.locator("[data-status]")).to_contain_text("Done: 1 picture", timeout=WAIT_MS)
    assert page.locator(".card-job").count() == 1
    assert "Done" in page.locator("#announce").inner_text()


def test_cancel_works_while_it_runs(live: Live, visit: Visit) -> None:
    live.renderer.step_seconds = 0.3
    visit.enter("mia")
    page = visit.page
    page.fill("#say", "/imagine a red mug")
    page.press("#say", "Enter")
    page.click(".card-job button:has-text('Cancel')")
    expect(page.locator("[data-status]")).to_contain_text("Cancelled")


def test_one_stream_serves_all_tabs_and_passes_on(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    tabs = [visit.page, *(visit.tab() for _ in range(7))]
    for tab in tabs[1:]:
        tab.goto(f"{live.url}/chat/brand-drafts")
    streams = site_of_app(live.portal.app).streams
    ready(tabs[0])
    assert streams.open == 1
    tabs[0].close()
    tabs[1].fill("#say", "/imagine a red mug")
    tabs[1].press("#say", "Enter")
    for tab in tabs[1:]:
        expect(tab.locator("[data-status]")).to_contain_text("Done: 1 picture", timeout=WAIT_MS)
    assert streams.open == 1


def test_a_lost_connection_is_said_and_made_good(live: Live, browser: Browser) -> None:
    context = browser.new_context()
    window = Visit(live, context).enter("mia")
    page = window.page
    ready(page)
    page.wait_for_timeout(300)
    began = time.monotonic()
    live.hang_up()
    assert time.monotonic() - began < 3
    expect(page.locator("#line-state")).to_be_visible()
    live.call(live.portal.desk.say(actor(live, "ana"), "are you still there?"))
    live.serve()
    expect(page.locator(".msgs")).to_contain_text("are you still there?", timeout=WAIT_MS)
    expect(page.locator("#line-state")).to_be_hidden(timeout=WAIT_MS)
    context.close()


def actor(live: Live, who: str) -> Actor:
    """This person in the working channel."""
    town = live.portal.town
    return replace(town.actor(who, DRAFTS), person=town.people[who].id)


def test_what_is_typed_survives_a_failed_send(live: Live, browser: Browser) -> None:
    context = browser.new_context()
    window = Visit(live, context).enter("mia")
    page = window.page
    page.route("**/chat/brand-drafts", lambda route: route.abort())
    page.fill("#say", "/imagine a red mug")
    page.press("#say", "Enter")
    expect(page.locator(".toast")).to_contain_text("Nothing was sent")
    assert page.input_value("#say") == "/imagine a red mug"
    page.unroute("**/chat/brand-drafts")
    page.press("#say", "Enter")
    expect(page.locator(".card-job")).to_be_visible()
    assert page.input_value("#say") == ""
    context.close()


def test_a_double_click_counts_once(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    page = visit.page
    page.fill("#say", "/imagine a red mug")
    page.dblclick(".send")
    expect(page.locator("[data-status]")).to_contain_text("Done: 1 picture", timeout=WAIT_MS)
    assert page.locator(".card-job").count() == 1


def test_suggestions_are_taken_by_keyboard(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    page = visit.page
    field = page.locator("#say")
    field.press_sequentially("/im")
    expect(page.locator("#suggest")).to_be_visible()
    field.press("Tab")
    assert field.input_value() == "/imagine "
    field.press_sequentially("template:str")
    expect(page.locator("#suggest li")).to_have_count(1)
    field.press("Enter")
    field.press_sequentially("COL")
    expect(page.locator("#suggest li")).to_have_count(1)
    field.press("Enter")
    assert field.input_value() == "/imagine template:stripes COLOR="
    expect(page.locator("#suggest li").first).to_be_visible()
    field.press("ArrowDown")
    field.press("Enter")
    assert field.input_value() == "/imagine template:stripes COLOR=teal "
    field.press_sequentially("--ar ")
    expect(page.locator("#suggest li")).to_have_count(3)
    field.press("Escape")
    expect(page.locator("#suggest")).to_be_hidden()


def test_the_gallery_answers_while_one_types(live: Live, visit: Visit) -> None:
    live.call(live.portal.picture("a red mug"))
    live.call(live.portal.picture("a blue hat"))
    visit.enter("mia")
    page = visit.go("/gallery")
    expect(page.locator(".tile")).to_have_count(2)
    page.fill("#q", "hat")
    expect(page.locator(".tile")).to_have_count(1)
    assert page.url.endswith("/gallery?q=hat")
    page.click(".chip:has-text('Drafts')")
    page.wait_for_url("**/gallery?*state=draft*")
    assert "q=hat" in page.url
    expect(page.locator(".tile")).to_have_count(1)


def test_the_board_is_worked_by_single_keys(live: Live, visit: Visit) -> None:
    for words in ("a red mug", "a blue hat", "a teal lamp"):
        live.call(live.portal.review(words))
    visit.enter("ana")
    page = visit.go("/review")
    title = page.locator("#review-title")
    expect(title).to_have_text("a red mug")
    key(page, "ArrowRight")
    expect(title).to_have_text("a blue hat")
    key(page, "ArrowLeft")
    expect(title).to_have_text("a red mug")
    key(page, "c")
    page.wait_for_url("**compare=1")
    key(page, "r")
    page.keyboard.type("a little dark, r a c u")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".flash")).to_contain_text("Rejected by Ana")
    key(page, "a")
    expect(page.locator(".flash")).to_contain_text("Approved by Ana")
    key(page, "u")
    expect(page.locator(".flash")).to_contain_text("Withdrawn")
    page.uncheck("#keys-on")
    page.locator("#main").focus()
    key(page, "a")
    page.wait_for_timeout(300)
    expect(page.locator("#review-title")).to_have_text("a teal lamp")


def test_light_and_dark_change_at_once_and_stay(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    page = visit.page
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("button[title=Dark]")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    visit.go("/queue")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_nothing_foreign_gets_into_the_page(live: Live, browser: Browser) -> None:
    context = browser.new_context()
    page = Visit(live, context).enter("mia").page
    refused = page.evaluate(
        """() => {
        try { document.body.insertAdjacentHTML('beforeend', '<p>x</p>'); return 'taken'; }
        catch (error) { return error.name; } }"""
    )
    assert refused == "TypeError"
    styled = page.evaluate(
        """() => { const p = document.createElement('p'); p.setAttribute('style', 'color: red');
        document.body.append(p); return getComputedStyle(p).color; }"""
    )
    assert styled != "rgb(255, 0, 0)"
    context.close()


def test_a_server_that_stops_ends_its_streams_first(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    ready(visit.page)
    visit.page.wait_for_timeout(300)
    assert site_of_app(live.portal.app).streams.open == 1
    began = time.monotonic()
    live.hang_up()
    assert time.monotonic() - began < 2
    visit.page.close()
    visit.complaints.clear()
    live.serve()
