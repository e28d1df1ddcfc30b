"""Ports to what is not a record: time, files, the inbox, the generation service, the platforms."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.core.commands import Command
from bot.core.messages import Actor, Card, ChannelRef, MessageRef
from bot.core.ports.transactions import Outgoing
from bot.core.publications import Publication
from brand.kit import BrandKit
from brand.provenance import LabelledFile
from brand.spec import ModelInfo, Picture, Progress, RendererHealth, RenderRequest, RenderSpec
from brand.verdicts import Evidence


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a driven clock in the tests returns when told to."""
        ...


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a platform delivered, before anything is understood of it."""

    platform: str
    id: str
    """The platform's id of the delivery."""
    payload: dict[str, Any]
    received_at: datetime


class Inbox(Protocol):
    """The node's fsynced inbox."""

    async def put(self, delivery: Delivery) -> None:
        """Returns once it is on the disk; only then the platform is acknowledged."""
        ...

    async def done(self, platform: str, delivery_id: str) -> None:
        """It was worked off and need not come back after a restart."""
        ...

    async def pending(self, platform: str = "") -> Sequence[Delivery]:
        """What was put for this platform (or any) and not done, oldest first. Takes over what
        processes of this node that are gone have left for it."""
        ...

    async def tidy(self) -> int:
        """Remove the empty files of processes that are gone; how many."""
        ...


class BlobStore(Protocol):
    """Content-addressed files, written durably."""

    async def put(self, data: bytes) -> str:
        """Write and fsync; its sha256. Putting the same bytes twice is one file."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Raises NotFound. Raises CorruptBlob if the bytes no longer match their name."""
        ...

    async def exists(self, sha256: str) -> bool:
        """Whether it is there (contents not checked)."""
        ...

    async def remove(self, sha256: str) -> None:
        """Forget it for good; no error if it is gone. Only for what was erased."""
        ...

    def untouched(self, since: datetime) -> AsyncIterator[str]:
        """Hashes of files that were neither put nor asked for (`exists`) since then."""
        ...

    async def sweep(self, sha256: str, since: datetime) -> bool:
        """Remove a file that is still untouched since then; False if it was touched or is gone.
        Safe beside a `put` of the same bytes."""
        ...

    def all(self) -> AsyncIterator[str]:
        """Every stored hash."""
        ...


class Renderer(Protocol):
    """The generation service."""

    def render(self, request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        """Submit and follow; the last item is the Picture. Raises the RenderError tree."""
        ...

    async def cancel(self, render_id: str) -> None:
        """Stop it at the next step; no error if it is unknown or finished."""
        ...

    async def pause(self, render_id: str) -> None:
        """Let it wait from the next step on; no error if it is unknown or finished. Its progress
        says so; what has been computed is kept, for a while at least."""
        ...

    async def resume(self, render_id: str) -> None:
        """Let a paused one go on; no error if it is unknown, finished or not paused."""
        ...

    async def put_blob(self, data: bytes) -> str:
        """Upload an input (reference picture, LoRA file); its sha256."""
        ...

    async def allow_loras(self, brand: str, sha256s: Sequence[str]) -> None:
        """Replace the brand's list of LoRAs that may serve."""
        ...

    async def models(self) -> Sequence[ModelInfo]:
        """Raises RenderUnavailable."""
        ...

    async def health(self) -> RendererHealth:
        """Raises RenderUnavailable."""
        ...


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the numeric work on a finished picture gives."""

    evidence: Evidence
    pixel_hash: str
    fingerprint: str
    width: int
    height: int


class Studio(Protocol):
    """Numeric work on pixels, off the event loop: gates, master file, renditions."""

    async def check(
        self,
        png: bytes,
        spec: RenderSpec,
        kit: BrandKit,
        known: Sequence[tuple[str, str]],
    ) -> Checked:
        """Run the gates; `known` are (asset id, fingerprint) pairs to compare with."""
        ...

    async def make_files(
        self,
        png: bytes,
        spec: RenderSpec,
        kit: BrandKit,
        *,
        asset_id: str,
        weights: str,
        from_photo: bool,
    ) -> Sequence[LabelledFile]:
        """The master (transform "master") and every rendition that the kit publishes.

        `weights` is the model's hash; `from_photo` says that a person's picture went into it.
        """
        ...

    async def pixel_hash(self, data: bytes) -> str:
        """The pixel hash of a picture file of ours."""
        ...

    async def max_difference(self, one: bytes, other: bytes) -> int:
        """Largest difference of a channel value between two picture files, 0 to 255 (255 where
        the sizes differ)."""
        ...


class Chat(Protocol):
    """One chat platform, for outgoing messages."""

    platform: str

    async def send(self, message: Outgoing) -> MessageRef:
        """Send or update in place. Raises ChatRejected, ChatUnavailable, ChatAmbiguous; and
        ChatIncomplete where it stands with less than it should: the message then comes back, with
        both `sent` and `update` naming it."""
        ...

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """Post exactly these bytes, once per publication id. Raises as `send`."""
        ...

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> Sequence[MessageRef]:
        """One bounded search for our messages or posts with this id, none older than `since` nor
        newer than `until`, wherever `send` may have put what was meant for `target` (and there
        `only_for` one person): all copies that stand there, oldest first. Raises ChatRejected,
        ChatUnavailable."""
        ...

    async def delete(self, ref: MessageRef) -> None:
        """Take a message of ours away; no error if it is gone. Raises ChatRejected,
        ChatUnavailable."""
        ...


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Something happened to a subject; lossy, for live pages and for waking loops."""

    topic: str
    """"job:ID", "queue", "outbox", "publications", "channel:NAME", "reviews"."""
    kind: str
    data: dict[str, Any]


class Signals(Protocol):
    """Live signals between the parts; truth is in the store, a lost signal costs only delay."""

    def publish(self, signal: Signal) -> None:
        """Never blocks and never fails."""
        ...

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[Signal]]:
        """Signals of these topics (a trailing `*` matches any rest); all of them if none."""
        ...


class Door(Protocol):
    """The one door, as the adapters see it."""

    async def dispatch(self, command: Command, actor: Actor) -> Card:
        """Do it and answer. Raises Unavailable for a delivery that is to be worked off later,
        and else nothing."""
        ...
