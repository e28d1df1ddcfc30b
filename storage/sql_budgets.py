"""Budgets in SQL."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Table, and_, delete, or_, select, update

from bot.core.budget import Account, Budget, Change, Spend
from storage.rows import Shape
from storage.sql_table import Session
from storage.tables.budgets import BudgetRow, SpendRow

_BUDGETS = Shape(Budget, BudgetRow)
_SPENDS = Shape(Spend, SpendRow)


AT_ONCE = 100
"""Accounts in one question: somebody may have hundreds of roles, and SQLite takes no expression
that is deeper than 1,000."""


class SqlBudgets:
    """The Budgets port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, budget: Budget) -> None:
        """See the port."""
        await self._session.put(_BUDGETS.table, _BUDGETS.row(budget))

    async def remove(self, account: Account) -> None:
        """See the port."""
        await self._session.change(delete(_BUDGETS.table).where(_is(_BUDGETS.table, [account])))

    async def of(self, accounts: Sequence[Account]) -> Sequence[Budget]:
        """See the port."""
        found: list[Budget] = []
        for first in range(0, len(accounts), AT_ONCE):
            asked = accounts[first : first + AT_ONCE]
            query = select(_BUDGETS.table).where(_is(_BUDGETS.table, asked))
            found += [_BUDGETS.value(row) for row in await self._session.rows(query)]
        return sorted(found, key=lambda budget: accounts.index(budget.account))

    async def all(self) -> Sequence[Budget]:
        """See the port."""
        found = [_BUDGETS.value(row) for row in await self._session.rows(select(_BUDGETS.table))]
        return sorted(found, key=lambda budget: budget.account)

    async def count(
        self, accounts: Sequence[Account], month: str, change: Change
    ) -> Sequence[Spend]:
        """See the port."""
        added = asdict(change)
        # All transactions lock the rows in one order, so none waits for another in a circle.
        rows = [
            {**asdict(account), "month": month, "warned": False, **added}
            for account in sorted(accounts)
        ]
        found = [
            _SPENDS.value(row) for row in await self._session.add_up(_SPENDS.table, rows, added)
        ]
        return sorted(found, key=lambda spend: accounts.index(spend.account))

    async def spends(
        self, month: str, accounts: Sequence[Account] | None = None
    ) -> Sequence[Spend]:
        """See the port."""
        table = _SPENDS.table
        query = select(table).where(table.c.month == month)
        if accounts is not None:
            query = query.where(_is(table, accounts))
        found = [_SPENDS.value(row) for row in await self._session.rows(query)]
        # Sorted here, because databases differ in what comes first.
        return sorted(found, key=lambda spend: spend.account)

    async def mark_warned(self, account: Account, month: str) -> bool:
        """See the port."""
        table = _SPENDS.table
        ours = (_is(table, [account]), table.c.month == month, table.c.warned.is_(False))
        statement = update(table).where(*ours).values(warned=True)
        return (await self._session.change(statement)).rowcount == 1


def _is(table: Table, accounts: Sequence[Account]) -> ColumnElement[bool]:
    """One of these accounts; of none, nothing."""
    return or_(
        False,
        *(
            and_(
                table.c.scope == account.scope,
                table.c.brand == account.brand,
                table.c.key == account.key,
            )
            for account in accounts
        ),
    )
