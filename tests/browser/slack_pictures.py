"""The cards of docs/slack.md, drawn from the blocks of real messages:

    python -m tests.browser.slack_pictures FILE

Starts `housestyle serve` with the demo brand beside the strict Slack, asks for a picture, sends it
to approval, and draws both messages in a plain style of our own. It is no photograph of Slack.
"""

import argparse
import asyncio
import base64
import html
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from tests.acceptance.product import free_port, serving
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import button_of, pictured
from tests.fakes.slack.state import Message
from tests.needs import ROOT, program

DONE_S = 300.0
DEMO = ROOT / "brand/demo"
CHANNELS = 'platform = "slack"\nid = "{}"\n'
STYLE = """
body { margin: 0; padding: 28px; background: #fff; color: #1d1c1d; font: 15px/1.46 sans-serif;
       display: flex; gap: 36px; align-items: flex-start; width: 1224px }
article { flex: 1; border: 1px solid #ddd; border-radius: 10px; padding: 18px 20px }
h4 { margin: 0 0 10px; font-size: 15px } h4 small { color: #666; font-weight: 400 }
p { margin: 6px 0; white-space: pre-line } .context { color: #616061; font-size: 13px }
img { width: 420px; border-radius: 8px; display: block; margin: 8px 0; image-rendering: auto }
code { background: #f3f3f3; border: 1px solid #ddd; border-radius: 3px; padding: 0 3px }
button { font: 600 13px sans-serif; padding: 6px 12px; margin: 4px 8px 4px 0; background: #fff;
         border: 1px solid #bbb; border-radius: 4px } .primary { background: #007a5a; color: #fff;
         border-color: #007a5a } .danger { color: #e01e5a; border-color: #e01e5a }
"""


def marked(text: str) -> str:
    """Slack's mrkdwn, as far as our cards use it; `& < >` come escaped."""
    for pattern, tag in (
        (r"`([^`]+)`", "code"),
        (r"\*([^*\n]+)\*", "b"),
        (r"(?<!\w)_([^_\n]+)_", "i"),
    ):
        text = re.sub(pattern, rf"<{tag}>\1</{tag}>", text)
    return text


def shown(text: dict[str, Any]) -> str:
    """A text object."""
    words = str(text["text"])
    return marked(words) if text["type"] == "mrkdwn" else html.escape(words)


def drawn(block: dict[str, Any], slack: FakeSlack) -> str:
    """One block."""
    kind = block["type"]
    if kind == "image":
        data = slack.world.files[block["slack_file"]["id"]].data
        source = f"data:image/png;base64,{base64.b64encode(data).decode()}"
        return f'<img src="{source}" alt="{html.escape(block["alt_text"])}">'
    if kind == "actions":
        return "<p>" + "".join(map(_pressed, block["elements"])) + "</p>"
    if kind == "divider":
        return "<hr>"
    texts = [block["text"]] if block.get("text") else block.get("elements") or block.get("fields")
    said = "\n".join(shown(text) for text in texts or () if "text" in text)
    return f'<p class="{kind}">{said}</p>'


def _pressed(element: dict[str, Any]) -> str:
    if element["type"] != "button":
        return "<button>…</button>"
    return f'<button class="{element.get("style", "")}">{shown(element["text"])}</button>'


def page_of(messages: list[Message], slack: FakeSlack) -> str:
    """The messages beside each other."""
    cards = ""
    for message in messages:
        blocks = "".join(drawn(block, slack) for block in message.blocks)
        cards += (
            f"<article><h4>Housestyle <small>app · #brand-drafts</small></h4>{blocks}</article>"
        )
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{cards}'


def brand_in(folder: Path) -> Path:
    """The demo brand, with its channels in Slack."""
    brands = Path(shutil.copytree(DEMO, folder / "brands"))
    kit = brands / "northwind.toml"
    text = kit.read_text("utf-8")
    for name, own in (("#social", "C0SOCIAL"), ("#brand-drafts", "C0DRAFTS")):
        text = text.replace(f'name = "{name}"\n', f'name = "{name}"\n{CHANNELS.format(own)}')
    kit.write_text(text, "utf-8")
    return brands


async def messages_of(slack: FakeSlack, folder: Path) -> list[Message]:
    """The card of a picture, and the review that is asked for it."""
    environment = {
        "HOUSESTYLE_BRANDS_DIR": str(brand_in(folder)),
        "HOUSESTYLE_SLACK_BOT_TOKEN": slack.bot_token,
        "HOUSESTYLE_SLACK_APP_TOKEN": slack.app_token,
        "HOUSESTYLE_SLACK_API_BASE_URL": slack.api_url,
    }
    data = folder / "data"
    data.mkdir()
    async with serving(data, free_port(), environment=environment):
        words = ("people", "invite", "Ida Brand", "--account", "slack:U0IDA/T1")
        command = (sys.executable, "-m", "bot", "--data-dir", str(data), *words)
        await (await asyncio.create_subprocess_exec(*command, cwd=folder)).wait()
        ida = slack.person("U0IDA")
        await slack.message(ida.dm.id, lambda m: "Welcome" in m.text, within_s=DONE_S)
        await ida.command("/imagine", "a red mug on a wooden table", channel="C0DRAFTS")
        card = await slack.message("C0DRAFTS", _is_done, within_s=DONE_S)
        await ida.click(card, button_of(card, "do:send:"))
        review = await slack.message(
            "C0DRAFTS", lambda m: button_of(m, "do:approve:"), within_s=DONE_S
        )
        return [card, review]


def _is_done(message: Message) -> bool:
    return pictured(message) and bool(button_of(message, "do:send:"))


async def picture(path: Path) -> None:
    """Draw them into a file."""
    with tempfile.TemporaryDirectory() as folder:
        async with FakeSlack() as slack:
            text = page_of(await messages_of(slack, Path(folder)), slack)
    chromium = program("chromium", package="chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 200})
        await page.set_content(text)
        await page.screenshot(path=path, full_page=True)
        await browser.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    asyncio.run(picture(parser.parse_args().file))


if __name__ == "__main__":
    main()
