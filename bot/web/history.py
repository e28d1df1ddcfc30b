"""What happened to a picture, from the ledger, in sentences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.assets import Asset
from bot.core.ledger import Event
from bot.core.ports import Transaction
from bot.core.reviews import Review
from bot.core.telling import name_of

Facts = dict[str, Any]
LIMIT = 50


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a picture's history."""

    at: datetime
    who: str
    what: str
    action: str


def _voted(facts: Facts) -> str:
    own = ", on their own request (demo)" if facts.get("own_request") else ""
    return f"voted {facts.get('answer', '')}{own}"


_SENTENCES: dict[str, Callable[[Facts], str]] = {
    "job.queued": lambda _: "asked for it",
    "job.done": lambda _: "finished the job",
    "job.failed": lambda _: "gave the job up",
    "job.cancelled": lambda _: "cancelled the job",
    "job.paused": lambda _: "paused the job",
    "job.resumed": lambda _: "let the job go on",
    "asset.rendered": lambda f: (
        "rendered it, and it passed the brand check"
        if f.get("passed")
        else "rendered it, and it failed the brand check: " + ", ".join(f.get("failed_gates", []))
    ),
    "asset.withdrawn": lambda _: "withdrew it",
    "review.opened": lambda _: "sent it to approval",
    "review.voted": _voted,
    "review.decided": lambda f: f"decided: {f.get('outcome', '')}",
    "review.expired": lambda _: "closed the review, its time was over",
    "publication.sent": lambda f: f"posted it to {f.get('target', '')}",
    "publication.failed": lambda f: f"could not post it: {f.get('error', '')}",
    "publication.ambiguous": lambda _: "does not know whether the post arrived",
    "publication.deleted": lambda f: f"deleted the post in {f.get('target', '')}",
}


async def history(tx: Transaction, asset: Asset, reviews: Sequence[Review]) -> list[Line]:
    """Oldest first: the ledger's lines of the asset, its job, its reviews and its posts."""
    subjects = [f"asset:{asset.id}", f"job:{asset.job}"]
    subjects += [f"review:{review.id}" for review in reviews]
    subjects += [f"publication:{p.id}" for p in await tx.publications.of_asset(asset.id)]
    events: dict[str, Event] = {}
    for subject in subjects:
        for event in await tx.ledger.recent(subject=subject, limit=LIMIT):
            events[event.id] = event
    ordered = sorted(events.values(), key=lambda event: event.at)
    return [await _line(tx, event) for event in ordered]


async def _line(tx: Transaction, event: Event) -> Line:
    sentence = _SENTENCES.get(event.action)
    what = sentence(dict(event.facts)) if sentence else event.action.replace(".", " ")
    house = event.actor in ("", "system")
    return Line(
        at=event.at,
        who="Housestyle" if house else await name_of(tx, event.actor),
        what=what,
        action=event.action,
    )
