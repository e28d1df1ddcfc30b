"""The content calendar in SQL."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select

from bot.core.errors import Conflict
from bot.core.lives import SCHEDULE_STEPS, SLOT_STEPS
from bot.core.slots import Schedule, Slot
from storage.rows import Shape
from storage.sql_table import Session, SqlTable
from storage.steps import OPEN_SLOTS
from storage.tables import ScheduleRow, SlotRow

_SCHEDULES = Shape(Schedule, ScheduleRow)
_SLOTS = Shape(Slot, SlotRow)


class SqlSchedules:
    """The Schedules port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._schedules = SqlTable(session, "schedule", _SCHEDULES)
        self._slots = SqlTable(session, "slot", _SLOTS)

    async def add(self, schedule: Schedule) -> None:
        """See the port."""
        await self._schedules.add(schedule)

    async def get(self, schedule_id: str) -> Schedule:
        """See the port."""
        return await self._schedules.need(schedule_id)

    async def update(self, new: Schedule, *, was: Schedule) -> Schedule:
        """See the port."""
        return await self._schedules.update(new, was, SCHEDULE_STEPS)

    async def of_brand(self, brand: str = "") -> Sequence[Schedule]:
        """See the port."""
        c = self._schedules.c
        found = await self._schedules.where(*([c.brand == brand] if brand else []), order=(c.row,))
        # Sorted here, because databases differ in what comes first.
        return sorted(found, key=lambda schedule: schedule.name)

    async def add_slot(self, slot: Slot) -> bool:
        """See the port."""
        await self._schedules.need(slot.schedule)
        try:
            await self._slots.add(slot)
        except Conflict:
            if await self._is_taken(slot):
                return False
            raise
        return True

    async def get_slot(self, slot_id: str) -> Slot:
        """See the port."""
        return await self._slots.need(slot_id)

    async def update_slot(self, new: Slot, *, was: Slot) -> Slot:
        """See the port."""
        return await self._slots.update(new, was, SLOT_STEPS)

    async def slots(self, *, since: datetime, until: datetime, brand: str = "") -> Sequence[Slot]:
        """See the port."""
        c = self._slots.c
        conditions = [c.due_at >= since, c.due_at < until]
        if brand:
            conditions.append(c.brand == brand)
        return await self._slots.where(*conditions, order=(c.due_at, c.row))

    async def open_slots(self, *, until: datetime) -> Sequence[Slot]:
        """See the port."""
        c, found = self._slots.c, []
        # One state at a time: for an IN of them SQLite would rather read the whole table.
        for state in OPEN_SLOTS:
            order = (c.due_at, c.row)
            found += await self._slots.where(c.state == state, c.due_at < until, order=order)
        return sorted(found, key=lambda slot: slot.due_at)

    async def slots_of(self, schedule_id: str, *, since: date) -> Sequence[Slot]:
        """See the port."""
        c = self._slots.c
        own = (c.schedule == schedule_id, c.local_date >= since)
        return await self._slots.where(*own, order=(c.local_date,))

    async def _is_taken(self, slot: Slot) -> bool:
        c = self._slots.c
        same = (c.schedule == slot.schedule, c.local_date == slot.local_date)
        return await self._session.first(select(c.row).where(*same)) is not None
