"""Heard: one delivery of Slack in flat words, as it stands in the inbox."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a person, or Slack itself, did."""

    COMMAND = "command"
    """Typed `/imagine …`."""
    MENTION = "mention"
    """Wrote `@Housestyle …` in a channel or thread."""
    TALK = "talk"
    """Wrote in the direct conversation with the app."""
    ACTION = "action"
    """Pressed one of a card's buttons."""
    REACTION = "reaction"
    """Put an emoji on a message."""
    SUBMIT = "submit"
    """Sent off one of our forms."""
    OPEN = "open"
    """Wants a form: `/imagine` without words, a shortcut, a button that asks something."""
    SWITCH = "switch"
    """Chose another brand or template in an open form."""
    HOME = "home"
    """Opened the app's Home tab."""
    LEFT = "left"
    """Slack says that the app was removed or its tokens are void."""


LIVE = (Kind.OPEN, Kind.SWITCH)
"""What needs an answer by a `trigger_id` or in an open form within three seconds: worked off in
a lane of its own, from memory and Slack alone."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One delivery. Texts are Slack's own, unescaped nowhere; empty where it has none."""

    kind: Kind
    key: str
    """What de-duplicates it: `TEAM:event:ID`, `TEAM:trigger:ID`, …"""
    team: str = ""
    """Key of the workspace it came from (see places)."""
    user: str = ""
    name: str = ""
    channel: str = ""
    """Slack's channel id (C…, G…, D…)."""
    channel_name: str = ""
    thread: str = ""
    """`ts` of the thread it was said in."""
    text: str = ""
    """What was typed; of an ACTION or an ask-form, the answer to what was asked."""
    command: str = ""
    """The slash command, or the callback id of a shortcut or view."""
    action: str = ""
    """A button's action, without its prefix (see surfaces)."""
    trigger: str = ""
    view: str = ""
    """Id of the view it concerns."""
    view_hash: str = ""
    metadata: str = ""
    """The view's `private_metadata`."""
    state: str = ""
    """The view's `state.values` as JSON."""
    chosen: str = ""
    """Of a SWITCH: the new value."""
    message: str = ""
    """`ts` of the message it concerns."""
    blocks: str = ""
    """That message's blocks as JSON, where Slack sent them."""
    emoji: str = ""
    files: tuple[str, ...] = ()
    """Ids of files that came with it."""
    bot_user: str = ""
    """The app's own user id in that workspace, where Slack said it."""
    at: float = 0.0
    """Slack's time of the event, seconds since 1970."""
    detail: str = ""
    """Of LEFT: `app_uninstalled`, or the revoked bot ids, comma between them."""


def to_payload(heard: Heard) -> dict[str, Any]:
    """What stands in the inbox: the fields that say something."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(heard).items()
        if value
    }


def from_payload(payload: Mapping[str, Any]) -> Heard:
    """What `to_payload` wrote, also of a version with fewer or more fields."""
    known = {field.name for field in fields(Heard)}
    found = {name: value for name, value in payload.items() if name in known}
    found["kind"] = Kind(found["kind"])
    found["files"] = tuple(found.get("files", ()))
    return Heard(**found)
