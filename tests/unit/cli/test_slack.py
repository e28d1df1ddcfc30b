"""`housestyle slack`, and what the doctor says of Slack: against a Slack on loopback."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.slack_chat.installing.pairs import Pair, sealed
from bot.chat.slack_chat.installing.vault import Vault, new_key
from bot.chat.slack_chat.manifest import manifest
from bot.chat.slack_chat.options import Mode
from bot.cli.checkups_slack import slack
from bot.cli.exits import ExitCode
from bot.cli.findings import Line
from bot.core.ports import Install
from bot.settings import Settings, load_settings
from storage.database import open_store
from tests.contract.values import make_install
from tests.fakes.command_line import Housestyle
from tests.fakes.slack.app import FakeSlack

URL = "https://pictures.example.com"


def settings_of(folder: Path, **given: str) -> Settings:
    environment = {f"HOUSESTYLE_SLACK_{name}": value for name, value in given.items()}
    return load_settings(folder=folder, environment={"HOME": str(folder), **environment})


async def said(folder: Path, fake: FakeSlack, **given: str) -> list[Line]:
    """What the doctor says with these settings."""
    given = {"API_BASE_URL": fake.api_url, "SIGNING_SECRET": "s", **given}
    return list(await slack(settings_of(folder, **given)))


def test_the_manifest_is_printed_alone_so_that_it_can_be_pasted(housestyle: Housestyle) -> None:
    done = housestyle("slack", "manifest", "--url", f"{URL}/", "--name", "Pictures")
    assert done.code == ExitCode.OK
    assert json.loads(done.out) == manifest(URL, name="Pictures")
    assert "api.slack.com/apps" in done.err
    done = housestyle("slack", "manifest", "--mode", "socket", "--distributed", "--url", URL)
    assert json.loads(done.out) == manifest(URL, mode=Mode.SOCKET, distributed=True)


def test_the_manifest_follows_the_settings(
    housestyle: Housestyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSESTYLE_SLACK_APP_TOKEN", "xapp-1")
    assert json.loads(housestyle("slack", "manifest").out) == manifest("", mode=Mode.SOCKET)
    monkeypatch.setenv("HOUSESTYLE_BASE_URL", URL)
    done = housestyle("slack", "manifest", "--mode", "http")
    assert json.loads(done.out) == manifest(URL)
    monkeypatch.setenv("HOUSESTYLE_SLACK_CLIENT_ID", "1.2")
    done = housestyle("slack", "manifest", "--mode", "http")
    assert json.loads(done.out) == manifest(URL, distributed=True)


def test_an_address_that_slack_does_not_reach_is_refused_with_the_way_out(
    housestyle: Housestyle,
) -> None:
    done = housestyle("slack", "manifest")
    assert done.code == ExitCode.USAGE
    assert done.out == ""
    assert "--url" in done.err
    assert "--mode socket" in done.err
    assert housestyle("slack", "manifest", "--mode", "pigeon").code == ExitCode.USAGE


def test_every_key_is_new_and_seals(housestyle: Housestyle) -> None:
    keys = [
        housestyle("slack", "key").out.strip(),
        housestyle("slack", "key", "--json").json["key"],
    ]
    assert keys[0] != keys[1]
    assert Vault(keys).open(Vault(keys[1:]).seal("x", about="T1"), about="T1") == "x"


async def test_the_doctor_says_where_the_app_is(tmp_path: Path) -> None:
    async with FakeSlack() as fake:
        (line,) = await said(tmp_path, fake, BOT_TOKEN=fake.bot_token)
        assert (line.state, line.says) == ("ok", "connected to acme as housestyle, by http")
        (line,) = await said(tmp_path, fake, BOT_TOKEN=fake.bot_token, APP_TOKEN=fake.app_token)
        assert line.says.endswith("by socket")


async def test_the_doctor_names_the_scopes_that_lack_and_where_to_add_them(tmp_path: Path) -> None:
    async with FakeSlack() as fake:
        few = frozenset({"chat:write", "commands"})
        fake.add_team("T2", "small", token="xoxb-2-small", scopes=few)
        (line,) = await said(tmp_path, fake, BOT_TOKEN="xoxb-2-small")
    assert line.state == "problem"
    assert line.says.startswith("in small the app lacks app_mentions:read, channels:history, files")
    assert "chat:write" not in line.says
    assert "housestyle slack manifest" in line.fix


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"BOT_TOKEN": "xoxp-canary"}, "slack.bot_token is a user token"),
        ({"BOT_TOKEN": "xapp-canary"}, "slack.bot_token is an app-level token"),
        ({"BOT_TOKEN": "xoxe.xoxb-canary"}, "slack.bot_token is a bot token that ends after 12"),
        ({"BOT_TOKEN": "canary"}, "slack.bot_token is no token of Slack's"),
        ({"BOT_TOKEN": "xoxb-1", "APP_TOKEN": "xoxb-canary"}, "slack.app_token is a bot token"),
        ({"BOT_TOKEN": "xoxb-canary"}, "slack.bot_token: Slack does not know this token"),
        ({"BOT_TOKEN": "xoxb-1-acme", "APP_TOKEN": "xapp-canary"}, "slack.app_token: Slack does"),
        ({"BOT_TOKEN": "xoxb-1-acme", "SIGNING_SECRET": ""}, "slack.signing_secret is missing"),
        ({"BOT_TOKEN": "xoxb-1-acme", "MODE": "socket"}, "slack.app_token is missing"),
        ({"CLIENT_ID": "1.2", "CLIENT_SECRET": "s"}, "slack.token_key is missing"),
        ({"CLIENT_ID": "1.2", "CLIENT_SECRET": "s", "TOKEN_KEY": "k"}, "not 32 bytes as base64"),
    ],
)
async def test_the_doctor_says_what_is_wrong_and_shows_no_token(
    tmp_path: Path, given: dict[str, str], says: str
) -> None:
    async with FakeSlack() as fake:
        lines = await said(tmp_path, fake, **given)
    wrong = [line for line in lines if line.state == "problem"]
    assert [says in line.says for line in wrong] == [True], lines
    assert wrong[0].fix
    assert "canary" not in repr(lines)


async def test_the_doctor_says_when_slack_can_not_be_reached(tmp_path: Path) -> None:
    fake = FakeSlack()
    await fake.start()
    await fake.stop()
    (line,) = await said(tmp_path, fake, BOT_TOKEN=fake.bot_token)
    assert line.state == "problem"
    assert "does not answer" in line.says
    assert "slack.api_base_url" in line.fix


async def test_the_doctor_asks_for_an_address_that_slack_itself_reaches(tmp_path: Path) -> None:
    async with FakeSlack() as fake:
        given = {"BOT_TOKEN": fake.bot_token, "SIGNING_SECRET": "s"}
        settings = settings_of(tmp_path, **given)
        found = replace(settings, slack=replace(settings.slack, bot_token="xoxp-1"))
        lines = list(await slack(found))
    assert "https:// address only" in lines[0].says
    assert "slack.mode = socket" in lines[0].fix


async def test_the_doctor_looks_at_every_workspace_that_installed_it(tmp_path: Path) -> None:
    key = new_key()
    many = {"CLIENT_ID": "1.2", "CLIENT_SECRET": "s", "TOKEN_KEY": key}
    async with FakeSlack() as fake:
        (line,) = await said(tmp_path, fake, **many)
        assert "no workspace has installed" in line.says
        assert "/slack/install" in line.fix
        settings = settings_of(tmp_path, **many)
        vault = Vault([key])
        await keep(
            settings,
            sealed_row(vault, Pair(token=fake.bot_token)),
            sealed_row(vault, Pair(token="xoxb-9", why="invalid_refresh_token"), team="T2"),
            sealed_row(Vault([new_key()]), Pair(token="xoxb-8"), team="T3"),
            make_install(team="T4", sealed="", gone_at=make_install().installed_at),
        )
        lines = await said(tmp_path, fake, **many)
    assert [line.state for line in lines] == ["ok", "problem", "problem"]
    assert "can't be renewed (invalid_refresh_token)" in lines[1].says
    assert "does not open" in lines[2].says


async def test_the_doctor_leaves_a_workspace_alone_whose_token_is_renewed_at_the_next_call(
    tmp_path: Path,
) -> None:
    key = new_key()
    many = {"CLIENT_ID": "1.2", "CLIENT_SECRET": "s", "TOKEN_KEY": key}
    ended = make_install().installed_at
    async with FakeSlack() as fake:
        vault = Vault([key])
        pair = Pair(token=fake.bot_token, refresh="xoxe-1")
        fake.world.tokens[fake.bot_token].expires_at = 1.0  # the house was stopped for a night
        await keep(
            settings_of(tmp_path, **many),
            replace(sealed_row(vault, pair), expires_at=ended),
            sealed_row(vault, Pair(token="xoxb-gone"), team="T2"),
        )
        healthy, gone = await said(tmp_path, fake, **many)
    assert healthy.state == "ok"
    assert "renewed at the next call" in healthy.says
    assert gone.state == "problem"
    assert gone.fix.startswith("Install the app there again: ")


def sealed_row(vault: Vault, pair: Pair, **change: str) -> Install:
    install = make_install(name="acme", **change)
    return replace(install, sealed=sealed(vault, install, pair))


async def keep(settings: Settings, *installs: Install) -> None:
    await asyncio.to_thread(settings.data_dir.mkdir, parents=True, exist_ok=True)
    store = await open_store(settings.database_url)
    async with store.write() as tx:
        for install in installs:
            await tx.installs.put(install)
    await store.close()
