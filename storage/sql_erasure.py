"""Erasing a person from the records in SQL."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Table,
    and_,
    cast,
    delete,
    false,
    or_,
    select,
    true,
    update,
)

from bot.core.assets import Asset
from bot.core.jobs import Job
from bot.core.lives import AssetState, OutboxState
from bot.core.messages import Card
from bot.core.people import Identity, Person
from bot.core.ports import Erased, Install
from bot.core.redacting import (
    GONE,
    SOMEONE,
    erased_card,
    files_of,
    local_users,
    quoted_texts,
    redacted_asset,
    redacted_job,
    scrubbed,
    scrubber,
)
from storage.codec import decode, encode
from storage.rows import Shape
from storage.sql_assets import AssetTable
from storage.sql_erased_files import SqlErasedFiles
from storage.sql_table import Session
from storage.steps import was_installed_by
from storage.tables import (
    AssetRow,
    AssetWordRow,
    EventRow,
    InstallRow,
    JobRow,
    LinkRow,
    LinkTryRow,
    OutgoingRow,
    PublicationRow,
    ReactionRow,
    RenditionRow,
    ReviewRow,
    SlotRow,
    TimelineRow,
    UploadRow,
    VoteRow,
    table_of,
)

_ASSETS = Shape(Asset, AssetRow, apart=("renditions",))
_JOBS = Shape(Job, JobRow)
_INSTALLS = Shape(Install, InstallRow)
_WORDS, _EVENTS, _SLOTS = table_of(AssetWordRow), table_of(EventRow), table_of(SlotRow)
_LINKS, _TRIES = table_of(LinkRow), table_of(LinkTryRow)
_OUTBOX, _TIMELINE = table_of(OutgoingRow), table_of(TimelineRow)
_REACTIONS, _PUBLICATIONS = table_of(ReactionRow), table_of(PublicationRow)
_REVIEWS, _VOTES = table_of(ReviewRow), table_of(VoteRow)
_RENDITIONS, _UPLOADS = table_of(RenditionRow), table_of(UploadRow)
_SENTENCES = (
    (_SLOTS, "reason"),
    (_JOBS.table, "held_why"),
    (_JOBS.table, "error"),
    (_PUBLICATIONS, "error"),
)
"""Columns in which the house names people to others."""


class SqlErasure:
    """The Erasure port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def erase(self, person: Person, now: datetime) -> Erased:
        """See the port."""
        files = SqlErasedFiles(self._session)
        candidates = await files.said_by(local_users(person)) | await self._uploads(person)
        kept, gone = await self._assets(person)
        jobs = await self._jobs(person, kept)
        candidates |= files_of(gone, jobs)
        texts = quoted_texts(person, await self._reasons(person))
        reviews = await self._reviews(person)
        await self._slots(person)
        await self._codes(person)
        await self._installs(person)
        messages = await self._outbox(person, texts) + await self._timeline(person, texts)
        await self._sentences(texts)
        return Erased(
            jobs=len(jobs),
            pictures=len(gone),
            kept=len(kept),
            reviews=reviews,
            messages=messages,
            files=await files.unused(candidates),
        )

    async def _assets(self, person: Person) -> tuple[frozenset[str], list[Asset]]:
        """The ids of what stays, and the others as they were."""
        c = _ASSETS.table.c
        own = select(_ASSETS.table).where(c.requester == person.id)
        kept = frozenset(row["id"] for row in await self._session.rows(_kept(person)))
        gone = await AssetTable(self._session, "asset", _ASSETS).load(
            await self._session.rows(own.where(~_stays()))
        )
        bare = select(c.row).where(c.requester == person.id, ~_stays())
        await self._session.change(delete(_WORDS).where(_WORDS.c.asset.in_(bare)))
        for asset in gone:
            new = redacted_asset(asset)
            await self._put(_ASSETS.table, {**_ASSETS.row(new), "spec_hash": new.spec.hash})
            await self._session.change(delete(_RENDITIONS).where(_RENDITIONS.c.asset == asset.id))
        return kept, gone

    async def _jobs(self, person: Person, kept: Collection[str]) -> list[Job]:
        """The jobs as they were."""
        wanted = select(_JOBS.table).where(_JOBS.table.c.requester == person.id)
        jobs = [_JOBS.value(row) for row in await self._session.rows(wanted)]
        for job in jobs:
            await self._put(_JOBS.table, _JOBS.row(redacted_job(job, kept, person)))
        return jobs

    async def _uploads(self, person: Person) -> set[str]:
        own = delete(_UPLOADS).where(_UPLOADS.c.person == person.id).returning(_UPLOADS.c.sha256)
        return {row[0] for row in await self._session.change(own)}

    async def _reviews(self, person: Person) -> int:
        c = _REVIEWS.c
        voted = c.id.in_(select(_VOTES.c.review).where(_VOTES.c.person == person.id))
        bare = (c.requester == person.id) & c.asset.not_in(_kept(person))
        touched = update(_REVIEWS).where(or_(voted, c.requester == person.id))
        count = (await self._session.change(touched.values(version=c.version + 1))).rowcount
        await self._session.change(update(_REVIEWS).where(bare).values(caption=""))
        own = update(_VOTES).where(_VOTES.c.person == person.id)
        await self._session.change(own.values(name="", reason=""))
        return count

    async def _reasons(self, person: Person) -> list[str]:
        votes = select(_VOTES.c.reason).where(_VOTES.c.person == person.id, _VOTES.c.reason != "")
        slots = select(_SLOTS.c.reason).where(_slots_told(person))
        found = [*await self._session.rows(votes), *await self._session.rows(slots)]
        return [row["reason"] for row in found]

    async def _slots(self, person: Person) -> None:
        change = (
            update(_SLOTS)
            .where(_slots_told(person))
            .values(reason="", version=_SLOTS.c.version + 1)
        )
        await self._session.change(change)

    async def _codes(self, person: Person) -> None:
        rows = await self._session.rows(select(_LINKS.c.id, _LINKS.c.person, _LINKS.c.claim))
        gone = [
            row["id"]
            for row in rows
            if row["person"] == person.id
            or (row["claim"] and decode(Identity, row["claim"]) in person.identities)
        ]
        await self._session.change(delete(_LINKS).where(_LINKS.c.id.in_(gone)))
        for one in person.identities:
            same = {"platform": one.platform, "user": one.user, "team": one.team}
            await self._session.change(delete(_TRIES).where(*_equal(_TRIES, same)))

    async def _installs(self, person: Person) -> None:
        c = _INSTALLS.table.c
        users = [one.user for one in person.identities]
        wanted = select(_INSTALLS.table).where(c.installed_by.in_(users))
        for row in await self._session.rows(wanted):
            if was_installed_by(person, _INSTALLS.value(row)):
                same = [column == row[column.name] for column in _INSTALLS.table.primary_key]
                change = update(_INSTALLS.table).where(*same)
                await self._session.change(change.values(installed_by="", version=c.version + 1))

    async def _outbox(self, person: Person, texts: Sequence[str]) -> int:
        direct = _told_alone(person)
        waiting = delete(_OUTBOX).where(direct, _OUTBOX.c.state != OutboxState.SENDING)
        count = (await self._session.change(waiting)).rowcount
        own = or_(direct, _OUTBOX.c.subject.in_(_own_subjects(person)))
        return count + await self._cards(_OUTBOX, own, texts)

    async def _timeline(self, person: Person, texts: Sequence[str]) -> int:
        c, users = _TIMELINE.c, sorted(local_users(person))
        private = or_(
            c.only_for.in_(users),
            *(c.channel == f"@{user}" for user in users),
            *(c.channel.startswith(f"@{user}/", autoescape=True) for user in users),
        )
        marks = or_(
            _REACTIONS.c.user.in_(users), _REACTIONS.c.message.in_(select(c.id).where(private))
        )
        await self._session.change(delete(_REACTIONS).where(marks))
        count = (await self._session.change(delete(_TIMELINE).where(private))).rowcount
        said = update(_TIMELINE).where(c.user.in_(users))
        blank = {"author": SOMEONE, "user": "", "text": GONE, "blob": ""}
        said = said.values(**blank, version=c.version + 1)
        count += (await self._session.change(said)).rowcount
        subject = c.card["subject"].as_string()
        own = c.card.is_not(None) & subject.in_(_own_subjects(person))
        count += await self._cards(_TIMELINE, own, texts)
        return count + await self._texts(texts)

    async def _cards(self, table: Table, own: ColumnElement[bool], texts: Sequence[str]) -> int:
        """Blank the person's own cards of this table, and take the texts out of all others."""
        found = scrubber(texts)
        c, count = table.c, 0
        named = or_(false(), *(_holds(c.card, text) for text in texts))
        blank = {row["id"] for row in await self._session.rows(select(c.id).where(own))}
        wanted = select(c.id, c.card).where(or_(own, named))
        for row in await self._session.rows(wanted):
            card = decode(Card, row["card"])
            new = erased_card(card, own=row["id"] in blank, found=found)
            if new != card:
                await self._put(table, {"id": row["id"], "card": encode(new)})
                count += 1
        return count

    async def _texts(self, texts: Sequence[str]) -> int:
        """Take the texts out of what others wrote."""
        found, c = scrubber(texts), _TIMELINE.c
        held = (column.contains(t, autoescape=True) for t in texts for column in (c.text, c.author))
        named = or_(false(), *held)
        rows = await self._session.rows(select(c.id, c.text, c.author).where(named))
        for row in rows:
            text, author = scrubbed(row["text"], found), scrubbed(row["author"], found)
            await self._put(_TIMELINE, {"id": row["id"], "text": text, "author": author})
        return len(rows)

    async def _sentences(self, texts: Sequence[str]) -> None:
        """Take the texts out of sentences that the house wrote for others."""
        found = scrubber(texts)
        for table, name in _SENTENCES:
            column = table.c[name]
            held = or_(false(), *(column.contains(text, autoescape=True) for text in texts))
            for row in await self._session.rows(select(table.c.id, column).where(held)):
                new = scrubbed(row[name], found)
                await self._put(table, {"id": row["id"], name: new})

    async def _put(self, table: Table, columns: dict[str, Any]) -> None:
        values = {name: value for name, value in columns.items() if name != "id"}
        await self._session.change(update(table).where(table.c.id == columns["id"]).values(values))


