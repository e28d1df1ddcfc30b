"""shape: whether a body is one that Bolt can read without tripping.

Bolt takes the shapes of Slack's payloads for granted: a list where it expects an object is an
AttributeError in the middle of a request. Here odd shapes are refused before it sees them.

What each place may hold: slack_bolt/request/internals.py and payload_utils.py of 1.30.
"""

import json
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from bot.core.payloads import is_plain

MAX_FIELDS = 200
"""Fields of a form."""

_TEXTS = (
    *("type", "subtype", "command", "callback_id", "action_id", "block_id", "ts", "thread_ts"),
    *("team_id", "enterprise_id", "user_id", "channel_id", "app_installed_team_id", "user_team"),
    *("trigger_id", "event_id", "bot_id", "response_url", "hash", "private_metadata"),
    *("function_execution_id", "bot_access_token", "_envelope"),
)
"""Where Bolt or we expect a text, or nothing."""
_OBJECTS = ("event", "view", "message", "previous_message", "item", "assistant_thread")
_EITHER = ("team", "enterprise", "user", "channel")
"""Where Slack sends an id in one kind of payload and an object with an `id` in another."""
_LISTS = ("authorizations", "actions", "response_urls", "files", "blocks")
_NEVER_NULL = ("event", "response_urls")
"""Bolt asks only whether these names are there."""
_NEEDED = {
    "event_callback": (("event", "type"),),
    "view_submission": (("view", "type"), ("view", "callback_id"), ("view", "id")),
    "view_closed": (("view", "type"), ("view", "callback_id"), ("view", "id")),
    "block_suggestion": (("action_id",),),
    "shortcut": (("callback_id",),),
    "message_action": (("callback_id",),),
}
"""By type of payload: paths of texts without which it is none."""
_WITH_ACTIONS = ("block_actions", "interactive_message")
_STEP, _STEP_EDIT = "workflow_step", "workflow_step_edit"
"""Of a kind of workflow that Slack has retired, but Bolt still looks for."""


def read_body(content_type: str, body: bytes) -> dict[str, Any] | None:
    """The payload of a request of Slack: JSON, a form with a `payload` of JSON, or a form. None
    where it is none of them."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        if kind == "application/json":
            found = _json(text)
        elif kind == "application/x-www-form-urlencoded":
            form = dict(_fields(text))
            found = _json(form["payload"]) if "payload" in form else form
        else:
            return None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_sound(payload: Mapping[str, Any]) -> bool:
    """Whether every place that Bolt reads holds what it expects there, every text can be stored
    and every number is finite."""
    return is_plain(payload) and _is_known(payload) and _is_whole(payload)


def _json(text: str) -> Any:  # noqa: ANN401  (what JSON holds)
    return json.loads(text, parse_constant=_no_number)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _fields(text: str) -> list[tuple[str, str]]:
    return parse_qsl(
        text,
        keep_blank_values=True,
        strict_parsing=bool(text),
        errors="strict",
        max_num_fields=MAX_FIELDS,
    )


def _is_known(thing: Mapping[str, Any]) -> bool:
    """Texts, objects and lists where they belong, here and in the parts that Bolt goes into."""
    if not all(isinstance(thing.get(name), str | None) for name in _TEXTS):
        return False
    if not all(isinstance(thing.get(name), dict | None) for name in _OBJECTS):
        return False
    if not all(_is_id(thing.get(name)) for name in _EITHER):
        return False
    if not all(_is_list_of_objects(thing.get(name)) for name in _LISTS):
        return False
    if any(thing[name] is None for name in _NEVER_NULL if name in thing):
        return False
    return all(_is_known(part) for part in _parts(thing))


def _parts(thing: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What of it Bolt goes into. As deep as MAX_DEPTH at most, which was checked before."""
    names = (*_OBJECTS, *_EITHER)
    inner = [thing[name] for name in names if isinstance(thing.get(name), dict)]
    for name in ("authorizations", "actions", "response_urls"):
        inner += thing.get(name) or []
    return inner


def _is_id(value: object) -> bool:
    return value is None or (isinstance(value, str | dict) and _has_text_id(value))


def _has_text_id(value: str | dict[str, Any]) -> bool:
    return isinstance(value, str) or isinstance(value.get("id"), str | None)


def _is_list_of_objects(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _is_whole(payload: Mapping[str, Any]) -> bool:
    kind = payload.get("type")
    if kind is None:
        return isinstance(payload.get("command"), str)
    if kind in _WITH_ACTIONS and not payload.get("actions"):
        return False
    if kind == "block_actions":
        return all(isinstance(one.get("action_id"), str) for one in payload["actions"])
    if kind == _STEP_EDIT or _at(payload, ("view", "type")) == _STEP:
        return _STEP in payload
    return all(isinstance(_at(payload, path), str) for path in _NEEDED.get(kind, ()))


def _at(payload: Mapping[str, Any], path: tuple[str, ...]) -> object:
    found: Any = payload
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
