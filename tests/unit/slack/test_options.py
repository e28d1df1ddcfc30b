"""What an administrator set for Slack, as the adapter is told it; halves are refused."""

from pathlib import Path

import pytest

from bot.chat.slack_chat.options import API_BASE_URL, Mode, SlackOptions
from bot.chats import slack_options
from bot.settings import SettingsInvalid, load_settings
from tests.needs import ROOT

TOKEN, APP, SECRET = "xoxb-1", "xapp-1", "secret"
ONE = {"BOT_TOKEN": TOKEN, "SIGNING_SECRET": SECRET}
MANY = {"CLIENT_ID": "1.2", "CLIENT_SECRET": "s", "TOKEN_KEY": "k1,k2", "SIGNING_SECRET": SECRET}


def options(folder: Path, **given: str) -> SlackOptions | None:
    environment = {f"HOUSESTYLE_SLACK_{name}": value for name, value in given.items()}
    environment |= {"HOME": str(folder), "HOUSESTYLE_BASE_URL": "https://pictures.example.com/"}
    return slack_options(load_settings(folder=folder, environment=environment))


def chosen(folder: Path, **given: str) -> SlackOptions:
    found = options(folder, **given)
    assert found is not None
    return found


def test_without_any_setting_of_slack_it_is_left_out(tmp_path: Path) -> None:
    assert options(tmp_path) is None


def test_a_token_and_a_signing_secret_mean_http(tmp_path: Path) -> None:
    found = chosen(tmp_path, **ONE)
    assert (found.mode, found.base_url) == (Mode.HTTP, "https://pictures.example.com")
    assert found.api_base_url == API_BASE_URL
    assert not found.distributed


def test_an_app_token_means_sockets_and_needs_no_signing_secret(tmp_path: Path) -> None:
    assert chosen(tmp_path, BOT_TOKEN=TOKEN, APP_TOKEN=APP).mode is Mode.SOCKET


def test_http_can_be_chosen_beside_an_app_token(tmp_path: Path) -> None:
    assert chosen(tmp_path, **ONE, APP_TOKEN=APP, MODE="http").mode is Mode.HTTP


def test_workspaces_that_install_the_app_need_no_bot_token(tmp_path: Path) -> None:
    found = chosen(tmp_path, **MANY, ALLOWED_TEAMS="T1, E2")
    assert found.distributed
    assert found.token_keys == ("k1", "k2")
    assert found.allowed_teams == ("T1", "E2")


def test_the_web_api_may_be_elsewhere(tmp_path: Path) -> None:
    found = chosen(tmp_path, **ONE, API_BASE_URL="https://slack-gov.com/api/")
    assert found.api_base_url == "https://slack-gov.com/api/"
    assert chosen(tmp_path, **ONE, API_BASE_URL="http://127.0.0.1:9/api").api_base_url.endswith("/")


def test_emoji_are_taken_with_or_without_colons(tmp_path: Path) -> None:
    found = chosen(tmp_path, **ONE, APPROVE_EMOJI=":ship_it:, Yes", REJECT_EMOJI="+1-no")
    assert found.approve_emoji == ("ship_it", "yes")
    assert found.reject_emoji == ("+1-no",)


def test_no_secret_is_shown_when_the_options_are(tmp_path: Path) -> None:
    for given in (MANY, {"BOT_TOKEN": "canary", "APP_TOKEN": "canary", "SIGNING_SECRET": "canary"}):
        canaries = {name: "canary" for name in given if name != "CLIENT_ID"}
        assert "canary" not in repr(chosen(tmp_path, **{**given, **canaries}))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"BOT_TOKEN": TOKEN}, ("slack.signing_secret is missing", "slack.mode to socket")),
        ({"BOT_TOKEN": TOKEN, "MODE": "socket", "SIGNING_SECRET": "s"}, ("slack.app_token",)),
        ({"BOT_TOKEN": TOKEN, "APP_TOKEN": APP, "MODE": "http"}, ("slack.signing_secret",)),
        ({"APP_TOKEN": APP}, ("neither a bot token", "HOUSESTYLE_SLACK_BOT_TOKEN")),
        ({"SIGNING_SECRET": SECRET}, ("neither a bot token", "slack.client_id")),
        ({"MODE": "http"}, ("neither a bot token",)),
        ({**ONE, "CLIENT_ID": "1"}, ("both are set", "Take one")),
        ({**MANY, "CLIENT_SECRET": ""}, ("slack.client_secret is missing",)),
        ({**MANY, "TOKEN_KEY": ""}, ("slack.token_key is missing", "housestyle slack key")),
        ({**MANY, "CLIENT_ID": ""}, ("slack.client_id is missing",)),
        ({**MANY, "SIGNING_SECRET": ""}, ("slack.signing_secret is missing",)),
        (
            {**ONE, "APPROVE_EMOJI": "yes,shipit", "REJECT_EMOJI": "shipit"},
            ("shipit can't both", "Take it out"),
        ),
        ({**ONE, "API_BASE_URL": "http://example.com/api"}, ("api_base_url needs", "https://")),
        ({**ONE, "AUTHORIZE_URL": "http://example.com/a"}, ("authorize_url needs", "https://")),
    ],
)
def test_half_a_configuration_is_refused_with_the_way_out(
    tmp_path: Path, given: dict[str, str], says: tuple[str, ...]
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        options(tmp_path, **{name: value for name, value in given.items() if value})
    said = f"{caught.value.message} {caught.value.fix}"
    assert all(part in said for part in says), said


def test_each_example_for_the_environment_is_a_whole_configuration(tmp_path: Path) -> None:
    parts = (ROOT / "deploy" / "env.example").read_text("utf-8").split("\n\n")
    examples = [part for part in parts if part.startswith("# Slack")]
    assert len(examples) == 3
    for example in examples:
        lines = [line.removeprefix("#") for line in example.splitlines() if "=" in line]
        environment = {"HOME": str(tmp_path)} | dict(line.split("=", 1) for line in lines)
        for name, path in environment.items():
            if name.endswith("_FILE"):
                environment[name] = secret = Path(path).name
                (tmp_path / secret).write_text("given", encoding="utf-8")
        assert slack_options(load_settings(folder=tmp_path, environment=environment)) is not None
