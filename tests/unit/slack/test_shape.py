"""Odd shapes are refused before Bolt sees them; Slack's own pass."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.chat.slack_chat.incoming.bolt import build_bolt
from bot.chat.slack_chat.incoming.shape import is_sound, read_body
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.core.payloads import MAX_DEPTH
from tests.hostile.slack import CLICK, COMMAND, EVENT, SENT_OFF, SUGGESTION

FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize("payload", [EVENT, COMMAND, CLICK, SENT_OFF, SUGGESTION])
def test_what_slack_sends_is_sound(payload: dict[str, Any]) -> None:
    assert is_sound(payload)


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        (JSON, b'{"type":"x"}', {"type": "x"}),
        (FORM, b"command=%2Fimagine&text=", {"command": "/imagine", "text": ""}),
        (FORM, urlencode({"payload": '{"type":"x"}'}).encode(), {"type": "x"}),
        (JSON, b"[]", None),
        (JSON, b"", None),
        (JSON, b'{"a":NaN}', None),
        (JSON, b'{"a":-Infinity}', None),
        (JSON, b"\xff", None),
        (JSON, b"[" * 100_000, None),
        (FORM, b"payload=%5B%5D", None),
        (FORM, b"payload=x", None),
        (FORM, b"a=%ff", None),
        (FORM, b"&".join([b"a=1"] * 500), None),
        ("text/plain", b"command=/imagine", None),
        ("", b"{}", None),
    ],
)
def test_a_body_is_read_or_refused(kind: str, body: bytes, found: object) -> None:
    assert read_body(kind, body) == found


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": 7},
        {"type": "event_callback"},
        {"type": "event_callback", "event": []},
        {"type": "event_callback", "event": {"type": None}},
        {"type": "shortcut", "callback_id": "x", "event": None},
        {"type": "shortcut", "callback_id": "x", "team": 7},
        {"type": "shortcut", "callback_id": "x", "team": {"id": 7}},
        {"type": "shortcut", "callback_id": "x", "response_urls": None},
        {"type": "shortcut", "callback_id": "x", "authorizations": [1]},
        {"type": "shortcut", "callback_id": "x", "at": float("inf")},
        {"type": "shortcut", "callback_id": "x", "text": "\0"},
        {"type": "shortcut", "callback_id": "x", "text": "\ud800"},
        {"type": "shortcut", "callback_id": "x", "\udfff": "a name too"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": [{}]},
        {"type": "interactive_message", "callback_id": "x"},
        {"type": "workflow_step_edit", "callback_id": "x"},
        {"type": "view_submission", "view": {"callback_id": "x", "id": "V1"}},
    ],
)
def test_an_odd_shape_is_not_sound(payload: dict[str, Any]) -> None:
    assert not is_sound(payload)


def test_depth_has_an_end() -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_DEPTH - 2):
        deep = {"a": deep}
    assert is_sound({"command": "/imagine", "more": deep})
    assert not is_sound({"command": "/imagine", "more": {"a": {"a": deep}}})


NAMES = sorted({*EVENT, *EVENT["event"], *COMMAND, *CLICK, *SENT_OFF, "authorizations", "message"})
KINDS = (
    *("block_actions", "block_suggestion", "dialog_cancellation", "dialog_submission"),
    *("dialog_suggestion", "event_callback", "interactive_message", "message_action", "shortcut"),
    *("view_closed", "view_submission", "workflow_step_edit", "ssl_check", "url_verification"),
)
EVENTS = (
    *("message", "app_mention", "function_executed", "assistant_thread_started"),
    *("workflow_step_execute", "tokens_revoked", "reaction_added"),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([*NAMES, "id", "type"]), inner, max_size=3)
    ),
    max_leaves=6,
)
OTHER_EVENT = st.builds(
    lambda kind, more: {"event": {"type": kind} | more},
    st.sampled_from(EVENTS),
    st.dictionaries(st.sampled_from([*NAMES, "function", "inputs"]), ANYTHING, max_size=2),
)
OTHER_VIEW = st.sampled_from(
    [{"view": {"type": kind, "callback_id": "imagine", "id": "V1"}} for kind in ("workflow_step",)]
)
PAYLOADS = st.tuples(
    st.sampled_from([EVENT, COMMAND, CLICK, SENT_OFF, SUGGESTION]),
    st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=3),
    st.just({}) | OTHER_EVENT | OTHER_VIEW,
    st.just({}) | st.sampled_from([{"type": kind, "callback_id": "imagine"} for kind in KINDS]),
).map(lambda parts: json.loads(json.dumps(parts[0] | parts[1] | parts[2] | parts[3])))


@settings(max_examples=300, deadline=None)
@given(payload=PAYLOADS)
async def test_bolt_never_trips_over_what_is_sound(payload: dict[str, Any]) -> None:
    async def taken(*_: object) -> BoltResponse:
        return BoltResponse(status=200)

    bolt = build_bolt(SlackOptions(mode=Mode.HTTP, base_url="http://house.test"), taken)
    if is_sound(payload):
        request = AsyncBoltRequest(mode="socket_mode", body=payload)
        assert (await bolt.async_dispatch(request)).status == 200
