"""One bounded look for what we posted: by the two numbers hidden in a card, or a post's file name.

Discord forgets a nonce after minutes, and a history doesn't show it; ids of components are shown.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from discord.utils import time_snowflake

from bot.chat.discord_chat.outgoing.rest import PAGE, DiscordRest
from bot.chat.discord_chat.rendering.cards import marker_ids

log = logging.getLogger(__name__)

PAGES = 2
"""Where the first is full of what others said."""
CLOCKS = timedelta(seconds=60)
"""How far Discord's clock may be from ours."""


def file_stem(outgoing_id: str) -> str:
    """The name, without its ending, of a file that is posted under this id."""
    return f"hs-{outgoing_id}"


async def standing(
    rest: DiscordRest,
    outgoing_id: str,
    room: str,
    *,
    since: datetime,
    until: datetime | None = None,
) -> list[str]:
    """Ids of all messages of ours with this id, oldest first, on the first page that has one.
    Raises as a call."""
    me = (await rest.myself()).user
    oldest = time_snowflake(since - CLOCKS)
    before = str(time_snowflake(until + CLOCKS, high=True)) if until is not None else ""
    for _ in range(PAGES):
        page = await rest.history(room, before=before, limit=PAGE)
        recent = [said for said in page if _number(said) >= oldest]
        if found := [str(said["id"]) for said in recent if _is_it(said, me, outgoing_id)]:
            return sorted(found, key=int)
        if len(recent) < PAGE:
            return []
        before = str(recent[-1]["id"])
    log.warning("Not found on %s pages", PAGES, extra={"id": outgoing_id})
    return []


def _number(said: Mapping[str, Any]) -> int:
    try:
        return int(said.get("id") or 0)
    except (TypeError, ValueError):
        return 0


def _is_it(said: Mapping[str, Any], me: str, outgoing_id: str) -> bool:
    author = said.get("author")
    if not isinstance(author, dict) or author.get("id") != me:
        return False
    return file_stem(outgoing_id) in _stems(said) or _marks(said) == marker_ids(outgoing_id)


def _stems(said: Mapping[str, Any]) -> Iterator[str]:
    for file in said.get("attachments") or ():
        if isinstance(file, dict):
            yield PurePosixPath(str(file.get("filename", ""))).stem


def _marks(said: Mapping[str, Any]) -> tuple[object, object]:
    """The ids of the first container and of the first text in it."""
    for outer in said.get("components") or ():
        for inner in (outer.get("components") or ()) if isinstance(outer, dict) else ():
            if isinstance(inner, dict) and inner.get("type") == _TEXT:
                return outer.get("id"), inner.get("id")
    return None, None


_TEXT = 10
