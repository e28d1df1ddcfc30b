"""What is left of a record when its person is erased: plain functions, the same for every store.

What was approved or published is the company's record: its words and recipe stay, so that it can
still be explained and rendered again; who asked for it is an id that names nobody. Everything
else that the person wrote goes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from bot.core.assets import Asset
from bot.core.jobs import Job, JobItem
from bot.core.lives import AssetState
from bot.core.messages import Card, ChannelRef
from bot.core.people import Person
from bot.core.reviews import Review, Vote
from brand.spec import RenderSpec

V = TypeVar("V")

SOMEONE = "someone"
"""Stands where a name stood."""
GONE = "Erased with the person who wrote it."
LOCAL = "local"
MIN_ACCOUNT = 6
"""Shorter account names are everyday words; they are taken out of columns, not out of texts."""

MIN_REASON = 4
"""Shorter reasons ("no") are everyday words; they go from the vote, not from others' cards."""


def names_of(person: Person) -> tuple[str, ...]:
    """What must not be found in any text: the name, and account ids that can't be a plain word."""
    accounts = (identity.user for identity in person.identities)
    longer = (user for user in accounts if len(user) >= MIN_ACCOUNT)
    return tuple(dict.fromkeys(text for text in (person.name, *longer) if len(text) > 1))


def quoted_texts(person: Person, reasons: Iterable[str]) -> tuple[str, ...]:
    """What is taken out of the cards and lines of others: the names, the reasons that this person
    gave and others were told, and why they are on the block list."""
    told = (reason.strip() for reason in (*reasons, person.blocked_why))
    return (*names_of(person), *(text for text in told if len(text) >= MIN_REASON))


def local_users(person: Person) -> frozenset[str]:
    """Their accounts in the local chat."""
    return frozenset(one.user for one in person.identities if one.platform == LOCAL)


def is_line_of(person: Person, place: ChannelRef) -> bool:
    """Whether this channel is a direct line of theirs, or a corner of it (`@USER/pages`)."""
    direct = place.channel.partition("/")[0]
    return direct.startswith("@") and is_account_of(person, direct[1:], place)


def is_account_of(person: Person, user: str, place: ChannelRef) -> bool:
    """Whether this user of the platform and workspace of a place is them. The same id may be
    somebody else's in another workspace."""
    return any(
        (one.platform, one.user) == (place.platform, user)
        and (not one.team or place.team in ("", one.team))
        for one in person.identities
    )


def redacted_spec(spec: RenderSpec) -> RenderSpec:
    """The recipe's numbers without its words and without the pictures it began from."""
    return replace(
        spec,
        prompt="",
        negative="",
        init=None,
        mask=None,
        outpaint=None,
        controls=(),
        image_prompt=None,
    )


def redacted_asset(asset: Asset) -> Asset:
    """A picture that nobody approved: its numbers stay, its words and files go."""
    waits = asset.state is AssetState.CANDIDATE
    return replace(
        asset,
        words="",
        file_hash="",
        renditions=(),
        state=AssetState.WITHDRAWN if waits else asset.state,
        change="",
        spec=redacted_spec(asset.spec),
        version=asset.version + 1,
    )


def redacted_job(job: Job, kept: Iterable[str], person: Person) -> Job:
    """The job without its brief and its person's platform roles; items whose picture is in `kept`
    keep their recipe."""
    known = frozenset(kept)
    at_home = job.origin is not None and is_line_of(person, job.origin)
    brief = job.brief.without_pictures()
    brief = replace(brief, words="", variables=(), negative="")
    return replace(
        job,
        brief=brief,
        items=tuple(_item(item, known) for item in job.items),
        origin=None if at_home else job.origin,
        error="",
        groups=(),
        version=job.version + 1,
    )


def _item(item: JobItem, kept: frozenset[str]) -> JobItem:
    if item.asset in kept:
        return item
    return replace(item, spec=redacted_spec(item.spec), change="", asset="")


def files_of(assets: Iterable[Asset], jobs: Iterable[Job]) -> set[str]:
    """The files that may go with the words: the pictures' own, and those that they began from."""
    found = {sha256 for job in jobs for spec in specs_of(job) for sha256 in begun_from(spec)}
    found |= {sha256 for job in jobs for sha256 in job.brief.pictures}
    for asset in assets:
        found |= {asset.file_hash, *(r.file_hash for r in asset.renditions)}
    return found - {""}


def begun_from(spec: RenderSpec) -> tuple[str, ...]:
    """The pictures that a recipe begins from or is led by."""
    return tuple(sha256 for sha256 in spec.inputs if sha256 not in spec.approved_files)


def specs_of(job: Job) -> tuple[RenderSpec, ...]:
    """The recipes of a job."""
    return tuple(item.spec for item in job.items)


def redacted_vote(vote: Vote) -> Vote:
    """The answer counts on; whose it was and why is gone."""
    return replace(vote, name="", reason="")


def redacted_review(review: Review, person: Person, kept: Iterable[str]) -> Review:
    """Without the person's votes' names and reasons, and without the words of what was never
    approved."""
    own = review.requester == person.id and review.asset not in frozenset(kept)
    votes = tuple(redacted_vote(v) if v.person == person.id else v for v in review.votes)
    return replace(
        review,
        votes=votes,
        caption="" if own else review.caption,
        version=review.version + 1,
    )


def erased_card(card: Card, *, own: bool, found: "re.Pattern[str]") -> Card:
    """A stored card afterwards: blank if it is about the person's `own` work, else without the
    name. What was posted stays as it stands in public."""
    if card.kind == "post":
        return card
    return blank_card(card) if own else scrubbed(card, found)


def blank_card(card: Card) -> Card:
    """What stands where a card about the person's own work stood."""
    return Card(kind=card.kind, title="Erased", subject=card.subject, lines=(GONE,))


def scrubber(texts: Iterable[str]) -> "re.Pattern[str]":
    """Finds these texts as whole words."""
    longest_first = sorted(texts, key=len, reverse=True)
    either = "|".join(re.escape(text) for text in longest_first) or r"(?!)"
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)")


def scrubbed(value: V, found: "re.Pattern[str]") -> V:
    """The value with `someone` for every one of these in every text of it."""
    result: Any = value
    if isinstance(value, str):
        result = found.sub(SOMEONE, value)
    elif isinstance(value, tuple | list):
        result = type(value)(scrubbed(item, found) for item in value)
    elif isinstance(value, Mapping):
        result = {key: scrubbed(item, found) for key, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: scrubbed(getattr(value, f.name), found) for f in fields(value)}
        result = replace(value, **changed) if changed != _as_dict(value) else value
    return result  # type: ignore[no-any-return]


def _as_dict(value: Any) -> dict[str, Any]:  # noqa: ANN401  (any dataclass)
    return {f.name: getattr(value, f.name) for f in fields(value)}
