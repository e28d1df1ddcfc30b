"""hearing: Slack's payloads as Heard. Pure; nothing of what is not ours comes out of it.

Two things of a payload stay behind: its verification `token`, which is a secret, and its
`response_url`, which lives shorter than a long queue.

Payloads: docs.slack.dev/reference/interaction-payloads and docs.slack.dev/reference/events.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.incoming.payload import id_in
from bot.chat.slack_chat.incoming.whose import team_of
from bot.chat.slack_chat.modals.reading import said_of
from bot.chat.slack_chat.places import is_direct
from bot.chat.slack_chat.surfaces import (
    ACTION_PREFIX,
    COMMANDS,
    OPEN_PREFIX,
    PICKERS,
    SHORTCUTS,
    VIEWS,
)
from bot.core.payloads import Body, part_of, text_in

ENVELOPE = "_envelope"
"""Where a socket's envelope id stands in its payload."""
MENU_PREFIX = "more:"
"""An overflow menu has the action id `more:ASSET`; its options' values are actions."""
LINK_PREFIX = "link:"
"""A button that opens an address."""
UNKNOWN = "unknown"
"""The action of a button that is not ours: whoever pressed it is told."""
NOTHING_ASKED = "-"
"""The value of a button that asks for nothing."""
TALKED = ("", "file_share", "thread_broadcast")
"""Subtypes of a message that a person wrote just now."""


def heard_of(body: Body, context: Mapping[str, Any]) -> Heard | None:
    """What a delivery says to us; None where it says nothing. `body` is sound (see shape), the
    context is Bolt's, which knows whose workspace it is."""
    reader = _READERS.get(text_in(body, "type"), _nothing) if "type" in body else _command
    heard = reader(body, context)
    if heard is None or not heard.team:
        return None
    return heard if heard.user or heard.kind is Kind.LEFT else None


def key_of(body: Body, team: str) -> str:
    """What names this delivery, however often it comes: the same for a retry, another socket, a
    form that is sent off twice."""
    view, event, trigger = (
        part_of(body, "view"),
        text_in(body, "event_id"),
        text_in(body, "trigger_id"),
    )
    if event:
        return f"{team}:event:{event}"
    if body.get("type") == "view_submission" and text_in(view, "id"):
        # The same form may be sent off again after a lost answer, with another trigger.
        return f"{team}:view:{text_in(view, 'id')}"
    if trigger:
        return f"{team}:trigger:{trigger}"
    if text_in(body, ENVELOPE):
        return f"{team}:envelope:{text_in(body, ENVELOPE)}"
    canonical = json.dumps(body, sort_keys=True, default=str).encode()
    return f"{team}:body:{hashlib.sha256(canonical).hexdigest()}"


def _base(body: Body, context: Mapping[str, Any]) -> dict[str, Any]:
    team = team_of(body, context, own=_own_team(body))
    return {
        "key": key_of(body, team),
        "team": team,
        "user": _user(body),
        "name": _name(body),
        "channel": id_in(body, "channel") or text_in(body, "channel_id"),
        "channel_name": text_in(part_of(body, "channel"), "name") or text_in(body, "channel_name"),
        "trigger": text_in(body, "trigger_id"),
        "bot_user": _bot_user(body),
    }


def _own_team(body: Body) -> str:
    """The workspace that we wrote into a form of ours when it was opened."""
    view = part_of(body, "view")
    ours = text_in(view, "type") == "modal" and view.get("callback_id") in VIEWS
    return said_of(text_in(view, "private_metadata")).text("w") if ours else ""


def _nothing(_: Body, __: Mapping[str, Any]) -> None:
    return None


def _command(body: Body, context: Mapping[str, Any]) -> Heard | None:
    if body.get("command") not in COMMANDS:
        return None
    words = text_in(body, "text").strip()
    return Heard(
        kind=Kind.COMMAND if words else Kind.OPEN,
        text=words,
        command=text_in(body, "command"),
        **_base(body, context),
    )


def _shortcut(body: Body, context: Mapping[str, Any]) -> Heard | None:
    if body.get("callback_id") not in SHORTCUTS:
        return None
    message = part_of(body, "message")
    return Heard(
        kind=Kind.OPEN,
        command=text_in(body, "callback_id"),
        text=text_in(message, "text"),
        message=text_in(message, "ts"),
        thread=text_in(message, "thread_ts"),
        blocks=_json(message.get("blocks")),
        files=_files(message),
        **_base(body, context),
    )


def _action(body: Body, context: Mapping[str, Any]) -> Heard | None:
    action, view = body["actions"][0], part_of(body, "view")
    if text_in(view, "type") == "modal":
        return _switch(body, context, action)
    if text_in(action, "action_id").startswith(LINK_PREFIX):
        return None  # the browser has done it
    kind, name, asks = _pressed(action) or (Kind.ACTION, UNKNOWN, "")
    message = part_of(body, "message")
    return Heard(
        kind=kind,
        action=name,
        text=asks,
        view=text_in(view, "id"),
        message=text_in(message, "ts") or text_in(part_of(body, "container"), "message_ts"),
        thread=text_in(message, "thread_ts"),
        blocks=_json(message.get("blocks")),
        at=_seconds(action.get("action_ts")),
        **_base(body, context),
    )


