"""Port to the budgets and to the counters of what was used of them."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.budget import Account, Budget, Change, Spend


class Budgets(Protocol):
    """Monthly limits, and what each account used in each month."""

    async def put(self, budget: Budget) -> None:
        """Set the limits of an account, in place of those it had."""
        ...

    async def remove(self, account: Account) -> None:
        """Take the limits of an account away; no error if it has none."""
        ...

    async def of(self, accounts: Sequence[Account]) -> Sequence[Budget]:
        """The budgets of these accounts, in the accounts' order; most have none."""
        ...

    async def all(self) -> Sequence[Budget]:
        """By account."""
        ...

    async def count(
        self, accounts: Sequence[Account], month: str, change: Change
    ) -> Sequence[Spend]:
        """Add the change to the counters of all these accounts; what they are then. Until the
        transaction ends no other changes them, so what it decides by them holds."""
        ...

    async def spends(
        self, month: str, accounts: Sequence[Account] | None = None
    ) -> Sequence[Spend]:
        """The counters of a month by account, all or these; an account without use has none."""
        ...

    async def mark_warned(self, account: Account, month: str) -> bool:
        """Note that people were told; False if they were told before (or nothing was used)."""
        ...
