"""The buttons of a card go at the click, before anything is decided.

Only where a cheap read says that the click will count: a card that refuses somebody keeps its
buttons for the others. Whatever comes of the command is told by the outbox afterwards, in order;
where nothing came of it, or nobody knows whether the buttons went, the card is told anew.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.rendering.stripping import stripped
from bot.chat.slack_chat.understanding.redrawing import review_blocks_now
from bot.chat.slack_chat.understanding.standing import message_of
from bot.chat.slack_chat.web import SlackRefused, Webs
from bot.core.caller import known
from bot.core.commands import Approve, AskChange, Cancel, Command, Reject, Settle
from bot.core.errors import ChatError, ChatUnavailable, Conflict, HousestyleError, Unavailable
from bot.core.house import House
from bot.core.lives import JobState, PublicationState
from bot.core.messages import Actor
from bot.core.people import Person
from bot.core.policy import MANAGERS, may_handle, may_vote
from bot.core.ports import Transaction

log = logging.getLogger(__name__)

STRIP_WITHIN_S = 1.0
"""How long a click waits for the buttons to go before it counts."""
ONE_MOMENT = "One moment…"
_RUNNING = (JobState.QUEUED, JobState.RENDERING, JobState.CHECKING)


class Strip(Enum):
    """What became of a card's buttons."""

    LEFT = "left"
    GONE = "gone"
    UNKNOWN = "unknown"
    """They may be gone, or go in a moment."""


class Stripping:
    """Takes buttons away."""

    def __init__(self, house: House, webs: Webs, *, within_s: float) -> None:
        self._house = house
        self._webs = webs
        self._within_s = within_s

    async def standing(self, heard: Heard) -> str:
        """The subject of the card that was clicked; empty for one that nobody knows any more."""
        async with self._house.store.read() as tx:
            return await tx.outbox.subject_of(message_of(heard))

    async def strip(self, heard: Heard, command: Command, actor: Actor, standing: str) -> Strip:
        """Take the card's buttons away if the command will count and decides what the card asks.
        Raises Unavailable."""
        if not standing or standing != decided_by(command):
            return Strip.LEFT
        if not await self._will_count(command, actor):
            return Strip.LEFT
        blocks = _blocks(heard.blocks) or await self._redrawn(heard, command)
        return await self._strip(heard, blocks) if blocks else Strip.LEFT

    async def _redrawn(self, heard: Heard, command: Command) -> list[dict[str, Any]]:
        """The card of a form that was sent off; a form brings no message along."""
        if heard.kind is not Kind.SUBMIT or not isinstance(command, Reject | AskChange):
            return []
        return await review_blocks_now(self._house, heard, command.review)

    async def _will_count(self, command: Command, actor: Actor) -> bool:
        check = _CHECKS[type(command)]
        try:
            async with self._house.store.read() as tx:
                person = (await known(tx, actor)).person
                await check(self._house, tx, person, command)
        except Unavailable:
            raise
        except HousestyleError:
            return False  # the door says why, and records it
        return True

    async def _strip(self, heard: Heard, blocks: list[dict[str, Any]]) -> Strip:
        try:
            web = await self._webs.web(heard.team)
            async with asyncio.timeout(self._within_s):
                await web.call(
                    Method.CHAT_UPDATE,
                    place=heard.channel,
                    channel=heard.channel,
                    ts=heard.message,
                    text=ONE_MOMENT,
                    blocks=stripped(blocks, ONE_MOMENT),
                )
        except SlackRefused as exc:
            log.info("The buttons stay: %s", exc.message)
            return Strip.LEFT
        except ChatUnavailable as exc:
            return Strip.LEFT if exc.queued else Strip.UNKNOWN
        except (ChatError, TimeoutError):
            return Strip.UNKNOWN
        return Strip.GONE


def decided_by(command: Command) -> str:
    """The subject of the card that this command settles; empty where it settles none."""
    if isinstance(command, Approve | Reject | AskChange):
        return f"review:{command.review}"
    if isinstance(command, Cancel):
        return f"job:{command.job}"
    return f"publication:{command.publication}" if isinstance(command, Settle) else ""


async def _vote(
    house: House, tx: Transaction, person: Person, command: Approve | Reject | AskChange
) -> None:
    review = await tx.reviews.get(command.review)
    may_vote(await tx.kits.current(review.brand), person, review, demo=house.demo)
    if review.deadline <= house.clock.now():
        raise Conflict("Its time is over.")


async def _cancel(_: House, tx: Transaction, person: Person, command: Cancel) -> None:
    job = await tx.jobs.get(command.job)
    may_handle(await tx.kits.current(job.brand), person, job.requester)
    if job.state not in _RUNNING:
        raise Conflict("It has ended.")


async def _settle(_: House, tx: Transaction, person: Person, command: Settle) -> None:
    post = await tx.publications.get(command.publication)
    kit = await tx.kits.current(post.brand)
    if not person.roles_in(kit.id) & MANAGERS:
        may_handle(kit, person, post.requested_by)
    if post.state is not PublicationState.AMBIGUOUS:
        raise Conflict("It is settled.")


_CHECKS: dict[type, Callable[[House, Transaction, Person, Any], Awaitable[None]]] = {
    Approve: _vote,
    Reject: _vote,
    AskChange: _vote,
    Cancel: _cancel,
    Settle: _settle,
}


def _blocks(text: str) -> list[dict[str, Any]]:
    """The message's blocks as Slack sent them along."""
    try:
        blocks = json.loads(text or "[]")
    except ValueError:
        return []
    listed = blocks if isinstance(blocks, list) else []
    return [block for block in listed if isinstance(block, dict)]
