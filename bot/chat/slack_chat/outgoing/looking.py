"""One bounded look for what we posted: by the id in its metadata, or by its file's name."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.web import Web

EVENT = "housestyle"
"""Event type of our messages' metadata."""
PAGE = 100
CLOCKS = timedelta(seconds=60)
"""How far Slack's clock may be from ours."""


def metadata(outgoing_id: str) -> dict[str, Any]:
    """What a message carries so that it is found again."""
    return {"event_type": EVENT, "event_payload": {"id": outgoing_id}}


def file_stem(outgoing_id: str) -> str:
    """The name, without its ending, of a file that is posted under this id."""
    return f"hs-{outgoing_id}"


async def standing(
    web: Web, outgoing_id: str, channel: str, thread: str, *, since: datetime
) -> list[str]:
    """`ts` of all messages of ours with this id, oldest first. Raises as a call."""
    oldest = f"{(since - CLOCKS).timestamp():.6f}"
    found = await page(web, channel, thread, oldest=oldest)
    return sorted(str(said["ts"]) for said in found if _is_it(said, web, outgoing_id))


async def page(web: Web, channel: str, thread: str, *, oldest: str) -> list[Mapping[str, Any]]:
    """One page of a channel, or of a thread in it. Raises as a call."""
    method = Method.CONVERSATIONS_REPLIES if thread else Method.CONVERSATIONS_HISTORY
    where = {"channel": channel, "ts": thread} if thread else {"channel": channel}
    answer = await web.call(method, **where, oldest=oldest, limit=PAGE, include_all_metadata=True)
    messages = answer.get("messages")
    return [said for said in messages or () if isinstance(said, dict)]


def file_stems(said: Mapping[str, Any]) -> Iterator[str]:
    """The names, without their endings, of a message's files."""
    for file in said.get("files") or ():
        if isinstance(file, dict):
            yield PurePosixPath(str(file.get("name", ""))).stem


def _is_it(said: Mapping[str, Any], web: Web, outgoing_id: str) -> bool:
    if web.bot_user and said.get("user") != web.bot_user:
        return False
    carried = said.get("metadata")
    if isinstance(carried, dict) and carried.get("event_type") == EVENT:
        payload = carried.get("event_payload")
        if isinstance(payload, dict) and payload.get("id") == outgoing_id:
            return True
    return file_stem(outgoing_id) in file_stems(said)
