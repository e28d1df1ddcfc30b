"""Anchors: the chain's last line, written down where whoever changes the ledger does not reach.

A chain alone shows no cut-off tail and no rewriting from end to end. An anchor outside does: the
number and the hash of the last line, in a file elsewhere or in a post of a channel.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from bot.core.errors import HousestyleError, Mistake
from bot.core.ids import new_id
from bot.core.ledger import SUBJECT_CHAIN, Event, Head
from bot.core.messages import Card, ChannelRef
from brand.spec import canonical_json, is_sha256

if TYPE_CHECKING:
    from bot.core.house import House
    from bot.core.ports import Transaction

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
"""After so long at the latest, when something changed."""
EVERY_LINES = 1000
"""After so many lines at the latest."""
ANCHORED = "ledger.anchored"
MAX_ANCHOR_CHARS = 500


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """The chain's end at a moment."""

    seq: int
    hash: str
    count: int
    """Lines of the chain up to here; it has no gaps, so this is `seq` again."""
    at: datetime

    def line(self) -> str:
        """One line of JSON, as files and posts hold it."""
        at = self.at.astimezone(UTC).isoformat(timespec="seconds")
        facts = {"seq": self.seq, "hash": self.hash, "count": self.count, "at": at}
        return canonical_json({"housestyle-anchor": facts}).decode()


class AnchorBook(Protocol):
    """A file of anchors, kept elsewhere than the data."""

    async def append(self, anchor: Anchor) -> None:
        """Returns once it is on the disk. Raises HousestyleError."""
        ...

    async def all(self) -> Sequence[Anchor]:
        """Oldest first; none if there is no file. Raises HousestyleError."""
        ...


@dataclass(frozen=True, kw_only=True)
class AnchorPlaces:
    """Where anchors go; with neither they are made by hand only."""

    book: AnchorBook | None = None
    channel: ChannelRef | None = None


def read_anchors(text: str) -> list[Anchor]:
    """All anchors in a text, such as a file or a copied chat post. Raises Mistake if one is
    damaged or there is none."""
    found = [_read(line) for line in text.splitlines() if "housestyle-anchor" in line]
    if not found:
        raise Mistake(
            "There is no anchor in it.",
            fix="An anchor is a line with `housestyle-anchor`; copy it whole.",
        )
    return found


def _read(line: str) -> Anchor:
    start, end = line.find("{"), line.rfind("}")
    try:
        facts: dict[str, Any] = json.loads(line[start : end + 1])["housestyle-anchor"]
        anchor = Anchor(
            seq=_whole(facts["seq"]),
            hash=str(facts["hash"]),
            count=_whole(facts["count"]),
            at=datetime.fromisoformat(facts["at"]).astimezone(UTC),
        )
        if not is_sha256(anchor.hash) or anchor.count != anchor.seq or anchor.seq < 1:
            raise ValueError("its facts do not fit together")
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise Mistake(
            f"This anchor is damaged: {line.strip()[:MAX_ANCHOR_CHARS]}",
            fix="Copy the line again, whole.",
        ) from exc
    return anchor


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value


async def anchor_due(house: "House") -> int:
    """Anchor the chain if it is time and something changed; how many anchors were made."""
    places, now = house.anchors, house.clock.now()
    if places.book is None and places.channel is None:
        return 0
    async with house.store.read() as tx:
        head, last = await tx.ledger.head(), await last_anchored(tx)
    if not _is_due(head, last, now):
        return 0
    return int(await anchor_now(house) is not None)


def _is_due(head: Head, last: Event | None, now: datetime) -> bool:
    if last is None:
        return head.seq > 0
    own = int(last.seq is not None)  # the line that tells of the last anchor is no change
    fresh = head.seq - int(last.facts["seq"]) - own
    return fresh >= EVERY_LINES or (fresh > 0 and now - last.at >= EVERY)


async def last_anchored(tx: "Transaction") -> Event | None:
    """The event of the newest anchor, or None."""
    for event in await tx.ledger.recent(subject=SUBJECT_CHAIN, limit=50):
        if event.action == ANCHORED:
            return event
    return None


async def anchor_now(house: "House", *, actor: str = "system") -> Anchor | None:
    """Write the chain's end to all places; None if nothing is chained yet.

    The file comes first: it is better to have an anchor twice than to have told of one that is
    nowhere. Where the file can't be written, the log and the event say so.
    """
    now = house.clock.now()
    async with house.store.read() as tx:
        head, before = await tx.ledger.head(), await last_anchored(tx)
    if head.seq == 0:
        return None
    anchor = Anchor(seq=head.seq, hash=head.hash, count=head.seq, at=now)
    places = ["file"] if await _booked(house, anchor) else []
    channel = house.anchors.channel
    async with house.store.write() as tx:
        last = await last_anchored(tx)
        if last is not None and (before is None or last.id != before.id):
            return anchor  # another process has just told of it
        if channel is not None:
            await _post(tx, anchor, channel, now)
            places.append("channel")
        facts = {"seq": anchor.seq, "hash": anchor.hash, "places": places}
        await tx.ledger.append(
            Event(action=ANCHORED, subject=SUBJECT_CHAIN, at=now, actor=actor, facts=facts)
        )
    return anchor


async def _booked(house: "House", anchor: Anchor) -> bool:
    book = house.anchors.book
    if book is None:
        return False
    try:
        await _compare_last(house, book)
        await book.append(anchor)
    except HousestyleError as exc:
        log.error(
            "The ledger's anchor could not be written to its file: %s",
            exc.message,
            extra={"action": "ledger.anchor"},
        )
        return False
    return True


async def _compare_last(house: "House", book: AnchorBook) -> None:
    """Say at once where the chain is no longer that of the last anchor."""
    anchors = await book.all()
    if not anchors:
        return
    last = anchors[-1]
    async with house.store.read() as tx:
        lines = await tx.ledger.page(last.seq - 1, limit=1)
    if not lines or not isinstance(lines[0], Event) or lines[0].hash != last.hash:
        log.error(
            "The ledger is not the one that was anchored at #%s: run housestyle audit verify",
            last.seq,
            extra={"action": "ledger.broken"},
        )


async def _post(tx: "Transaction", anchor: Anchor, channel: ChannelRef, now: datetime) -> None:
    from bot.core.ports import Outgoing

    card = Card(
        kind="reply",
        title=f"Ledger anchor #{anchor.seq:,}",
        subject=f"anchor:{anchor.seq}",
        lines=(
            "Keep this post. It shows later that nothing in the record was changed or cut off.",
            anchor.line(),
        ),
    )
    await tx.outbox.add(Outgoing(id=new_id(), target=channel, card=card, created_at=now))
