"""Heard: one delivery of Discord in flat words, as it stands in the inbox."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Did(StrEnum):
    """What a person did."""

    COMMAND = "command"
    """A slash command."""
    MENU = "menu"
    """A command in a message's menu."""
    ACTION = "action"
    """Pressed one of a card's buttons."""
    SUBMIT = "submit"
    """Sent off one of our forms."""
    REACTED = "reacted"
    """Put an emoji on a message."""
    UNREACTED = "unreacted"
    """Took it away again."""
    RESYNC = "resync"
    """Nobody: events were missed, so the reactions on open reviews are read anew; with a message,
    only those on it, since all of them were taken off it at once."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One delivery. Texts are as people typed them; empty where Discord has none."""

    did: Did
    key: str
    """What de-duplicates it: `interaction:ID`; of a reaction a name of our own, since Discord
    gives it none: what counts is which reactions stand (see understanding)."""
    user: str = ""
    name: str = ""
    guild: str = ""
    """Empty in a direct conversation."""
    roles: tuple[str, ...] = ()
    """Ids of the person's roles in the guild."""
    channel: str = ""
    """Discord's id of the channel, or of the channel that the thread belongs to."""
    thread: str = ""
    channel_name: str = ""
    is_direct: bool = False
    """Whether it was said in the conversation of two with the app."""
    token: str = ""
    """Of the interaction: answers it for 15 minutes."""
    acked: bool = False
    """Whether Discord took the acknowledgement: then an answer can stand where it was asked."""
    command: str = ""
    """Name of the command (surfaces.COMMANDS, surfaces.MENUS)."""
    options: tuple[tuple[str, str], ...] = ()
    """(name, value) of a command's options, or of a form's fields; yes is `true`."""
    action: str = ""
    """A button's or form's action, without its prefix."""
    said: str = ""
    """What was typed where a form asked for one thing."""
    message: str = ""
    """Id of the message it concerns."""
    of_us: bool = False
    """Whether that message is ours."""
    emoji: str = ""
    """The emoji itself, or the name of a guild's own."""
    emoji_id: str = ""
    """Of a guild's own."""
    files: tuple[str, ...] = ()
    """Addresses of attachments, which are signed and expire."""
    at: float = 0.0
    """When it was heard, in seconds since 1970."""

    @property
    def room(self) -> str:
        """The channel, or the thread, in which it was said."""
        return self.thread or self.channel

    def option(self, name: str) -> str:
        """An option's value, or an empty text."""
        return dict(self.options).get(name, "")


def to_payload(heard: Heard) -> dict[str, Any]:
    """As it stands in the inbox."""
    return {name: value for name, value in asdict(heard).items() if value not in ("", (), 0, False)}


def from_payload(payload: Mapping[str, Any]) -> Heard:
    """Out of the inbox; what an older or newer version wrote and this one doesn't know is left."""
    known = {field.name for field in fields(Heard)}
    given = {name: value for name, value in payload.items() if name in known}
    given["did"] = Did(given["did"])
    for name in ("roles", "files"):
        given[name] = tuple(given.get(name, ()))
    given["options"] = tuple((str(name), str(value)) for name, value in given.get("options", ()))
    return Heard(**given)
