"""Pictures that come with a line of the chat: chosen, seen, left out again, sent."""

import io

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import WAIT_MS, Live, Visit

pytestmark = pytest.mark.browser


def png(name: str, colour: str = "teal") -> FilePayload:
    data = io.BytesIO()
    Image.new("RGB", (96, 96), colour).save(data, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": data.getvalue()}


def open_more(page: Page) -> None:
    page.locator(".more-pictures summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#more-mask")).to_be_visible()


def test_a_chosen_picture_shows_its_name_and_can_be_left_out(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    page = visit.page
    page.set_input_files("input[name=picture]", png("a-very-long-name-of-a-reference-picture.png"))
    expect(page.locator("[data-attached=picture]")).to_contain_text("a-very-long-name")
    page.locator("[data-leave-out=picture]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-attached=picture]")).to_have_text("")
    expect(page.locator("[data-leave-out=picture]")).to_be_hidden()
    assert page.evaluate("document.activeElement.name") == "picture"
    page.fill("#say", "/imagine a red mug")
    page.press("#say", "Enter")
    expect(page.locator("[data-status]")).to_contain_text("Done: 1 picture", timeout=WAIT_MS)
    assert page.locator(".msg-attached").count() == 0


def test_the_closed_list_of_more_pictures_says_what_is_in_it(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    page = visit.page
    open_more(page)
    page.set_input_files("#more-mask", png("mask.png", "white"))
    page.set_input_files("#more-control", png("lead.png"))
    page.locator(".more-pictures summary").click()
    expect(page.locator("[data-chosen]")).to_have_text("2 chosen")
    open_more(page)
    assert visit.axe() == []
    page.click("[data-leave-out=mask]")
    expect(page.locator("[data-chosen]")).to_have_text("1 chosen")
    page.fill("#say", "/imagine a red mug control:canny")
    page.press("#say", "Enter")
    expect(page.locator(".msg-attached")).to_be_visible()
    expect(page.locator("[data-chosen]")).to_have_text("")
    expect(page.locator("#more-mask")).to_be_hidden()


def test_leaving_a_reference_out_keeps_what_was_typed(live: Live, visit: Visit) -> None:
    asset = live.call(live.portal.picture("a red mug"))
    visit.enter("mia")
    page = visit.go(f"/chat/me?reference={asset.id}#composer")
    page.wait_for_selector("html.js", state="attached")
    page.fill("#say", "/imagine a blue mug")
    page.click("#reference a:has-text('Leave it out')")
    expect(page.locator("#reference")).to_have_count(0)
    assert page.input_value("#say") == "/imagine a blue mug"
    assert page.url.endswith("/chat/me")


def test_a_way_is_suggested_once_its_word_is_clear(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    field = visit.page.locator("#say")
    field.press_sequentially("/imagine a shelf that is high")
    expect(visit.page.locator("#suggest")).to_be_hidden()
    field.press_sequentially(" contr")
    expect(visit.page.locator("#suggest li")).to_have_count(1)
    field.press("Tab")
    assert field.input_value().endswith(" control:canny ")
    field.press_sequentially("contr")
    expect(visit.page.locator("#suggest")).to_be_hidden()


def test_what_was_refused_stays_to_be_put_right(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    page = visit.page
    page.set_input_files("input[name=picture]", png("mug.png"))
    page.fill("#say", "/imagine a red mug --strength 5")
    page.press("#say", "Enter")
    expect(page.locator(".card-error")).to_contain_text("from 0 to 1")
    assert page.input_value("#say") == "/imagine a red mug --strength 5"
    expect(page.locator("[data-attached=picture]")).to_have_text("mug.png")
    page.fill("#say", "/imagine a red mug --strength 0.5")
    page.press("#say", "Enter")
    expect(page.locator("[data-status]")).to_contain_text("Done: 1 picture", timeout=WAIT_MS)
    assert page.input_value("#say") == ""
    expect(page.locator("[data-attached=picture]")).to_have_text("")


def test_a_file_that_is_no_picture_is_left_out_at_once(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    page = visit.page
    notes: FilePayload = {"name": "notes.png", "mimeType": "image/png", "buffer": b"my notes"}
    page.set_input_files("input[name=picture]", notes)
    expect(page.locator(".toast")).to_contain_text("notes.png can't be used: it isn't a PNG")
    expect(page.locator("[data-attached=picture]")).to_have_text("")


def test_a_mistakes_sentence_reads_as_one(live: Live, visit: Visit) -> None:
    visit.enter("mia")
    page = visit.page
    page.fill("#say", "/imagine a mug control:canny")
    page.press("#say", "Enter")
    word = page.locator(".card-error .line code").first
    expect(word).to_have_text("--control")
    shown = word.evaluate("node => getComputedStyle(node).display")
    assert shown == "inline", "the sentence is laid out in columns"
