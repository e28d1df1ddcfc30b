"""The content calendar in memory."""

from collections.abc import Sequence
from datetime import date, datetime

from bot.core.lives import SCHEDULE_STEPS, SLOT_STEPS
from bot.core.slots import Schedule, Slot
from storage.memory_tables import Table, Tables
from storage.steps import OPEN_SLOTS


class MemorySchedules:
    """The Schedules port."""

    def __init__(self, tables: Tables) -> None:
        self._schedules: Table[Schedule] = Table(tables, "schedule")
        self._slots: Table[Slot] = Table(tables, "slot")

    async def add(self, schedule: Schedule) -> None:
        """See the port."""
        self._schedules.add(schedule.id, schedule)

    async def get(self, schedule_id: str) -> Schedule:
        """See the port."""
        return self._schedules.need(schedule_id)

    async def update(self, new: Schedule, *, was: Schedule) -> Schedule:
        """See the port."""
        return self._schedules.update(new, was, SCHEDULE_STEPS)

    async def of_brand(self, brand: str = "") -> Sequence[Schedule]:
        """See the port."""
        every = self._schedules.oldest(lambda schedule: schedule.name)
        return [schedule for schedule in every if brand in ("", schedule.brand)]

    async def add_slot(self, slot: Slot) -> bool:
        """See the port."""
        self._schedules.need(slot.schedule)
        if any((s.schedule, s.local_date) == (slot.schedule, slot.local_date) for s in self._slots):
            return False
        self._slots.add(slot.id, slot)
        return True

    async def get_slot(self, slot_id: str) -> Slot:
        """See the port."""
        return self._slots.need(slot_id)

    async def update_slot(self, new: Slot, *, was: Slot) -> Slot:
        """See the port."""
        return self._slots.update(new, was, SLOT_STEPS)

    async def slots(self, *, since: datetime, until: datetime, brand: str = "") -> Sequence[Slot]:
        """See the port."""
        every = self._slots.oldest(lambda slot: slot.due_at)
        return [s for s in every if since <= s.due_at < until and brand in ("", s.brand)]

    async def open_slots(self, *, until: datetime) -> Sequence[Slot]:
        """See the port."""
        found = (s for s in self._slots if s.state in OPEN_SLOTS and s.due_at < until)
        return sorted(found, key=lambda slot: slot.due_at)

    async def slots_of(self, schedule_id: str, *, since: date) -> Sequence[Slot]:
        """See the port."""
        own = (s for s in self._slots if s.schedule == schedule_id and s.local_date >= since)
        return sorted(own, key=lambda slot: slot.local_date)
