"""What the application needs from the outside, as small Protocols. Adapters live elsewhere."""

from bot.core.ports.budgets import Budgets
from bot.core.ports.installs import Install, Installs
from bot.core.ports.members import AccountLinks, Erased, Erasure, Keys, People
from bot.core.ports.outside import (
    BlobStore,
    Chat,
    Checked,
    Clock,
    Delivery,
    Door,
    Inbox,
    Renderer,
    Signal,
    Signals,
    Studio,
)
from bot.core.ports.records import (
    Assets,
    Jobs,
    Kits,
    Loras,
    Publications,
    Reviews,
    Schedules,
    UsageRow,
)
from bot.core.ports.requests import KeptRequest, Requests
from bot.core.ports.sent_files import PASSING, SentFile, SentFiles
from bot.core.ports.timeline import Timeline, TimelineMessage
from bot.core.ports.transactions import Deliveries, Ledger, Outbox, Outgoing, Store, Transaction
from bot.core.ports.uploads import Upload, Uploads, Waiting

__all__ = [
    "PASSING",
    "AccountLinks",
    "Assets",
    "BlobStore",
    "Budgets",
    "Chat",
    "Checked",
    "Clock",
    "Deliveries",
    "Delivery",
    "Door",
    "Erased",
    "Erasure",
    "Inbox",
    "Install",
    "Installs",
    "Jobs",
    "KeptRequest",
    "Keys",
    "Kits",
    "Ledger",
    "Loras",
    "Outbox",
    "Outgoing",
    "People",
    "Publications",
    "Renderer",
    "Requests",
    "Reviews",
    "Schedules",
    "SentFile",
    "SentFiles",
    "Signal",
    "Signals",
    "Store",
    "Studio",
    "Timeline",
    "TimelineMessage",
    "Transaction",
    "Upload",
    "Uploads",
    "UsageRow",
    "Waiting",
]
