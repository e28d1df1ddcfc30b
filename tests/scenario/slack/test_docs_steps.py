"""docs/slack.md, followed to the letter: its commands are typed in a shell, beside a strict Slack.

Only what the page leaves to its reader is filled in: tokens, ids, and the address from outside,
whose proxy is this test. The pictures are drawn; the page's own way takes the demo model.
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fakes.page_reader import STARTS_S, Page, Reader, put_channels
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import anywhere, button_of, files_in, pictured
from tests.fakes.slack.people import Person
from tests.fakes.waiting import until

OUTSIDE = "https://pictures.example.com"
ACCOUNT = "slack:U0123456789/T0123456789"
PAGE = Page("slack.md")


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake
        assert fake.violations == []


def reader_of(slack: FakeSlack, folder: Path, **filled: str) -> Reader:
    world = slack.world
    reader = Reader(
        folder,
        **{
            "xoxb-your-bot-token": slack.bot_token,
            "xapp-your-app-level-token": slack.app_token,
            "your-signing-secret": world.signing_secret,
            "your-client-secret": world.client_secret,
            "1234567890.1234567890": world.client_id,
        },
        **filled,
    )
    reader.environment["HOUSESTYLE_SLACK_API_BASE_URL"] = slack.api_url
    reader.environment["HOUSESTYLE_SLACK_AUTHORIZE_URL"] = slack.authorize_url
    return reader


async def told(person: Person, words: str) -> str:
    """What this person alone reads, with these words in it."""
    await until(lambda: any(words in m.text for m in person.ephemerals()), STARTS_S)
    return next(m.text for m in reversed(person.ephemerals()) if words in m.text)


async def own_account(person: Person) -> str:
    """The account under which the house sees a stranger, as they read it after `/imagine`."""
    await person.command("/imagine", channel="C0DRAFTS")
    shown = lambda: json.dumps(person.modal.body if person.modal else "")  # noqa: E731
    await until(lambda: "invite you as" in shown(), STARTS_S)
    found = re.search(r"invite you as `(\S+)`", shown())
    assert found
    return found[1]


@pytest.mark.deep
async def test_the_first_picture_comes_by_the_pages_own_steps(
    slack: FakeSlack, tmp_path: Path
) -> None:
    title = "The first picture"
    folder, app, start, vouch = PAGE.blocks(title)
    reader = reader_of(slack, tmp_path)
    await reader.all(folder)
    slack.configure(json.loads(await reader.all(app)))
    put_channels(PAGE, reader, title, {"C0123456789": "C0SOCIAL", "C9876543210": "C0DRAFTS"})
    assert "connected to acme as housestyle, by socket" in await reader.all(start)
    ida, mia = slack.person("U0IDA"), slack.person("U0MIA")
    async with reader.serving(start):
        await until(lambda: len(slack.sockets.open) == 2, STARTS_S)
        account = await own_account(ida)
        assert account == "slack:U0IDA/T1"
        assert ACCOUNT in vouch[0], "the page shows such an account"
        second = Reader(reader.folder)  # a second terminal: nothing of Slack is exported there
        assert (await second.type(vouch[0].replace(ACCOUNT, account))).startswith("Ida Brand is in")
        await slack.message(ida.dm.id, lambda m: "Welcome, Ida Brand" in m.text, within_s=STARTS_S)

        await ida.command(
            *PAGE.line_of(title, "/imagine a red mug").split(" ", 1), channel="C0DRAFTS"
        )
        card = await slack.message("C0DRAFTS", pictured, within_s=STARTS_S)
        assert "Done" in card.text
        assert len(slack.messages("C0DRAFTS")) == 1

        invite = PAGE.line_of(title, "/imagine /invite").replace("U0234567890", "U0MIA")
        await ida.command(*invite.split(" ", 1), channel="C0DRAFTS")
        assert "Known as slack:U0MIA" in await told(ida, "Mia Lang is in")
        await ida.click(card, button_of(card, "do:send:"))
        review = await anywhere(slack, lambda m: button_of(m, "do:approve:"), within_s=STARTS_S)
        assert review.channel == "C0DRAFTS"
        await mia.click(review, button_of(review, "do:approve:"))
        await slack.message("C0SOCIAL", pictured, within_s=STARTS_S)
        assert files_in(slack, "C0SOCIAL").isdisjoint(files_in(slack, "C0DRAFTS"))


@pytest.mark.deep
async def test_behind_an_https_address_it_answers_slack_and_nobody_else(
    slack: FakeSlack, tmp_path: Path
) -> None:
    title = "Behind an https address"
    app, start, (curl,) = PAGE.blocks(title)
    reader = reader_of(slack, tmp_path)
    await reader.type("housestyle init . --brand Acme")
    slack.configure(json.loads(await reader.all(app)), at=reader.url)
    assert "connected to acme as housestyle, by http" in await reader.all(start)
    async with reader.serving(start):
        address = curl.split()[-1]
        assert address.startswith(OUTSIDE)
        async with httpx.AsyncClient(trust_env=False) as outside:
            answer = await outside.post(address.replace(OUTSIDE, reader.url))
        assert f"`{answer.status_code}` is right" in PAGE.part(title)
        await slack.person("U0IDA").command("/imagine", "a red mug", channel="C0DRAFTS")
        assert "invite you as `slack:U0IDA/T1`" in await told(slack.person("U0IDA"), "invite you")


@pytest.mark.deep
async def test_a_workspace_installs_it_by_its_link_and_is_forgotten_when_it_leaves(
    slack: FakeSlack, tmp_path: Path
) -> None:
    app, start = PAGE.blocks("Several workspaces")
    slack.add_team("T2", "other")
    reader = reader_of(slack, tmp_path, T0123456789="T2")
    await reader.type("housestyle init . --brand Acme")
    manifest, key = [await reader.type(line) for line in app]
    slack.configure(json.loads(manifest), at=reader.url)
    reader.filled["the-key-that-was-printed"] = key.strip()
    await reader.all(start)
    async with reader.serving(start):
        link = f"{OUTSIDE}/slack/install"
        assert f"`{link}`" in PAGE.text
        refused = await install(reader, slack, link, team="T1")
        assert refused.status_code == 403
        done = await install(reader, slack, link, team="T2")
        assert "Installed in other" in done.text
        assert "connected to other as housestyle" in await reader.type("housestyle doctor --quick")
        await slack.person("U0IDA", team="T2").command("/imagine", "a mug", channel="C0DRAFTS")
        await told(slack.person("U0IDA", team="T2"), "invite you as `slack:U0IDA/T2`")
        assert all(receipt.acked for receipt in await slack.uninstall("T2"))
        await slack.delivery.idle()
        said = await reader.type("housestyle doctor --quick")
        assert "no workspace has installed the app yet" in said


async def install(reader: Reader, slack: FakeSlack, link: str, *, team: str) -> httpx.Response:
    """What an administrator's browser does; the proxy in front of the house is here."""
    slack.consents.team = team

    def inside(address: str) -> str:
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == OUTSIDE
        return f"{reader.url}{parts.path}{parts.query and f'?{parts.query}'}"

    async with httpx.AsyncClient(trust_env=False) as browser:
        away = await browser.get(inside(link))
        headers: dict[str, Any] = {"Cookie": away.headers["set-cookie"].partition(";")[0]}
        back = (await browser.get(away.headers["location"])).headers["location"]
        return await browser.get(inside(back), headers=headers)
