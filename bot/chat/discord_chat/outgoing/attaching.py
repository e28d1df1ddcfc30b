"""The files of a message in a request: those that stand on it already are named, not sent again.

A card with ten pictures changes with each decision about them; its files stay the same. What stands
on a message is known from Discord's own answers to this process. Where that is not so any more
(another process has changed the message), Discord refuses what names it, and all is sent again.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from discord.http import Route

from bot.chat.discord_chat.outgoing.calling import Ask
from bot.chat.discord_chat.outgoing.client import Form, Upload
from bot.chat.discord_chat.outgoing.failing import INVALID_BODY, REFUSALS
from bot.chat.discord_chat.rest import DiscordRefused

MESSAGES = 2000
"""So many messages' files are remembered."""
MOST_REFUSED = 3
"""A server that refuses the naming of files so often in a row is sent them all from then on."""
MAX_ALT = 1024
INVALID = 400
"""The HTTP status of a body that Discord doesn't take."""


class Attached:
    """Ids of the files on our messages, by their names."""

    def __init__(self) -> None:
        self._on: OrderedDict[str, dict[str, str]] = OrderedDict()
        self._refused = 0

    def learn(self, answer: object) -> None:
        """Take note of a message as Discord has answered it."""
        if isinstance(answer, dict) and isinstance(answer.get("id"), str):
            self._on[answer["id"]] = _files_on(answer)
            self._on.move_to_end(answer["id"])
            while len(self._on) > MESSAGES:
                self._on.popitem(last=False)

    def among(self, message: str, files: Sequence[Upload]) -> Mapping[str, str]:
        """Ids by name of those of the files that stand on the message, as far as it is known."""
        if self._refused >= MOST_REFUSED:
            return {}
        known = self._on.get(message, {})
        return {file.name: known[file.name] for file in files if file.name in known}

    def has_all(self, answer: object, files: Sequence[Upload]) -> bool:
        """Whether the message, as Discord answered it after files were named, shows all of them."""
        stands = isinstance(answer, dict) and {file.name for file in files} <= set(
            _files_on(answer)
        )
        self._refused = 0 if stands else self._refused + 1
        return stands

    def refused(self, message: str, exc: DiscordRefused) -> bool:
        """Take note that Discord did not take a change in which files were named; whether they may
        be what it refuses."""
        if exc.status != INVALID or (exc.error in REFUSALS and exc.error != INVALID_BODY):
            return False
        self._on.pop(message, None)
        self._refused += 1
        return True


def sending(
    route: Route,
    body: Mapping[str, Any],
    files: Sequence[Upload],
    standing: Mapping[str, str] | None = None,
) -> Ask:
    """The request for a message with these files; `standing` has ids of those that are there."""
    there = standing or {}
    brought = [file for file in files if file.name not in there]
    listed: list[dict[str, Any]] = [{"id": number} for number in there.values()]
    listed += [
        {"id": str(number), "filename": file.name, "description": file.alt[:MAX_ALT] or None}
        for number, file in enumerate(brought)
    ]
    whole = {**body, "attachments": listed}
    if brought:
        return lambda client: client.request(route, form=Form(whole, brought))
    return lambda client: client.request(route, json=whole)


def _files_on(message: Mapping[str, Any]) -> dict[str, str]:
    """Ids by name of the files that its components show (docs.discord.com, unfurled media item)."""
    return {
        PurePosixPath(str(media.get("url", "")).partition("?")[0]).name: str(number)
        for media in _media(message.get("components"))
        if (number := media["attachment_id"])
    }


def _media(part: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(part, dict) and "attachment_id" in part:
        yield part
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for each in inside:
        yield from _media(each)
