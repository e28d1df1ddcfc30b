"""Who hears of a budget that runs out, and what they read."""

from collections.abc import Iterable
from datetime import datetime

from bot.core.budget import Budget, Scope, Spend, levels
from bot.core.budget_words import percent_words, warning, whose
from bot.core.cards import brief_title, reply_card
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.people import ANY_BRAND, Person, Role
from bot.core.ports import Transaction
from bot.core.telling import line_to, say
from brand.kit import BrandKit


async def tell_hold(tx: Transaction, job: Job, kit: BrandKit, now: datetime) -> None:
    """Tell a slot's owner that its pictures wait: the job has no card of its own in a chat."""
    line = await line_to(tx, job.requester, "")
    if line is not None:
        title = f"A calendar entry of {kit.name} waits: {brief_title(job.brief)[:80]}"
        await say(tx, reply_card(title, f"Held: {job.held_why}"), line, now)


async def warn_about(
    house: House, tx: Transaction, job: Job, budget: Budget, spend: Spend, kit: BrandKit
) -> None:
    """Tell the person who asked and, for a team's or brand's budget, the brand's managers."""
    share = max(level.share for level in levels(budget, spend, house.tariff))
    platform, team = (job.origin.platform, job.origin.team) if job.origin else ("", "")
    readers = [await tx.people.get(job.requester)]
    if budget.account.kind != Scope.PERSON.value:
        people = await tx.people.all()
        readers += [person for person in _managers(people, job.brand) if person != readers[0]]
    for reader in readers:
        line = await line_to(tx, reader.id, platform, team)
        if line is None:
            continue
        name = whose(budget.account, kit)
        period = "day" if budget.account.daily else "month"
        title = f"{percent_words(share)} of {name} budget for this {period}"
        text = warning(budget, spend, kit, house.tariff, name)
        await say(tx, reply_card(title, text), line, house.clock.now())


def _managers(people: Iterable[Person], brand: str) -> list[Person]:
    """The brand's own managers; where it has none, the admins."""
    active = [person for person in people if person.active]
    own = [p for p in active if (brand, Role.BRAND_MANAGER) in p.roles]
    return own or [p for p in active if (ANY_BRAND, Role.ADMIN) in p.roles]
