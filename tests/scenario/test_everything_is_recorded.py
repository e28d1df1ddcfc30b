"""Every command that changes something leaves an event by the one who gave it.

A new command without a row fails: add it to RECORDED with the event that it leaves, or to READS.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, time
from typing import get_args

import pytest

from bot.core.commands import (
    AddSchedule,
    Approve,
    AskChange,
    BlockPerson,
    Calendar,
    Cancel,
    Command,
    ConfirmLink,
    DeleteCard,
    EditWords,
    EndSchedule,
    ErasePerson,
    Extend,
    Find,
    Help,
    Imagine,
    Invite,
    LinkAccount,
    ListPeople,
    MoveSlot,
    PauseJob,
    PauseSchedule,
    Queue,
    Recipe,
    Reject,
    Reroll,
    RerollSlot,
    RestoreSlot,
    ResumeJob,
    ResumeSchedule,
    SendToApproval,
    SetActive,
    SetBudget,
    SetRole,
    SetTeam,
    Settle,
    Share,
    Show,
    SkipSlot,
    TakeBack,
    UnlinkAccount,
    Upscale,
    Usage,
    Use,
    Vary,
    Withdraw,
)
from bot.core.dispatch import HANDLERS
from bot.core.errors import ChatAmbiguous
from bot.core.ledger import Event
from bot.core.planning import plan_ahead
from bot.core.publishing import Publisher
from bot.core.slots import Schedule, Slot
from brand.templates import Brief
from tests.fakes.chat import FakeChat
from tests.fakes.town import START, Town, make_town
from tests.scenario.calendar.planning import MONDAYS
from tests.scenario.conftest import candidate, in_review
from tests.scenario.test_linking import new_code, question, say, there

READS = {Queue, Show, Recipe, Use, Find, Usage, Calendar, ListPeople, Help}
"""Commands that change nothing."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """A command ready to be given, and by whom."""

    command: object
    who: str = "mia"


Prepare = Callable[[Town], Awaitable[Given]]


async def _imagine(_town: Town) -> Given:
    return Given(command=Imagine(brief=Brief(words="a red mug")))


def _on_asset(make: Callable[[str], object]) -> Prepare:
    async def prepare(town: Town) -> Given:
        return Given(command=make((await candidate(town)).id))

    return prepare


def _on_review(make: Callable[[str], object]) -> Prepare:
    async def prepare(town: Town) -> Given:
        return Given(command=make((await in_review(town)).id), who="ana")

    return prepare


async def _cancel(town: Town) -> Given:
    await town.say(Imagine(brief=Brief(words="a red mug")))
    return Given(command=Cancel())


async def _take_back(town: Town) -> Given:
    both = replace(town.kit, review=replace(town.kit.review, quorum=2))
    async with town.house.store.write() as tx:
        await tx.kits.put(both, source="", at=START)
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    return Given(command=TakeBack(review=review.id), who="ana")


async def _delete_card(town: Town) -> Given:
    return Given(command=DeleteCard(job=(await candidate(town)).job))


def _on_job(command: object, *before: object) -> Prepare:
    async def prepare(town: Town) -> Given:
        await town.say(Imagine(brief=Brief(words="a red mug")))
        for earlier in before:
            await town.say(earlier)
        return Given(command=command)

    return prepare


async def _settle(town: Town) -> Given:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    town.chat.before = [ChatAmbiguous("The line broke.")]
    assert await Publisher(town.house, "p1").run_one()
    await town.settle()
    async with town.house.store.read() as tx:
        [post] = await tx.publications.of_asset(review.asset)
    return Given(command=Settle(publication=post.id, sent=True), who="ana")


async def _schedule(town: Town) -> Schedule:
    await town.say(MONDAYS, "ida")
    await plan_ahead(town.house)
    async with town.house.store.read() as tx:
        [schedule] = await tx.schedules.of_brand()
    return schedule


async def _slot(town: Town) -> Slot:
    schedule = await _schedule(town)
    async with town.house.store.read() as tx:
        return (await tx.schedules.slots_of(schedule.id, since=START.date()))[0]


def _on_schedule(make: Callable[[str], object], *before: Callable[[str], object]) -> Prepare:
    async def prepare(town: Town) -> Given:
        schedule = await _schedule(town)
        for earlier in before:
            await town.say(earlier(schedule.id), "ida")
        return Given(command=make(schedule.id), who="ida")

    return prepare


def _on_slot(make: Callable[[str], object], *before: Callable[[str], object]) -> Prepare:
    async def prepare(town: Town) -> Given:
        slot = await _slot(town)
        for earlier in before:
            await town.say(earlier(slot.id), "ida")
        return Given(command=make(slot.id), who="ida")

    return prepare


def _by_admin(command: object, *before: object) -> Prepare:
    async def prepare(town: Town) -> Given:
        for earlier in before:
            await town.say(earlier, "ida")
        return Given(command=command, who="ida")

    return prepare


async def _link(_town: Town) -> Given:
    return Given(command=LinkAccount())


async def _asked(town: Town) -> str:
    await say(town, LinkAccount(code=await new_code(town)), there())
    return (await question(town)).subject.removeprefix("link:")


async def _confirm(town: Town) -> Given:
    return Given(command=ConfirmLink(key=await _asked(town), yes=True))


async def _unlink(town: Town) -> Given:
    await town.say(ConfirmLink(key=await _asked(town), yes=True), "mia")
    return Given(command=UnlinkAccount(platform="discord"))


RECORDED: dict[type, tuple[str, Prepare]] = {
    Imagine: ("job.queued", _imagine),
    Vary: ("job.queued", _on_asset(lambda key: Vary(asset=key))),
    Reroll: ("job.queued", _on_asset(lambda key: Reroll(target=key))),
    Upscale: ("job.queued", _on_asset(lambda key: Upscale(asset=key))),
    Extend: ("job.queued", _on_asset(lambda key: Extend(asset=key))),
    EditWords: ("job.queued", _on_asset(lambda key: EditWords(asset=key, text="a blue mug"))),
    SendToApproval: (
        "review.opened",
        _on_asset(lambda key: SendToApproval(asset=key, channel="#social")),
    ),
    Share: ("review.opened", _on_asset(lambda key: Share(asset=key))),
    Approve: ("review.voted", _on_review(lambda key: Approve(review=key))),
    Reject: ("review.voted", _on_review(lambda key: Reject(review=key, reason="dark"))),
    AskChange: ("review.voted", _on_review(lambda key: AskChange(review=key, reason="dark"))),
    TakeBack: ("review.vote_taken_back", _take_back),
    DeleteCard: ("card.deleted", _delete_card),
    Withdraw: ("asset.withdrawn", _on_asset(lambda key: Withdraw(asset=key))),
    Cancel: ("job.cancelled", _cancel),
    PauseJob: ("job.paused", _on_job(PauseJob())),
    ResumeJob: ("job.resumed", _on_job(ResumeJob(), PauseJob())),
    Settle: ("publication.sent", _settle),
    AddSchedule: ("schedule.added", _by_admin(MONDAYS)),
    PauseSchedule: ("schedule.paused", _on_schedule(lambda key: PauseSchedule(schedule=key))),
    ResumeSchedule: (
        "schedule.resumed",
        _on_schedule(
            lambda key: ResumeSchedule(schedule=key), lambda key: PauseSchedule(schedule=key)
        ),
    ),
    EndSchedule: ("schedule.ended", _on_schedule(lambda key: EndSchedule(schedule=key))),
    SkipSlot: ("slot.skipped", _on_slot(lambda key: SkipSlot(slot=key))),
    RestoreSlot: (
        "slot.restored",
        _on_slot(lambda key: RestoreSlot(slot=key), lambda key: SkipSlot(slot=key)),
    ),
    MoveSlot: (
        "slot.moved",
        _on_slot(lambda key: MoveSlot(slot=key, day=date(2026, 3, 10), at=time(9))),
    ),
    RerollSlot: ("slot.rerolled", _on_slot(lambda key: RerollSlot(slot=key))),
    Invite: ("member.invited", _by_admin(Invite(name="Eve"))),
    SetRole: ("role.given", _by_admin(SetRole(person="Mia", role="approver", brand="acme"))),
    SetTeam: ("member.team_set", _by_admin(SetTeam(person="Mia", team="design"))),
    SetActive: ("member.deactivated", _by_admin(SetActive(person="Mia", active=False))),
    BlockPerson: ("member.blocked", _by_admin(BlockPerson(person="Mia", reason="spam"))),
    ErasePerson: ("person.erased", _by_admin(ErasePerson(person="Mia", sure=True))),
    LinkAccount: ("link.asked", _link),
    ConfirmLink: ("account.linked", _confirm),
    UnlinkAccount: ("account.unlinked", _unlink),
    SetBudget: ("budget.set", _by_admin(SetBudget(scope="brand", key="acme", pictures=5))),
}


async def recorded(town: Town) -> list[Event]:
    """All events, oldest first."""
    async with town.house.store.read() as tx:
        return list(await tx.ledger.recent(limit=10_000))[::-1]


def test_every_command_is_either_recorded_or_only_reads() -> None:
    every = set(get_args(Command))
    assert set(RECORDED) | READS == every, "a new command needs a row"
    assert not set(RECORDED) & READS
    assert set(HANDLERS) | {LinkAccount} == every


@pytest.mark.parametrize("kind", RECORDED, ids=lambda kind: kind.__name__)
async def test_a_command_leaves_its_event_by_the_one_who_gave_it(kind: type) -> None:
    action, prepare = RECORDED[kind]
    town = await make_town()
    given = await prepare(town)
    assert isinstance(given.command, kind)
    person = town.people[given.who].id
    before = len(await recorded(town))
    card = await town.say(given.command, given.who)
    assert card.kind != "error", card
    new = (await recorded(town))[before:]
    assert (action, person) in [(event.action, event.actor) for event in new], new


@pytest.mark.parametrize("kind", sorted(READS, key=lambda kind: kind.__name__))
async def test_a_command_that_only_reads_leaves_nothing(kind: type) -> None:
    town = await make_town()
    asset = await candidate(town)
    before = await recorded(town)
    on_asset = {
        Recipe: Recipe(target=asset.id),
        Show: Show(target=asset.id),
        Use: Use(asset=asset.id),
    }
    card = await town.say(on_asset.get(kind) or kind(), "ida")
    assert card.kind != "error"
    assert await recorded(town) == before


async def test_a_refusal_is_recorded_too() -> None:
    town = await make_town()
    review = await in_review(town)
    await town.say(Approve(review=review.id), "mia")
    last = (await recorded(town))[-1]
    assert (last.action, last.actor) == ("command.refused", town.people["mia"].id)


async def test_a_stranger_is_recorded_without_a_name() -> None:
    town = await make_town()
    town.house.chats["discord"] = FakeChat("discord")
    await say(town, Imagine(brief=Brief(words="a red mug")), there("9", "Eve"))
    last = (await recorded(town))[-1]
    assert (last.action, last.actor, last.facts["known"]) == ("command.refused", "", False)
