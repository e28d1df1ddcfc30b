"""All tables of the store, one module a group. Importing this package fills `METADATA`."""

from storage.tables.assets import AssetRow, AssetWordRow, RenditionRow
from storage.tables.base import Row, table_of
from storage.tables.brands import CurrentKitRow, KitRow, LoraRow
from storage.tables.budgets import BudgetRow, SpendRow
from storage.tables.calendar import ScheduleRow, SlotRow
from storage.tables.installs import InstallRow, SentFileRow
from storage.tables.jobs import JobRow, TurnRow
from storage.tables.ledger import EventRow, PersonalRow
from storage.tables.outbox import DeliveryRow, OutgoingRow
from storage.tables.people import (
    IdentityRow,
    KeyRow,
    LinkRow,
    LinkTryRow,
    PersonRow,
    RoleRow,
)
from storage.tables.requests import RequestRow
from storage.tables.reviews import PublicationRow, ReviewRow, VoteRow
from storage.tables.timeline import ReactionRow, TimelineRow
from storage.tables.uploads import UploadRow

METADATA = Row.metadata

__all__ = [
    "METADATA",
    "AssetRow",
    "AssetWordRow",
    "BudgetRow",
    "CurrentKitRow",
    "DeliveryRow",
    "EventRow",
    "IdentityRow",
    "InstallRow",
    "JobRow",
    "KeyRow",
    "KitRow",
    "LinkRow",
    "LinkTryRow",
    "LoraRow",
    "OutgoingRow",
    "PersonRow",
    "PersonalRow",
    "PublicationRow",
    "ReactionRow",
    "RenditionRow",
    "RequestRow",
    "ReviewRow",
    "RoleRow",
    "ScheduleRow",
    "SentFileRow",
    "SlotRow",
    "SpendRow",
    "TimelineRow",
    "TurnRow",
    "UploadRow",
    "VoteRow",
    "table_of",
]
