"""Screenshots of the real product, for the README:

    python -m tests.browser.pictures FOLDER [--engine drawn]

Starts `housestyle demo` on a folder of its own, does the main job in it, and photographs the chat,
the review board and the gallery at a desk and on a phone, light and dark.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.needs import ROOT, program

REQUESTS = (
    "/imagine template:stripes PRODUCT=teapot COLOR=teal SECOND=orange",
    "/imagine template:stripes PRODUCT=mug COLOR=white SECOND=orange --n 2",
    "/imagine a teal bottle in front of diagonal teal and orange stripes",
    "/imagine a white book in front of diagonal teal and orange stripes",
    "/imagine an orange hat in front of diagonal teal and orange stripes --n 4",
)
SCHEDULES = (
    '/schedule every day 9:00 Europe/Berlin named "Good morning" in #social templates stripes',
    '/schedule every day 18:30 New_York named "Evening" in #social templates pattern, stripes',
)
DONE_MS = 300_000
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@contextmanager
def product(engine: str) -> Iterator[str]:
    """The running demo; its owner link."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bot", "--data-dir", folder, "demo", "--no-browser"]
        command += ["--json", *(["--engine", engine] if engine else [])]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["owner_link"]
        finally:
            process.terminate()
            process.wait(30)


def ask(page: Page, line: str) -> None:
    """Say a line and wait until its pictures are there."""
    cards = page.locator(".card-job[data-state=done]")
    before = cards.count()
    page.fill("#say", line)
    page.press("#say", "Enter")
    cards.nth(before).wait_for(timeout=DONE_MS)


def photograph(browser: Browser, link: str, folder: Path) -> None:
    """Do the main job once and take its pictures."""
    context = browser.new_context(viewport=DESK, device_scale_factor=1.25)
    page = context.new_page()
    page.goto(link)
    page.keyboard.press("Enter")
    page.wait_for_url("**/chat/**")
    home = page.url.split("/chat")[0]
    for line in REQUESTS:
        ask(page, line)
    for button in page.locator("button:has-text('Send to approval')").all()[:3]:
        button.click()
        page.wait_for_timeout(500)
    page.goto(f"{home}/review")
    shoot(page, folder / "review-light.png")
    page.keyboard.press("a")
    page.wait_for_selector(".flash")
    page.goto(f"{home}/chat/brand-drafts")
    ask(page, "/imagine a red mug on a wooden table")
    shoot(page, folder / "chat-light.png")
    calendar(page, home, folder / "calendar-light.png")
    page.click("button[title=Dark]")
    page.goto(f"{home}/gallery")
    page.mouse.move(500, 300)
    shoot(page, folder / "gallery-dark.png")
    phone = browser.new_context(
        viewport=PHONE,
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        storage_state=context.storage_state(),
    )
    page = phone.new_page()
    page.goto(f"{home}/review")
    shoot(page, folder / "review-phone-dark.png")


def calendar(page: Page, home: str, path: Path) -> None:
    """Two schedules; pictures of the next three days wait for approval, or have it."""
    page.goto(f"{home}/chat/me")
    for line in SCHEDULES:
        page.fill("#say", line)
        page.press("#say", "Enter")
        page.wait_for_timeout(1000)
    page.goto(f"{home}/calendar")
    page.locator(".slot-shot img").nth(5).wait_for(timeout=DONE_MS)
    for row in page.locator(".slot:has(img)").all()[1::2]:
        row.locator("summary").click()
        row.locator(".slot-panel .btn-primary").click()
        page.wait_for_selector(".slot-note")
        page.goto(f"{home}/calendar")
    if page.locator(".rows .slot-shot img").count() > page.locator(".week .slot-shot img").count():
        page.click("a[rel=next]")
    shoot(page, path)


def shoot(page: Page, path: Path) -> None:
    """One picture, once everything on the page is there."""
    for image in page.locator("img:visible").all():
        image.evaluate("image => image.loading == 'lazy' || image.decode()")
    page.wait_for_timeout(600)
    page.screenshot(path=path)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    chromium = program("chromium", package="chromium")
    with product(chosen.engine) as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        photograph(browser, link, chosen.folder)
        browser.close()


if __name__ == "__main__":
    main()
