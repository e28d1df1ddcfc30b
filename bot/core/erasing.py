"""Erasing a person: name, accounts, keys and words, in one transaction; the ledger verifies on.

What stays and why stands in docs/people.md. In short: what was approved or published is the
company's record and keeps its recipe; the person becomes an id that names nobody.
"""

import logging
from dataclasses import replace

from bot.core.actions import action
from bot.core.caller import Caller
from bot.core.cancelling import stop_renders
from bot.core.cards import pictures, reply_card
from bot.core.commands import ErasePerson
from bot.core.errors import Conflict
from bot.core.finding_people import find_person
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.ledger import ERASED, Event
from bot.core.lives import AssetState, JobState, ReviewState, ScheduleState
from bot.core.messages import Button, Card, Style
from bot.core.people import Person
from bot.core.policy import keeps_an_admin, may_administer
from bot.core.ports import Erased, Transaction
from bot.core.spending import settle

log = logging.getLogger(__name__)


async def erase(house: House, caller: Caller, command: ErasePerson) -> Card:
    """Without `sure`: what would go, and a button. With it: it goes. Admins only, and never the
    last one."""
    may_administer(caller.person)
    if not command.sure:
        return await _asked(house, command)
    stopped: list[Job] = []
    async with house.store.write() as tx:
        person = await find_person(tx, command.person)
        await _may_go(tx, person)
        stopped = await _stop(house, tx, person)
        await tx.keys.remove_of(person.id)
        await tx.requests.forget(person.id)
        erased = await tx.erasure.erase(person, house.clock.now())
        erased = replace(erased, texts=await tx.ledger.forget(person.id))
        bare = replace(
            person, name="", identities=(), roles=(), team="", active=False, blocked_why=""
        )
        await tx.people.update(bare, was=person)
        await tx.ledger.append(_event(house, caller, person, erased))
    for sha256 in erased.files:
        await house.blobs.remove(sha256)
    await stop_renders(house, stopped)
    clean = await house.store.compact()
    if not clean:
        log.warning("The database file could not be rewritten", extra={"action": ERASED})
    return _done(person, erased, clean=clean)


async def sweep(house: House) -> bool:
    """Overwrite on the disk what was erased, where another process was in the way before."""
    return await house.store.compact()


async def _asked(house: House, command: ErasePerson) -> Card:
    async with house.store.read() as tx:
        person = await find_person(tx, command.person)
        await _may_go(tx, person)
        waiting = len(await tx.jobs.unfinished(requester=person.id))
    open_jobs = f" {waiting} open jobs are stopped." if waiting else ""
    return Card(
        kind="reply",
        title=f"Erase {person.name}?",
        lines=(
            "Their name, accounts, keys, votes' reasons, chat lines and the words of pictures "
            f"that were never approved go.{open_jobs}",
            "What was approved or published stays with its recipe, and the ledger still verifies.",
            "This can't be undone.",
        ),
        buttons=(
            Button(
                label="Erase for good",
                action=action("erase", person.id, "yes"),
                style=Style.DANGER,
                icon="reject",
            ),
        ),
        fix=f"If they only left, `/deactivate {person.name}` can be undone.",
        private=True,
    )


async def _may_go(tx: Transaction, person: Person) -> None:
    if person.is_erased:
        raise Conflict("This member was erased already.")
    if person.is_admin:
        keeps_an_admin(person, await tx.people.admins())


async def _stop(house: House, tx: Transaction, person: Person) -> list[Job]:
    """End what the person has under way: jobs, open reviews, schedules."""
    now = house.clock.now()
    stopped = []
    for job in await tx.jobs.unfinished(requester=person.id):
        ended = replace(job, state=JobState.CANCELLED, updated_at=now, lease_until=None)
        await tx.jobs.update(await settle(house, tx, ended), was=job)
        stopped.append(job)
    for review in await tx.reviews.open():
        if review.requester == person.id:
            closed = replace(review, state=ReviewState.WITHDRAWN, decided_at=now)
            await tx.reviews.update(closed, was=review)
            asset = await tx.assets.get(review.asset)
            await tx.assets.update(replace(asset, state=AssetState.WITHDRAWN), was=asset)
    for schedule in await tx.schedules.of_brand():
        if schedule.owner == person.id and schedule.state is ScheduleState.ACTIVE:
            await tx.schedules.update(replace(schedule, state=ScheduleState.PAUSED), was=schedule)
    return stopped


def _event(house: House, caller: Caller, person: Person, erased: Erased) -> Event:
    return Event(
        action=ERASED,
        subject=f"person:{person.id}",
        at=house.clock.now(),
        actor=caller.person.id,
        facts={
            "jobs": erased.jobs,
            "pictures": erased.pictures,
            "kept": erased.kept,
            "reviews": erased.reviews,
            "messages": erased.messages,
            "texts": erased.texts,
            "files": len(erased.files),
        },
    )


def _done(person: Person, erased: Erased, *, clean: bool) -> Card:
    return reply_card(
        "Erased",
        f"Member {person.id} is nobody now. The words of {pictures(erased.pictures)}, "
        f"{erased.jobs} jobs, {erased.messages} messages and {erased.texts} ledger texts are gone; "
        f"{pictures(erased.kept)} that were approved or published keep their recipe.",
        fix=""
        if clean
        else "Another process used the database file: run `housestyle people sweep` to overwrite "
        "what lies in its free space.",
    )