def _slots_told(person: Person) -> ColumnElement[bool]:
    """Slots with a reason that this person had a hand in."""
    told = select(_EVENTS.c.subject).where(_EVENTS.c.actor == person.id)
    return ("slot:" + _SLOTS.c.id).in_(told) & (_SLOTS.c.reason != "")


def _stays() -> ColumnElement[bool]:
    """The pictures that are the company's record: approved or published."""
    c = _ASSETS.table.c
    return or_(c.state == AssetState.APPROVED, c.id.in_(select(_PUBLICATIONS.c.asset)))


def _kept(person: Person) -> Select[tuple[str]]:
    c = _ASSETS.table.c
    return select(c.id).where(c.requester == person.id, _stays())


def _own_subjects(person: Person) -> Select[tuple[str]]:
    """Of the cards about the person's own work that is not the company's record."""
    jobs = select("job:" + _JOBS.table.c.id).where(_JOBS.table.c.requester == person.id)
    c = _REVIEWS.c
    reviews = select("review:" + c.id).where(
        c.requester == person.id, c.asset.not_in(_kept(person))
    )
    both = jobs.union_all(reviews).subquery()
    return select(both.c[0])


def _told_alone(person: Person) -> ColumnElement[bool]:
    """Messages to a direct line of theirs, and those that they alone see elsewhere."""
    c = _OUTBOX.c
    of_one = (
        and_(
            c.platform == one.platform,
            or_(
                c.only_for == one.user,
                c.channel == f"@{one.user}",
                c.channel.startswith(f"@{one.user}/", autoescape=True),
            ),
            # The same id may be somebody else's in another workspace.
            c.target["team"].as_string().in_(("", one.team)) if one.team else true(),
        )
        for one in person.identities
    )
    return or_(false(), *of_one)


def _holds(card: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    as_stored = json.dumps(text, ensure_ascii=False)[1:-1]
    return cast(card, String).contains(as_stored, autoescape=True)


def _equal(table: Table, values: dict[str, str]) -> Sequence[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in values.items()]
