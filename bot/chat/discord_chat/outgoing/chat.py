"""DiscordChat: the Chat port on Discord's REST API."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.outgoing import posting
from bot.chat.discord_chat.outgoing.failing import BARRED_S, UNAUTHORISED
from bot.chat.discord_chat.outgoing.looking import standing
from bot.chat.discord_chat.outgoing.pictures import Pictures
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.outgoing.sending import CLOSED, THREADLESS, CardSender, direct_user
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.drafts import Rooms
from bot.core.errors import ChatRejected, ChatUnavailable
from bot.core.messages import ChannelRef, MessageRef
from bot.core.patience import patient
from bot.core.ports import BlobStore, Clock, Outgoing, Store
from bot.core.publications import Publication


class DiscordChat:
    """The Chat port. A message is named by the id of the channel or thread that it stands in, and
    its own; a target may name a person instead (`@USER`)."""

    platform = PLATFORM

    def __init__(
        self,
        *,
        rest: DiscordRest,
        blobs: BlobStore,
        clock: Clock,
        options: DiscordOptions,
        rooms: Rooms | None = None,
        store: Store | None = None,
    ) -> None:
        self._rest = rest
        pictures = Pictures(blobs, store)
        self._sender = CardSender(rest, pictures, clock=clock, rooms=rooms, options=options)

    async def send(self, message: Outgoing) -> MessageRef:
        """See the port."""
        check_platform(message.target)
        with _trying(message.attempts):
            return await self._sender.send(message)

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """See the port."""
        check_platform(publication.target)
        with _trying(publication.attempts):
            room = await self._sender.room(publication.target)
            sent = await posting.post(self._rest, publication, room, data, mime, alt)
            return await self._sender.ref(room, sent)

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> Sequence[MessageRef]:
        """See the port. In a thread also beside it; of an answer for one person, which is in no
        history itself, on that person's direct line and in the channel."""
        check_platform(target)
        with _trying(0):
            for place in _places(target, only_for):
                try:
                    room = await self._sender.room(place)
                    found = await standing(self._rest, outgoing_id, room, since=since, until=until)
                except DiscordRefused as exc:
                    if place == target or exc.error not in THREADLESS | CLOSED:
                        raise
                    continue
                if found:
                    return [await self._sender.ref(room, message) for message in found]
        return []

    async def delete(self, ref: MessageRef) -> None:
        """See the port."""
        with _trying(0):
            await self._rest.remove(ref.channel, ref.message)


def check_platform(target: ChannelRef) -> None:
    """Raises ChatRejected for another platform's place."""
    if target.platform != PLATFORM:
        raise ChatRejected(f"{target} is no place in Discord.", fix="Correct the brand kit.")


def _places(target: ChannelRef, only_for: str) -> list[ChannelRef]:
    """Where `send` may have put it."""
    line = ChannelRef(platform=PLATFORM, channel=f"@{only_for}")
    channel = ChannelRef(platform=PLATFORM, channel=target.channel)
    first = [line] if only_for and not direct_user(target) else []
    return list(dict.fromkeys([*first, target, channel]))


@contextmanager
def _trying(attempts: int) -> Iterator[None]:
    """With patience; what a wrong token keeps from going out waits for the right one."""
    with patient(attempts):
        try:
            yield
        except DiscordRefused as exc:
            if exc.status != UNAUTHORISED:
                raise
            why = f"{exc.message} {exc.fix}"
            raise ChatUnavailable(why, retry_after_s=BARRED_S, queued=True) from exc
