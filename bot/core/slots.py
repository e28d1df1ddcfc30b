"""Schedule: the rule of the content calendar. Slot: one due entry of it."""

from dataclasses import dataclass
from datetime import date, datetime, time

from bot.core.lives import ScheduleState, SlotState
from bot.core.messages import ChannelRef

LEAD_HOURS = 96
"""Hours before its time at which a slot is rendered: Monday's picture is there on Thursday, so that
approvers see it, and a second one, before the weekend."""


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
    """The brief's words of every slot."""
    templates: tuple[str, ...]
    """Taken in turn."""
    target: ChannelRef
    owner: str
    """Person id: slots are asked for in their name, so they can't approve them (four eyes)."""
    created_at: datetime
    every_weeks: int = 1
    starts_on: date = date(1970, 1, 5)
    """A local date of the first week that counts, where it is not every week."""
    lead_hours: int = LEAD_HOURS
    fallback_asset: str = ""
    """An approved asset that goes out where a slot would be missed, or empty."""
    planned_until: date | None = None
    """The last local date up to which slots were made; None before the first."""
    state: ScheduleState = ScheduleState.ACTIVE
    version: int = 0


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One due entry, keyed by schedule and local date: DST neither doubles nor drops it."""

    id: str
    schedule: str
    brand: str
    local_date: date
    """The day of the rule; it stays when the slot is moved."""
    due_at: datetime
    template: str
    theme: str = ""
    turn: int = 0
    """Number of this entry within its schedule: what is taken in turn goes by it."""
    moved: bool = False
    """A person gave it another day or time."""
    job: str = ""
    """The newest job that renders it."""
    asset: str = ""
    review: str = ""
    publication: str = ""
    renders: int = 0
    """How many jobs were queued for it."""
    reminded: int = 0
    """How many of the two reminders went out."""
    reason: str = ""
    """Why it was missed or skipped; before that, what stands in its way."""
    state: SlotState = SlotState.PLANNED
    version: int = 0
