"""House: the one object that adapters get; the composition root fills it."""

from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.anchors import AnchorPlaces
from bot.core.connections import Connections
from bot.core.limits import UploadLimits
from bot.core.live import LiveBoard
from bot.core.ports import (
    BlobStore,
    Chat,
    Clock,
    Door,
    Inbox,
    Renderer,
    Signals,
    Store,
    Studio,
    Timeline,
)
from bot.core.tariff import Tariff
from bot.core.watching import Unwatched, Watch


@dataclass(frozen=True, kw_only=True)
class House:
    """What the use cases and the adapters work with."""

    store: Store
    blobs: BlobStore
    renderer: Renderer
    studio: Studio
    signals: Signals
    clock: Clock
    inbox: Inbox
    timeline: Timeline
    chats: dict[str, Chat] = field(default_factory=dict)
    """Outgoing side of each connected platform, by its name."""
    connections: Connections = field(default_factory=Connections)
    """How the lines are over which chats are listened to in this process."""
    live: LiveBoard = field(default_factory=LiveBoard)
    door: Door | None = None
    """Filled by the composition root once dispatch stands."""
    demo: bool = False
    """In the demo alone one person may be requester and approver in turn; votes are marked."""
    lease: timedelta = timedelta(seconds=15)
    """How long a job, post or message belongs to who claimed it without a sign of life."""
    tariff: Tariff | None = None
    """What device time costs; None: nobody has said."""
    base_url: str = ""
    """Where people reach the portal, for links in chat."""
    anchors: AnchorPlaces = field(default_factory=AnchorPlaces)
    """Where the ledger's anchors are kept."""
    uploads: UploadLimits = field(default_factory=UploadLimits)
    """How many pictures people may bring."""
    watch: Watch = field(default_factory=Unwatched)
    """Who measures: metrics and traces."""
