"""All that concerns one person now: their jobs, what waits for their vote, the week, the budget.

Four cards from what the commands show one by one, for a page that a chat keeps for each person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.actions import action
from bot.core.budget import accounts_of, spend_of
from bot.core.calendar_cards import week_card
from bot.core.calendar_view import CalendarRow, rows_between
from bot.core.cards import brief_title, job_status, review_card
from bot.core.counting import spends_at
from bot.core.errors import HousestyleError
from bot.core.help import example_of
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.messages import Button, Card, PictureRef
from bot.core.people import Person
from bot.core.planning_rules import local_day
from bot.core.policy import may_vote, sees_calendar
from bot.core.ports import Transaction
from bot.core.reviews import Review
from bot.core.telling import name_of, seconds_each
from bot.core.usage import gauge_field, gauge_of
from bot.core.vocabulary import Vocabulary
from brand.kit import BrandKit

EXAMPLE = "/imagine a red mug on a wooden table"
OPEN_JOBS = 6
ENDED_JOBS = 4
REVIEWS = 6
SLOTS = 10
DAYS = 7
"""What fits a page that is looked at, not read; the commands show all."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Cards of kind list; each teaches the next step where it has nothing to show."""

    jobs: Card
    approvals: Card
    week: Card
    budget: Card
    row_buttons: Mapping[str, tuple[Button, ...]]
    """What may be done with the things in the rows, by the id at a row's end."""


async def overview(house: House, person: Person, now: datetime) -> Overview:
    """What this person may see of it, in all their brands."""
    async with house.store.read() as tx:
        kits = [kit for kit in await tx.kits.all() if person.roles_in(kit.id)]
        jobs, of_jobs = await _jobs(tx, person)
        week, of_slots = await _week(tx, person, kits, now)
        return Overview(
            jobs=jobs,
            approvals=await _approvals(tx, house, person, kits),
            week=week,
            budget=await _budget(tx, house, person, kits, now),
            row_buttons={**of_jobs, **of_slots},
        )


RowButtons = dict[str, tuple[Button, ...]]


async def _jobs(tx: Transaction, person: Person) -> tuple[Card, RowButtons]:
    waiting = await tx.jobs.unfinished(requester=person.id)
    newest = await tx.jobs.recent(requester=person.id, limit=ENDED_JOBS + OPEN_JOBS)
    ended = [job for job in newest if job.has_ended][:ENDED_JOBS]
    shown = [*waiting[:OPEN_JOBS], *ended]
    more = len(waiting) - OPEN_JOBS
    card = Card(
        kind="list",
        title=f"My jobs: {len(waiting)} open" if waiting else "My jobs",
        lines=() if shown else ("You have asked for no picture yet.",),
        columns=("words", "state", "job"),
        rows=tuple([await _job_row(tx, job) for job in shown]),
        footer=f"{more} more wait: `/queue` shows all." if more > 0 else "",
        hint="" if shown else EXAMPLE,
        private=True,
    )
    return card, {job.id: _job_buttons(job) for job in shown}


async def _job_row(tx: Transaction, job: Job) -> tuple[str, ...]:
    waits = job.state is JobState.QUEUED and not job.hold and not job.is_paused
    place = await tx.jobs.place(job.id) if waits else None
    each = await seconds_each(tx, job.brand) if place else None
    said = job_status(job, place, each).removesuffix(" I'll update this message.")
    return brief_title(job.brief), said, job.id


def _job_buttons(job: Job) -> tuple[Button, ...]:
    show = Button(label="Open", action=action("show", job.id), icon="info")
    if job.has_ended:
        return (show,)
    return (show, Button(label="Cancel", action=action("cancel", job.id), icon="cancel"))


