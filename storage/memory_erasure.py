"""Erasing a person from the records in memory."""

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.core.lives import AssetState, OutboxState
from bot.core.messages import Card
from bot.core.people import AccountLink, Person
from bot.core.ports import Erased, Install, Outgoing, Upload
from bot.core.redacting import (
    begun_from,
    erased_card,
    files_of,
    is_account_of,
    is_line_of,
    local_users,
    quoted_texts,
    redacted_asset,
    redacted_job,
    redacted_review,
    scrubbed,
    scrubber,
)
from bot.core.slots import Slot
from storage.memory_tables import Table, Tables
from storage.memory_timeline import MemoryTimeline
from storage.steps import was_installed_by

if TYPE_CHECKING:
    from bot.core.assets import Asset
    from bot.core.jobs import Job
    from bot.core.ledger import Event
    from bot.core.publications import Publication
    from bot.core.reviews import Review


class MemoryErasure:
    """The Erasure port."""

    def __init__(self, tables: Tables, timeline: MemoryTimeline) -> None:
        self._timeline = timeline
        self._assets: Table[Asset] = Table(tables, "asset")
        self._jobs: Table[Job] = Table(tables, "job")
        self._reviews: Table[Review] = Table(tables, "review")
        self._publications: Table[Publication] = Table(tables, "publication")
        self._slots: Table[Slot] = Table(tables, "slot")
        self._links: Table[AccountLink] = Table(tables, "code")
        self._tries: Table[object] = Table(tables, "typed codes of")
        self._events: Table[Event] = Table(tables, "event")
        self._outbox: Table[Outgoing] = Table(tables, "message")
        self._uploads: Table[Upload] = Table(tables, "upload")
        self._installs: Table[Install] = Table(tables, "install")

    async def erase(self, person: Person, now: datetime) -> Erased:
        """See the port."""
        own = [asset for asset in self._assets if asset.requester == person.id]
        posted = {publication.asset for publication in self._publications}
        kept = {a.id for a in own if a.state is AssetState.APPROVED or a.id in posted}
        gone = [asset for asset in own if asset.id not in kept]
        jobs = [job for job in self._jobs if job.requester == person.id]
        files = files_of(gone, jobs) | self._timeline.blobs(local_users(person))
        files |= {each.sha256 for each in self._uploads if each.person == person.id}
        self._uploads.drop_where(lambda each: each.person == person.id)
        for asset in gone:
            self._assets.put(asset.id, redacted_asset(asset))
        for job in jobs:
            self._jobs.put(job.id, redacted_job(job, kept, person))
        texts = quoted_texts(person, self._reasons(person))
        reviews = self._erase_reviews(person, kept)
        subjects = {f"job:{job.id}" for job in jobs} | {
            f"review:{review.id}"
            for review in self._reviews
            if review.requester == person.id and review.asset not in kept
        }
        self._erase_slots(person)
        self._erase_codes(person)
        self._erase_installs(person)
        found = scrubber(texts)
        messages = self._erase_outbox(person, subjects, found)
        messages += self._erase_timeline(person, subjects, found)
        self._scrub(found)
        return Erased(
            jobs=len(jobs),
            pictures=len(gone),
            kept=len(kept),
            reviews=reviews,
            messages=messages,
            files=tuple(sorted(files - self._used())),
        )

    def _used(self) -> set[str]:
        """Files that some record still speaks of."""
        used = files_of(self._assets, self._jobs) | self._timeline.blobs()
        used |= {sha256 for asset in self._assets for sha256 in begun_from(asset.spec)}
        used |= {upload.sha256 for upload in self._uploads}
        return used | {publication.file_hash for publication in self._publications}

    def _scrub(self, found: re.Pattern[str]) -> None:
        """Take the texts out of sentences that the house wrote for others."""
        for slot in self._slots:
            if scrubbed(slot.reason, found) != slot.reason:
                self._slots.put(slot.id, replace(slot, reason=scrubbed(slot.reason, found)))
        for job in self._jobs:
            why, error = scrubbed(job.held_why, found), scrubbed(job.error, found)
            new = replace(job, held_why=why, error=error)
            if new != job:
                self._jobs.put(job.id, new)
        for publication in self._publications:
            new_error = scrubbed(publication.error, found)
            if new_error != publication.error:
                self._publications.put(publication.id, replace(publication, error=new_error))

    def _erase_reviews(self, person: Person, kept: set[str]) -> int:
        touched = [
            review
            for review in self._reviews
            if review.requester == person.id or any(v.person == person.id for v in review.votes)
        ]
        for review in touched:
            self._reviews.put(review.id, redacted_review(review, person, kept))
        return len(touched)

    def _reasons(self, person: Person) -> list[str]:
        votes = [
            v.reason for review in self._reviews for v in review.votes if v.person == person.id
        ]
        return votes + [slot.reason for slot in self._slots_told(person)]

    def _slots_told(self, person: Person) -> list[Slot]:
        told = {event.subject for event in self._events if event.actor == person.id}
        return [slot for slot in self._slots if f"slot:{slot.id}" in told and slot.reason]

    def _erase_slots(self, person: Person) -> None:
        for slot in self._slots_told(person):
            self._slots.put(slot.id, replace(slot, reason="", version=slot.version + 1))

    def _erase_codes(self, person: Person) -> None:
        self._links.drop_where(
            lambda link: link.person == person.id or link.claim in person.identities
        )
        for account in person.identities:
            self._tries.drop(account)

    def _erase_installs(self, person: Person) -> None:
        for key, install in self._installs.pairs():
            if was_installed_by(person, install):
                new = replace(install, installed_by="", version=install.version + 1)
                self._installs.put(key, new)

    def _erase_outbox(self, person: Person, subjects: set[str], found: re.Pattern[str]) -> int:
        touched = 0
        for message in self._outbox:
            direct = is_line_of(person, message.target)
            direct = direct or is_account_of(person, message.only_for, message.target)
            if direct and message.state is not OutboxState.SENDING:
                self._outbox.drop(message.id)
                touched += 1
                continue
            own = direct or message.card.subject in subjects
            card = erased_card(message.card, own=own, found=found)
            if card != message.card:
                self._outbox.put(message.id, replace(message, card=card))
                touched += 1
        return touched

    def _erase_timeline(self, person: Person, subjects: set[str], found: re.Pattern[str]) -> int:
        def card_of(card: Card) -> Card:
            return erased_card(card, own=card.subject in subjects, found=found)

        return self._timeline.erase(local_users(person), found, card_of)
