"""One bounded look for what we posted: by the id in its metadata, or by its file's name."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.web import Web
from bot.core.errors import ChatUnavailable

log = logging.getLogger(__name__)

EVENT = "housestyle"
"""Event type of our messages' metadata."""
PAGE = 100
PAGES = 2
"""Where the first is full of what others said."""
CLOCKS = timedelta(seconds=60)
"""How far Slack's clock may be from ours."""


def metadata(outgoing_id: str) -> dict[str, Any]:
    """What a message carries so that it is found again."""
    return {"event_type": EVENT, "event_payload": {"id": outgoing_id}}


def file_stem(outgoing_id: str) -> str:
    """The name, without its ending, of a file that is posted under this id."""
    return f"hs-{outgoing_id}"


async def standing(
    web: Web,
    outgoing_id: str,
    channel: str,
    thread: str,
    *,
    since: datetime,
    until: datetime | None = None,
) -> list[str]:
    """`ts` of all messages of ours with this id, oldest first, on the first page that has one.
    Raises as a call."""
    bounds = {"oldest": f"{(since - CLOCKS).timestamp():.6f}"}
    if until is not None:
        bounds["latest"] = f"{(until + CLOCKS).timestamp():.6f}"
    for number in range(PAGES):
        try:
            answer = await _asked(web, channel, thread, **bounds)
        except ChatUnavailable as exc:
            if not number or not exc.queued:
                raise
            # Waiting for the next page's turn would begin with the first again, for ever.
            log.warning("Looked at one page only: %s", exc.message, extra={"id": outgoing_id})
            return []
        found = [said for said in _messages(answer) if _is_it(said, web, outgoing_id)]
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        if found or not cursor:
            return sorted(str(said["ts"]) for said in found)
        bounds["cursor"] = str(cursor)
    log.warning("Not found on %s pages", PAGES, extra={"id": outgoing_id})
    return []


async def page(web: Web, channel: str, thread: str, *, oldest: str) -> list[Mapping[str, Any]]:
    """One page of a channel, or of a thread in it. Raises as a call."""
    return _messages(await _asked(web, channel, thread, oldest=oldest))


def file_stems(said: Mapping[str, Any]) -> Iterator[str]:
    """The names, without their endings, of a message's files."""
    for file in said.get("files") or ():
        if isinstance(file, dict):
            yield PurePosixPath(str(file.get("name", ""))).stem


async def _asked(web: Web, channel: str, thread: str, **bounds: str) -> Mapping[str, Any]:
    method = Method.CONVERSATIONS_REPLIES if thread else Method.CONVERSATIONS_HISTORY
    where = {"channel": channel, "ts": thread} if thread else {"channel": channel}
    return await web.call(method, **where, **bounds, limit=PAGE, include_all_metadata=True)


def _messages(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [said for said in answer.get("messages") or () if isinstance(said, dict)]


def _is_it(said: Mapping[str, Any], web: Web, outgoing_id: str) -> bool:
    if web.bot_user and said.get("user") != web.bot_user:
        return False
    carried = said.get("metadata")
    if isinstance(carried, dict) and carried.get("event_type") == EVENT:
        payload = carried.get("event_payload")
        if isinstance(payload, dict) and payload.get("id") == outgoing_id:
            return True
    return file_stem(outgoing_id) in file_stems(said)