async def _approvals(tx: Transaction, house: House, person: Person, kits: list[BrandKit]) -> Card:
    mine = [
        (review, kit)
        for kit in kits
        for review in await tx.reviews.open(brand=kit.id)
        if _may_vote(house, kit, person, review)
    ]
    mine.sort(key=lambda pair: pair[0].deadline)
    more = len(mine) - REVIEWS
    return Card(
        kind="list",
        title=f"To approve: {len(mine)}" if mine else "To approve",
        lines=() if mine else ("Nothing waits for your vote.",),
        pictures=tuple(
            [
                replace(ref, number=number)
                for number, pair in enumerate(mine[:REVIEWS], start=1)
                for ref in await _to_vote(tx, *pair)
            ]
        ),
        footer=f"{more} more wait; they come up as these are decided." if more > 0 else "",
        fix="" if mine else "Pictures that are sent to approval come here, the most urgent first.",
        private=True,
    )


def _may_vote(house: House, kit: BrandKit, person: Person, review: Review) -> bool:
    try:
        may_vote(kit, person, review, demo=house.demo)
    except HousestyleError:
        return False
    return True


async def _to_vote(tx: Transaction, review: Review, kit: BrandKit) -> list[PictureRef]:
    """The picture with what an approver reads and does; none where it was erased meanwhile."""
    asset = await tx.assets.get(review.asset)
    card = review_card(review, asset, kit, who=await name_of(tx, review.requester))
    show = Button(label="Open", action=action("show", review.id), icon="info")
    said = "\n".join((card.title, *card.lines))
    buttons = (*card.buttons, show)
    return [
        replace(ref, fields=card.fields, buttons=buttons, caption=said) for ref in card.pictures
    ]


async def _week(
    tx: Transaction, person: Person, kits: list[BrandKit], now: datetime
) -> tuple[Card, RowButtons]:
    rows: list[tuple[CalendarRow, BrandKit]] = []
    for kit in (kit for kit in kits if sees_calendar(kit, person)):
        first, until = local_day(now, "UTC"), now + timedelta(days=DAYS)
        last = first + timedelta(days=DAYS + 1)  # it may be tomorrow there already
        between = await rows_between(tx, kit, person, first, last, now=now)
        rows += [(row, kit) for row in between if now <= row.slot.due_at < until]
    rows.sort(key=lambda pair: pair[0].slot.due_at)
    if not rows:
        nothing = Card(
            kind="list",
            title="This week",
            lines=("Nothing is planned for the next 7 days.",),
            hint=example_of("schedule", Vocabulary.of(kits[0])) if kits else "",
            private=True,
        )
        return nothing, {}
    shown = [_named(row, kit, many=len(kits) > 1) for row, kit in rows]
    more = len(shown) - SLOTS
    card = week_card(rows[0][1], f"This week: {len(shown)}", shown[:SLOTS])
    footer = f"{more} more: `/calendar` shows all." if more > 0 else ""
    card = replace(card, buttons=(), pictures=(), draft=False, footer=footer)
    return card, {row.slot.id: row.buttons for row in shown[:SLOTS]}


def _named(row: CalendarRow, kit: BrandKit, *, many: bool) -> CalendarRow:
    """Of several brands, which one it is."""
    return replace(row, channel=f"{kit.name} {row.channel}") if many else row


async def _budget(
    tx: Transaction, house: House, person: Person, kits: list[BrandKit], now: datetime
) -> Card:
    fields = {}
    for kit in kits:
        months = accounts_of(person.id, person.team, kit.id)
        accounts = (*months, *(account.each_day for account in months))
        spends = await spends_at(tx, accounts, now)
        for budget in await tx.budgets.of(accounts):
            spend = spend_of(budget.account, budget.account.period(now), spends)
            gauge = gauge_of(budget, spend, kit, person, {}, house.tariff)
            fields[budget.account] = gauge_field(gauge, house.tariff)
    return Card(
        kind="list",
        title="Budget this month",
        lines=() if fields else ("No budget limits your pictures.",),
        fields=tuple(fields.values()),
        fix="`/usage` shows who made how much.",
        private=True,
    )
