"""SlackChat: the Chat port on Slack's Web API."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.outgoing.looking import standing
from bot.chat.slack_chat.outgoing.places import Conversations, check_platform, ref_of
from bot.chat.slack_chat.outgoing.posting import PicturePoster
from bot.chat.slack_chat.outgoing.sending import THREADLESS, CardSender, PictureShelf
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.web import SlackRefused, Webs
from bot.core.drafts import Rooms
from bot.core.messages import ChannelRef, MessageRef
from bot.core.patience import patient
from bot.core.ports import BlobStore, Clock, Outgoing
from bot.core.publications import Publication


class SlackChat:
    """The Chat port. Messages are named by Slack's own ids: the channel's and the message's `ts`,
    with the workspace's key; a target may name a person instead (`@U`)."""

    platform = PLATFORM

    def __init__(
        self,
        *,
        webs: Webs,
        shelf: PictureShelf,
        blobs: BlobStore,
        clock: Clock,
        rooms: Rooms | None = None,
        portal: str = "",
    ) -> None:
        self._webs = webs
        self._rooms = rooms
        self._conversations = Conversations()
        self._sender = CardSender(shelf, blobs, self._conversations, portal=portal)
        self._poster = PicturePoster(clock)

    async def send(self, message: Outgoing) -> MessageRef:
        """See the port."""
        check_platform(message.target)
        with patient(message.attempts):
            web = await self._webs.web(message.target.team)
            if self._rooms is not None:
                place = replace(message.target, team=message.target.team or web.team)
                message = replace(message, card=await self._rooms.fit(message.card, place))
            return await self._sender.send(web, message)

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """See the port."""
        target = publication.target
        check_platform(target)
        with patient(publication.attempts):
            web = await self._webs.web(target.team)
            channel = await self._conversations.of(web, target.channel)
            return await self._poster.post(web, publication, channel, data, mime, alt)

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> Sequence[MessageRef]:
        """See the port. In a thread also beside it; of a note for one person, which is in no
        history itself, on that person's direct line."""
        check_platform(target)
        is_note = only_for and not target.channel.startswith(("@", "D"))
        line, thread = (f"@{only_for}", "") if is_note else (target.channel, target.thread)
        with patient(0):
            web = await self._webs.web(target.team)
            channel = await self._conversations.of(web, line)
            for place in (thread, "") if thread else ("",):
                try:
                    found = await standing(
                        web, outgoing_id, channel, place, since=since, until=until
                    )
                except SlackRefused as exc:
                    if not place or exc.error not in THREADLESS:
                        raise
                    continue
                if found:
                    return [ref_of(web, channel, ts, thread=place) for ts in found]
        return []

    async def delete(self, ref: MessageRef) -> None:
        """See the port."""
        with patient(0):
            web = await self._webs.web(ref.team)
            channel = await self._conversations.of(web, ref.channel)
            try:
                await web.call(Method.CHAT_DELETE, channel=channel, ts=ref.message)
            except SlackRefused as exc:
                if exc.error != "message_not_found":
                    raise
