"""The manifest is what Slack takes, and says what the app does: no more and no less."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.chat.slack_chat.incoming.bolt import build_bolt
from bot.chat.slack_chat.manifest import manifest, scopes_wanted
from bot.chat.slack_chat.methods import RULES, Method, scopes_needed
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.surfaces import COMMANDS, EVENTS, SHORTCUTS, event_scopes
from bot.core.errors import Mistake
from tests.needs import ROOT

URL = "https://pictures.example.com"
SCHEMA = json.loads((ROOT / "tests/data/slack-manifest.schema.json").read_text())
ADAPTER = ROOT / "bot/chat/slack_chat"


def valid(found: dict[str, Any]) -> bool:
    return bool(jsonschema_rs.Draft7Validator(SCHEMA).is_valid(found))


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("distributed", [False, True])
def test_every_manifest_is_valid_by_slack_s_own_schema(mode: Mode, distributed: bool) -> None:
    found = manifest(URL, mode=mode, distributed=distributed, name="x" * 35)
    assert valid(found)


def test_the_schema_refuses_what_slack_refuses() -> None:
    long_name, unknown = manifest(URL), manifest(URL)
    long_name["features"]["shortcuts"][0]["name"] = "x" * 25
    unknown["settings"]["socket_mode"] = True
    assert not valid(long_name)
    assert not valid(unknown)


@pytest.mark.parametrize(
    ("file", "mode"),
    [("slack-manifest.json", Mode.HTTP), ("slack-manifest-socket.json", Mode.SOCKET)],
)
def test_the_shipped_files_are_what_the_command_prints(file: str, mode: Mode) -> None:
    shipped = (ROOT / "deploy" / file).read_text()
    assert json.loads(shipped) == manifest(URL, mode=mode)


def test_every_command_shortcut_and_event_that_is_handled_is_in_it() -> None:
    features, settings = manifest(URL)["features"], manifest(URL)["settings"]
    assert [each["command"] for each in features["slash_commands"]] == list(COMMANDS)
    assert [each["callback_id"] for each in features["shortcuts"]] == list(SHORTCUTS)
    assert settings["event_subscriptions"]["bot_events"] == list(EVENTS)


def command(name: str) -> dict[str, Any]:
    return {"command": name, "text": "", "team_id": "T1", "user_id": "U1", "channel_id": "C1"}


def shortcut(callback: str, kind: str) -> dict[str, Any]:
    typed = {"message": "message_action", "global": "shortcut"}[kind]
    return {
        "type": typed,
        "callback_id": callback,
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "trigger_id": "1.2",
    }


def event(name: str) -> dict[str, Any]:
    kind, _, channel_type = name.partition(".")
    inside = {"type": kind, "user": "U1", "channel_type": channel_type}
    return {"type": "event_callback", "team_id": "T1", "event_id": "E1", "event": inside}


async def test_bolt_takes_in_what_the_manifest_asks_slack_for_and_nothing_else() -> None:
    got: list[dict[str, Any]] = []

    async def taken(body: dict[str, Any], context: object) -> BoltResponse:
        got.append(body)
        return BoltResponse(status=200)

    app = build_bolt(SlackOptions(mode=Mode.SOCKET, base_url=URL, bot_token="xoxb-1"), taken)
    found = manifest(URL)
    features, events = found["features"], found["settings"]["event_subscriptions"]["bot_events"]
    asked = [command(each["command"]) for each in features["slash_commands"]]
    asked += [shortcut(each["callback_id"], each["type"]) for each in features["shortcuts"]]
    asked += [event(name) for name in events]
    for body in asked:
        await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
    assert got == asked
    for other in (command("/other"), shortcut("other", "global"), event("team_join")):
        await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=other))
    assert got == asked


def test_its_scopes_are_exactly_those_of_the_methods_called_and_the_events_heard() -> None:
    asked = manifest(URL)["oauth_config"]["scopes"]
    assert asked == {"bot": sorted(scopes_needed() | event_scopes())}
    assert scopes_wanted() == (
        "app_mentions:read",
        "channels:history",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "im:history",
        "im:write",
        "mpim:history",
        "reactions:read",
    )


def test_every_method_has_a_rule_and_is_called_somewhere() -> None:
    assert set(RULES) == set(Method)
    named = "\n".join(
        path.read_text() for path in ADAPTER.rglob("*.py") if path.name != "methods.py"
    )
    library = {Method.CONNECTIONS_OPEN}  # slack_sdk's socket client calls it
    unused = [m for m in Method if f"Method.{m.name}" not in named and m not in library]
    assert unused == []


def test_over_http_every_request_goes_to_one_address() -> None:
    found = manifest(f"{URL}/")
    hook = f"{URL}/slack/events"
    assert found["settings"]["event_subscriptions"]["request_url"] == hook
    assert found["settings"]["interactivity"]["request_url"] == hook
    assert found["settings"]["interactivity"]["message_menu_options_url"] == hook
    assert {each["url"] for each in found["features"]["slash_commands"]} == {hook}
    assert not found["settings"]["socket_mode_enabled"]
    assert "redirect_urls" not in found["oauth_config"]


def test_over_sockets_no_address_is_needed() -> None:
    found = manifest("", mode=Mode.SOCKET)
    assert found["settings"]["socket_mode_enabled"]
    assert "https://" not in json.dumps(found)


def test_tokens_end_only_where_the_app_can_renew_them() -> None:
    assert not manifest(URL)["settings"]["token_rotation_enabled"]
    many = manifest(URL, distributed=True)
    assert many["settings"]["token_rotation_enabled"]
    assert many["settings"]["org_deploy_enabled"]
    assert many["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]


@pytest.mark.parametrize(
    "url",
    ["", "pictures.example.com", "http://pictures.example.com", "http://127.0.0.1:8600",
     "https://", "https://a b", "https://x.example?q=1", "https://x.example#f",
     "https://u:p@x.example", "https://x.example:99999", "https://[::1", "ftp://x.example"],
)  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"mode": Mode.SOCKET, "distributed": True}])
def test_an_address_that_slack_can_not_reach_is_refused(url: str, options: dict[str, Any]) -> None:
    with pytest.raises(Mistake, match="https://") as refused:
        manifest(url, **options)
    assert refused.value.field == "url"


@pytest.mark.parametrize("name", ["", "   ", "x" * 36, "a\nb"])
def test_a_name_that_slack_refuses_is_refused(name: str) -> None:
    with pytest.raises(Mistake, match="1 to 35"):
        manifest(URL, name=name)


def test_nobody_but_the_outgoing_room_and_the_sockets_makes_a_client_of_slack() -> None:
    makers = {
        path.relative_to(ADAPTER).as_posix()
        for path in Path(ADAPTER).rglob("*.py")
        if "AsyncWebClient(" in path.read_text()
    }
    assert makers <= {"outgoing/calling.py", "incoming/bolt.py", "incoming/sockets.py"}
