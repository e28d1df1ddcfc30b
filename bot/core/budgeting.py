"""Set the limits of a month or a day: of a person, a team, a brand, a platform role, a place."""

import math
import re
from collections.abc import Sequence

from bot.core.budget import (
    Account,
    Budget,
    Scope,
    brand_account,
    levels,
    manages,
    spend_of,
)
from bot.core.budget_words import limit_words, month_words, whose
from bot.core.caller import Caller, kit_for
from bot.core.cards import reply_card
from bot.core.commands import SetBudget
from bot.core.counting import spends_at
from bot.core.errors import Mistake, NotAllowed, NotFound
from bot.core.finding_people import find_person
from bot.core.house import House
from bot.core.ledger import Event
from bot.core.messages import Card
from bot.core.people import Person, Role
from bot.core.ports import Transaction
from brand.kit import BrandKit
from brand.words import clean

MOST_PICTURES = 10_000_000
MOST_MONEY = 1e9
_PLATFORM_ID = re.compile(r"(slack|discord):[A-Za-z0-9/_-]{1,80}")


async def set_budget(house: House, caller: Caller, command: SetBudget) -> Card:
    """Set both limits of an account; None takes one away. Raises Mistake, NotAllowed, NotFound."""
    _check(house, command)
    now = house.clock.now()
    async with house.store.write() as tx:
        account, kit, name = await _account(tx, caller, command)
        account = account.each_day if command.daily else account
        _may_set(caller.person, account, kit)
        before = next(iter(await tx.budgets.of([account])), None)
        budget = Budget(
            scope=account.scope,
            key=account.key,
            brand=account.brand,
            pictures=command.pictures,
            cost=command.cost,
            set_by=caller.person.id,
            set_at=now,
        )
        if budget.pictures is None and budget.cost is None:
            await tx.budgets.remove(account)
        else:
            await tx.budgets.put(budget)
        facts: dict[str, object] = {"limits": _limits(budget), "before": _limits(before)}
        if house.tariff is not None:
            facts["currency"] = house.tariff.currency
        await tx.ledger.append(
            Event(
                action="budget.set",
                subject=f"budget:{account.name}",
                at=now,
                actor=caller.person.id,
                brand=account.brand,
                facts=facts,
            )
        )
        return await _answer(house, tx, budget, kit, name)


def _limits(budget: Budget | None) -> dict[str, object]:
    return {
        "pictures": budget.pictures if budget else None,
        "cost": budget.cost if budget else None,
    }


def _check(house: House, command: SetBudget) -> None:
    if command.scope not in {scope.value for scope in Scope}:
        raise Mistake(
            f"`{command.scope[:40]}` has no budget.",
            allowed=tuple(scope.value for scope in Scope),
            field="scope",
        )
    if command.pictures is not None and not 0 <= command.pictures <= MOST_PICTURES:
        raise Mistake(f"Pictures are counted from 0 to {MOST_PICTURES:,}.", field="pictures")
    if command.cost is None:
        return
    if not math.isfinite(command.cost) or not 0 <= command.cost <= MOST_MONEY:
        raise Mistake(f"A limit of money is from 0 to {MOST_MONEY:,.0f}.", field="cost")
    if house.tariff is None:
        raise Mistake(
            "No tariff is set, so nobody knows what a picture costs.",
            fix="Limit the pictures, or have an admin set `tariff.per_hour` first.",
            field="cost",
        )


async def _account(
    tx: Transaction, caller: Caller, command: SetBudget
) -> tuple[Account, BrandKit, str]:
    """The account, a kit to speak of, and what its person is called."""
    if command.scope == Scope.BRAND.value:
        kit = await kit_for(tx, command.key or command.brand, caller.actor)
        return brand_account(kit.id), kit, ""
    kits = await tx.kits.all()
    kit = await kit_for(tx, command.brand or kits[0].id if kits else "", caller.actor)
    brand = kit.id if command.brand else ""
    # First, because a mistake would name members and teams to whoever asks.
    _may_set(caller.person, Account(scope=command.scope, key="", brand=brand), kit)
    if command.scope == Scope.PERSON.value:
        person = await find_person(tx, command.key)
        return Account(scope=command.scope, key=person.id, brand=brand), kit, person.name
    if command.scope in (Scope.ROLE.value, Scope.PLACE.value):
        return Account(scope=command.scope, key=_platform_id(command), brand=brand), kit, ""
    team = _known_team(command.key, await tx.people.all())
    return Account(scope=command.scope, key=team, brand=brand), kit, ""


def _platform_id(command: SetBudget) -> str:
    """A role or place as adapters name it. Raises Mistake."""
    key = clean(command.key)
    if not _PLATFORM_ID.fullmatch(key):
        raise Mistake(
            f"A {command.scope} is named by its platform and its id there, not `{key[:40]}`.",
            fix=f"Write it as `/budget {command.scope} discord:1180000000000000022 --pictures 50`.",
            field="key",
        )
    return key


def _known_team(said: str, people: Sequence[Person]) -> str:
    """The team as it is written in the members' records. Raises NotFound."""
    teams = sorted({person.team for person in people if person.team})
    for team in teams:
        if team.casefold() == said.strip().casefold():
            return team
    known = f"Teams: {', '.join(teams)}." if teams else "Nobody is in a team yet."
    raise NotFound(
        f"There is no team `{said[:40]}`.", fix=f"{known} `/team NAME TEAM` puts a member into one."
    )


def _may_set(person: Person, account: Account, kit: BrandKit) -> None:
    if manages(person, account):
        return
    own = sorted(where for where, role in person.roles if role is Role.BRAND_MANAGER)
    if own and account.brand not in own:
        raise NotAllowed(
            f"You manage {' and '.join(own)} only.",
            fix=f"Add `--brand {own[0]}`, or ask an admin.",
        )
    raise NotAllowed(
        "Budgets are set by an admin, or by the brand's own manager.",
        fix=f"Ask {kit.owner} or an admin.",
    )


async def _answer(house: House, tx: Transaction, budget: Budget, kit: BrandKit, name: str) -> Card:
    account = budget.account
    owner = whose(account, kit, f"{name}'s")
    parts = []
    if budget.pictures is not None:
        parts.append(f"{budget.pictures:,} picture{'' if budget.pictures == 1 else 's'}")
    if budget.cost is not None and house.tariff is not None:
        parts.append(f"{budget.cost:,.2f} {house.tariff.currency}")
    now = house.clock.now()
    period = account.period(now)
    spend = spend_of(account, period, await spends_at(tx, [account], now))
    used = [limit_words(level, house.tariff) for level in levels(budget, spend, house.tariff)]
    so_far = "Today" if account.daily else month_words(period)
    lines = [f"{so_far} so far: {', '.join(used)}."] if used else []
    if await tx.jobs.held(account.name, limit=1):
        lines.append("What waits for it goes on within half a minute, as far as there is room.")
    title = (
        f"{owner} budget: {' and '.join(parts)} a {'day' if account.daily else 'month'}"
        if parts
        else f"No limits on {owner} budget"
    )
    return reply_card(title[:1].upper() + title[1:], *lines)
