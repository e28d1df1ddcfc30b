"""Budgets in memory."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.budget import Account, Budget, Change, Spend
from storage.memory_tables import Table, Tables


class MemoryBudgets:
    """The Budgets port."""

    def __init__(self, tables: Tables) -> None:
        self._budgets: Table[Budget] = Table(tables, "budget")
        self._spends: Table[Spend] = Table(tables, "spend")

    async def put(self, budget: Budget) -> None:
        """See the port."""
        self._budgets.put(budget.account, budget)

    async def remove(self, account: Account) -> None:
        """See the port."""
        self._budgets.drop(account)

    async def of(self, accounts: Sequence[Account]) -> Sequence[Budget]:
        """See the port."""
        found = (self._budgets.get(account) for account in accounts)
        return [budget for budget in found if budget is not None]

    async def all(self) -> Sequence[Budget]:
        """See the port."""
        return self._budgets.oldest(lambda budget: budget.account)

    async def count(
        self, accounts: Sequence[Account], month: str, change: Change
    ) -> Sequence[Spend]:
        """See the port."""
        return [self._count(account, month, change) for account in accounts]

    async def spends(
        self, month: str, accounts: Sequence[Account] | None = None
    ) -> Sequence[Spend]:
        """See the port."""
        every = self._spends.oldest(lambda spend: spend.account)
        wanted = None if accounts is None else set(accounts)
        return [
            spend
            for spend in every
            if spend.month == month and (wanted is None or spend.account in wanted)
        ]

    async def mark_warned(self, account: Account, month: str) -> bool:
        """See the port."""
        spend = self._spends.get((month, account))
        if spend is None or spend.warned:
            return False
        self._spends.put((month, account), replace(spend, warned=True))
        return True

    def _count(self, account: Account, month: str, change: Change) -> Spend:
        key = (month, account)
        old = self._spends.get(key) or Spend(
            scope=account.scope, key=account.key, brand=account.brand, month=month
        )
        new = replace(
            old,
            pictures=old.pictures + change.pictures,
            reserved_pictures=old.reserved_pictures + change.reserved_pictures,
            ms=old.ms + change.ms,
            reserved_ms=old.reserved_ms + change.reserved_ms,
        )
        self._spends.put(key, new)
        return new
