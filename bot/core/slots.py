"""Schedule: the rule of the content calendar. Slot: one due entry of it."""

from dataclasses import dataclass
from datetime import date, datetime, time

from bot.core.lives import ScheduleState, SlotState
from bot.core.messages import ChannelRef


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A weekly rule in a time zone: "Mondays 09:00 Europe/Berlin, theme innovation"."""

    id: str
    brand: str
    name: str
    weekdays: tuple[int, ...]
    """0 is Monday."""
    at: time
    """Local wall-clock time."""
    zone: str
    """IANA name."""
    theme: str
    templates: tuple[str, ...]
    """Taken in turn."""
    target: ChannelRef
    owner: str
    created_at: datetime
    fallback_asset: str = ""
    state: ScheduleState = ScheduleState.ACTIVE
    version: int = 0


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One due entry, keyed by schedule and local date: DST neither doubles nor drops it."""

    id: str
    schedule: str
    brand: str
    local_date: date
    due_at: datetime
    template: str
    job: str = ""
    asset: str = ""
    publication: str = ""
    reason: str = ""
    """Why it was missed or skipped."""
    state: SlotState = SlotState.PLANNED
    version: int = 0
