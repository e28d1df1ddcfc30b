"""LocalChat: the outgoing side. The timeline plays the chat server's part."""

import asyncio
import io
from datetime import datetime

from PIL import Image

from bot.core.errors import ChatRejected, NotFound
from bot.core.ids import new_id
from bot.core.messages import Card, ChannelRef, MessageRef, PictureRef
from bot.core.ports import (
    BlobStore,
    Clock,
    Outgoing,
    Signal,
    Signals,
    Store,
    Timeline,
    TimelineMessage,
)
from bot.core.publications import Publication

PLATFORM = "local"
AUTHOR = "Housestyle"


class LocalChat:
    """The Chat port on a Timeline: `send` and `post` count once per outgoing id."""

    platform = PLATFORM

    def __init__(
        self, *, timeline: Timeline, signals: Signals, store: Store, blobs: BlobStore, clock: Clock
    ) -> None:
        self._timeline = timeline
        self._signals = signals
        self._store = store
        self._blobs = blobs
        self._clock = clock

    async def send(self, message: Outgoing) -> MessageRef:
        """Put the card up, or change the one that `update` names. Raises ChatRejected."""
        await self._check(message.target, private=message.card.private)
        if message.update is not None:
            changed = await self._replace(message.update.message, message.card)
            if changed is not None:
                return self._told(changed)
        return self._told(await self._add(message.target, message.card, message.id))

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """Post exactly these bytes. Raises ChatRejected."""
        await self._check(publication.target, private=False)
        width, height = await asyncio.to_thread(_size, data)
        blob = await self._blobs.put(data)
        card = Card(
            kind="post",
            title=publication.caption,
            pictures=(
                PictureRef(
                    asset=publication.asset,
                    blob=blob,
                    alt=alt,
                    width=width,
                    height=height,
                    draft=False,
                ),
            ),
        )
        return self._told(await self._add(publication.target, card, publication.id, blob=blob))

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> tuple[MessageRef, ...]:
        """The message that was sent under this id to that channel: one at most."""
        there = await self._timeline.by_outgoing(outgoing_id)
        return (_ref(there),) if there is not None and there.channel == target.channel else ()

    async def delete(self, ref: MessageRef) -> None:
        """Take a message away."""
        try:
            message = await self._timeline.get(ref.message)
        except NotFound:
            return
        await self._timeline.remove(message.id)
        tell(self._signals, message)

    async def _check(self, target: ChannelRef, *, private: bool) -> None:
        direct = target.channel.startswith("@")
        async with self._store.read() as tx:
            if direct:
                user = target.channel.removeprefix("@")
                known = await tx.people.by_identity(PLATFORM, user) is not None
            else:
                known = any(
                    channel.platform == PLATFORM and channel.channel_id == target.channel
                    for kit in await tx.kits.all()
                    for channel in kit.channels
                )
        if target.platform != PLATFORM or not known:
            raise ChatRejected(
                f"The local chat has no channel `{target.channel}`.",
                fix="List it in the brand kit under [[channels]].",
            )
        if private and not direct:
            raise ChatRejected("A private card goes to a direct line, not to a channel.")

    async def _add(
        self, target: ChannelRef, card: Card, outgoing: str, *, blob: str = ""
    ) -> TimelineMessage:
        return await self._timeline.add(
            TimelineMessage(
                id=new_id(),
                channel=target.channel,
                author=AUTHOR,
                user="",
                at=self._clock.now(),
                card=card,
                outgoing=outgoing,
                blob=blob,
            )
        )

    async def _replace(self, message_id: str, card: Card) -> TimelineMessage | None:
        try:
            return await self._timeline.replace(message_id, card, self._clock.now())
        except NotFound:
            return None

    def _told(self, message: TimelineMessage) -> MessageRef:
        tell(self._signals, message)
        return _ref(message)


def tell(signals: Signals, message: TimelineMessage) -> None:
    """Wake the pages that show this message's channel."""
    data = {"channel": message.channel, "message": message.id, "only_for": message.only_for}
    signals.publish(Signal(topic=f"channel:{message.channel}", kind="message", data=data))


def _ref(message: TimelineMessage) -> MessageRef:
    return MessageRef(
        platform=PLATFORM,
        channel=message.channel,
        message=message.id,
        link=f"/chat/{message.channel}#m-{message.id}",
    )


def _size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size