def _pressed(action: Body) -> tuple[Kind, str, str] | None:
    """(kind, action, what it asks for) of a pressed button or a menu's choice."""
    name = text_in(action, "action_id")
    if name.startswith(OPEN_PREFIX):
        return Kind.OPEN, name.removeprefix(OPEN_PREFIX), ""
    if name.startswith(ACTION_PREFIX):
        asks = text_in(action, "value")
        name = name.removeprefix(ACTION_PREFIX)
    elif name.startswith(MENU_PREFIX):
        name, _, asks = text_in(part_of(action, "selected_option"), "value").partition("|")
    else:
        return None
    if not name:
        return None
    if asks in ("", NOTHING_ASKED):
        return Kind.ACTION, name, ""
    return Kind.OPEN, name, asks


def _switch(body: Body, context: Mapping[str, Any], action: Body) -> Heard | None:
    if action["action_id"] not in PICKERS:
        return None
    return Heard(
        kind=Kind.SWITCH,
        action=text_in(action, "action_id"),
        chosen=text_in(part_of(action, "selected_option"), "value"),
        at=_seconds(action.get("action_ts")),
        **_view(body),
        **_base(body, context),
    )


def _submit(body: Body, context: Mapping[str, Any]) -> Heard | None:
    view = part_of(body, "view")
    if view.get("callback_id") not in VIEWS:
        return None
    return Heard(kind=Kind.SUBMIT, **_view(body), **_base(body, context))


def _view(body: Body) -> dict[str, Any]:
    view = part_of(body, "view")
    return {
        "command": text_in(view, "callback_id"),
        "view": text_in(view, "id"),
        "view_hash": text_in(view, "hash"),
        "metadata": text_in(view, "private_metadata"),
        "state": _json(part_of(view, "state").get("values")),
    }


def _event(body: Body, context: Mapping[str, Any]) -> Heard | None:
    event = body["event"]
    reader = _EVENTS.get(text_in(event, "type"))
    if reader is None:
        return None
    # In a channel shared with another company its people are heard too: no payload tells them for
    # sure from colleagues of another workspace, the door does by who is a member.
    said = reader(event, _bot_user(body))
    if said is None:
        return None
    base = _base(body, context) | {"at": _seconds(body.get("event_time"))}
    return Heard(**(base | said))


def _talk(event: Body, _: str) -> dict[str, Any] | None:
    if text_in(event, "channel_type") != "im" or text_in(event, "subtype") not in TALKED:
        return None
    return _said(Kind.TALK, event)


def _mention(event: Body, _: str) -> dict[str, Any] | None:
    # In a direct conversation the same words come as a message.
    return None if is_direct(id_in(event, "channel")) else _said(Kind.MENTION, event)


def _said(kind: Kind, event: Body) -> dict[str, Any] | None:
    if text_in(event, "bot_id") or not id_in(event, "user"):
        return None  # bots, we among them, are not people
    return {
        "kind": kind,
        "channel": id_in(event, "channel"),
        "text": text_in(event, "text"),
        "message": text_in(event, "ts"),
        "thread": text_in(event, "thread_ts"),
        "files": _files(event),
    }


def _reaction(event: Body, bot_user: str) -> dict[str, Any] | None:
    item, author = part_of(event, "item"), text_in(event, "item_user")
    if text_in(item, "type") != "message" or (bot_user and author not in ("", bot_user)):
        return None  # on somebody else's message it says nothing to us
    return {
        "kind": Kind.REACTION,
        "channel": id_in(item, "channel"),
        "message": text_in(item, "ts"),
        "emoji": text_in(event, "reaction"),
    }


def _home(event: Body, _: str) -> dict[str, Any] | None:
    if text_in(event, "tab") not in ("", "home"):
        return None
    return {"kind": Kind.HOME, "channel": id_in(event, "channel")}


def _uninstalled(_: Body, __: str) -> dict[str, Any]:
    return {"kind": Kind.LEFT, "detail": "app_uninstalled"}


def _revoked(event: Body, _: str) -> dict[str, Any] | None:
    bots = part_of(event, "tokens").get("bot")
    ids = [one for one in bots if isinstance(one, str)] if isinstance(bots, list) else []
    return {"kind": Kind.LEFT, "detail": ",".join(ids)} if ids else None


def _user(body: Body) -> str:
    """Who did it. Not Bolt's answer, which where nobody did is the author of the message."""
    event = part_of(body, "event")
    return id_in(body, "user") or text_in(body, "user_id") or id_in(event, "user")


def _bot_user(body: Body) -> str:
    for authorization in body.get("authorizations") or ():
        if authorization.get("is_bot") is True:
            return text_in(authorization, "user_id")
    return ""


def _name(body: Body) -> str:
    user = part_of(body, "user")
    return text_in(user, "name") or text_in(user, "username") or text_in(body, "user_name")


def _files(message: Body) -> tuple[str, ...]:
    return tuple(text_in(file, "id") for file in message.get("files") or () if text_in(file, "id"))


def _seconds(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) if value else ""


_READERS: dict[str, Callable[[Body, Mapping[str, Any]], Heard | None]] = {
    "event_callback": _event,
    "block_actions": _action,
    "shortcut": _shortcut,
    "message_action": _shortcut,
    "view_submission": _submit,
}
_EVENTS: dict[str, Callable[[Body, str], dict[str, Any] | None]] = {
    "app_mention": _mention,
    "message": _talk,
    "reaction_added": _reaction,
    "app_home_opened": _home,
    "app_uninstalled": _uninstalled,
    "tokens_revoked": _revoked,
}
