"""House: the one object that adapters get; the composition root fills it."""

from dataclasses import dataclass, field

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
    live: LiveBoard = field(default_factory=LiveBoard)
    door: Door | None = None
    """Filled by the composition root once dispatch stands."""
    demo: bool = False
    """In the demo alone one person may be requester and approver in turn; votes are marked."""
    base_url: str = ""
    """Where people reach the portal, for links in chat."""
