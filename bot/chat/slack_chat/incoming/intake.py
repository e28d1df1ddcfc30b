"""SlackIntake: what Slack delivers is on this node's disk before Slack is told "received".

Every surface of both transports ends in `taken`. It reads memory and writes the inbox, nothing
else: no database, no call to Slack. The work comes after the answer, in lanes that don't wait for
each other: a form must be open three seconds after the click, whatever else there is to do, and a
line of words must not wait for pictures that others bring.

Two things are answered from memory and leave no trace in the inbox: the options of a select, and
a form whose fields are wrong. Nothing of them could be lost.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeAlias

from slack_bolt.response import BoltResponse

from bot.chat.slack_chat.incoming.heard import LIVE, Heard, Kind, from_payload, to_payload
from bot.chat.slack_chat.incoming.hearing import heard_of
from bot.chat.slack_chat.outgoing.bringing import may_bring_files
from bot.chat.slack_chat.places import PLATFORM
from bot.core.errors import Unavailable
from bot.core.house import House
from bot.core.ports import Delivery
from bot.core.receiving import Lanes, Receiving
from bot.core.watching import following

log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[Heard], Awaitable[None]]

LIVE_PLATFORM = f"{PLATFORM}.now"
"""The name of the quick lane's deliveries in the inbox."""
FILES_PLATFORM = f"{PLATFORM}.files"
"""The same of what comes with pictures, which are fetched from Slack before all else."""
AT_ONCE = 8
LIVE_AT_ONCE = 16
FILES_AT_ONCE = 4
"""Deliveries of each lane that are worked off at the same time."""
NOT_TAKEN = (
    "Housestyle can't take this in just now, so nothing was queued. "
    "Please try again in a minute; if it stays so, tell whoever looks after Housestyle."
)
TRIPPED = "Something went wrong here, and nothing was queued. Please try again. Reference: {}"


class AtAck(Protocol):
    """What is answered with the acknowledgement itself. From memory: neither may wait or fail."""

    def errors(self, view: dict[str, Any]) -> dict[str, str]:
        """What is wrong with a form that was sent off, by block id; empty if nothing is."""
        ...

    def options(self, action_id: str, typed: str, view: dict[str, Any]) -> dict[str, Any]:
        """The options of a select, as the body of the answer."""
        ...


class SlackIntake:
    """Takes in what people do in Slack. `work` does it, `live` opens and changes forms."""

    def __init__(self, house: House, *, forms: AtAck, work: Work, live: Work) -> None:
        self._forms = forms
        self._lane = Receiving(house, PLATFORM, _worker(work), at_once=AT_ONCE)
        self._quick = Receiving(house, LIVE_PLATFORM, _worker(live), at_once=LIVE_AT_ONCE)
        self._files = Receiving(house, FILES_PLATFORM, _worker(work), at_once=FILES_AT_ONCE)
        self._lanes = Lanes(self._quick, self._lane, self._files)

    async def taken(self, body: dict[str, Any], context: Mapping[str, Any]) -> BoltResponse:
        """The answer to one delivery; an acknowledgement once it is written down. Never raises.

        200 with an empty body, or with what Slack shows (options, errors of a form, a note). Where
        nothing can be said with the answer, 503 if it could not be written down and 500 for a bug
        of ours: Slack marks a click as failed, and delivers an event again."""
        with following() as reference:
            try:
                return await self._taken(body, context)
            except Unavailable:
                log.exception(
                    "A delivery of Slack could not be written down",
                    extra={"action": "slack.not_taken", "type": str(body.get("type", "command"))},
                )
                return _apology(body, NOT_TAKEN, status=503)
            except Exception:
                log.exception(
                    "A delivery of Slack tripped over a bug",
                    extra={"action": "slack.tripped", "type": str(body.get("type", "command"))},
                )
                return _apology(body, TRIPPED.format(reference), status=500)

    def sweeping(self) -> AbstractAsyncContextManager[None]:
        """See Lanes."""
        return self._lanes.sweeping()

    async def finish(self, limit_s: float) -> None:
        """See Lanes."""
        await self._lanes.finish(limit_s)

    async def _taken(self, body: dict[str, Any], context: Mapping[str, Any]) -> BoltResponse:
        if body.get("type") == "block_suggestion":
            return _answer(self._choices(body))
        heard = heard_of(body, context)
        if heard is None:
            return _answer()
        if heard.kind is Kind.SUBMIT and (errors := self._forms.errors(body["view"])):
            return _errors(errors)
        lane = self._lane_of(heard)
        lane.later(await lane.put(heard.key, to_payload(heard)))
        return _answer()

    def _lane_of(self, heard: Heard) -> Receiving[None]:
        if heard.kind in LIVE:
            return self._quick
        return self._files if may_bring_files(heard) else self._lane

    def _choices(self, body: dict[str, Any]) -> dict[str, Any]:
        typed, view = body.get("value"), body.get("view")
        return self._forms.options(
            body["action_id"], typed if isinstance(typed, str) else "", view or {}
        )


def _worker(work: Work) -> Callable[[Delivery], Awaitable[None]]:
    async def done(delivery: Delivery) -> None:
        await work(from_payload(delivery.payload))

    return done


def _answer(body: dict[str, Any] | None = None) -> BoltResponse:
    return BoltResponse(status=200, body=body or "")


def _errors(errors: Mapping[str, str]) -> BoltResponse:
    return _answer({"response_action": "errors", "errors": dict(errors)})


def _apology(body: dict[str, Any], words: str, *, status: int) -> BoltResponse:
    """Says it where Slack lets us say something with the answer, else that it failed."""
    if "command" in body and "type" not in body:
        return _answer({"response_type": "ephemeral", "text": words})
    if body.get("type") == "view_submission":
        block = _first_input(body["view"])
        if block:
            return _errors({block: words})
    if body.get("type") == "block_suggestion":
        return _answer({"options": []})
    return BoltResponse(status=status, body="")


def _first_input(view: Mapping[str, Any]) -> str:
    """Block id of a form's first field: errors may stand nowhere else."""
    for block in view.get("blocks") or ():
        if block.get("type") == "input" and isinstance(block.get("block_id"), str):
            return str(block["block_id"])
    return ""
