"""A chat platform in memory that keeps what real ones keep: one message per outgoing id."""

from typing import TYPE_CHECKING

from bot.core.errors import ChatError, ChatRejected
from bot.core.messages import Card, ChannelRef, MessageRef
from bot.core.ports import Outgoing
from bot.core.publications import Publication

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeChat:
    """Messages by their own id; `lose_reply` makes it keep the message and drop its answer."""

    def __init__(self, platform: str = "local") -> None:
        self.platform = platform
        self.cards: dict[str, Card] = {}
        self.places: dict[str, str] = {}
        self.by_outgoing: dict[str, str] = {}
        self.posts: dict[str, tuple[str, bytes]] = {}
        """Publication id to (channel, bytes)."""
        self.sends = 0
        self.before: list[ChatError] = []
        """Raised, one a call, before anything is kept."""
        self.after: list[ChatError] = []
        """Raised, one a call, after the message was kept: a lost reply."""
        self.gone: set[str] = set()
        self.on_post: Callable[[Publication], None] = lambda _: None

    async def send(self, message: Outgoing) -> MessageRef:
        """Keep or change a card."""
        self._may_fail(message.target)
        ref = message.update.message if message.update else f"m{len(self.places) + 1}"
        self.cards[ref] = message.card
        self.places[ref] = message.target.channel
        self.by_outgoing[message.id] = ref
        self._may_lose_reply()
        return MessageRef(platform=self.platform, channel=message.target.channel, message=ref)

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """Keep a picture once per publication id."""
        self._may_fail(publication.target)
        self.on_post(publication)
        self.sends += 1
        self.posts.setdefault(publication.id, (publication.target.channel, data))
        self._may_lose_reply()
        return self._posted(publication.id, publication.target)

    async def look_up(self, outgoing_id: str, target: ChannelRef) -> MessageRef | None:
        """What stands there under that id."""
        if outgoing_id in self.posts:
            return self._posted(outgoing_id, target)
        ref = self.by_outgoing.get(outgoing_id)
        if ref is None:
            return None
        return MessageRef(platform=self.platform, channel=target.channel, message=ref)

    def shown(self, channel: str) -> list[Card]:
        """The cards that stand in a channel, oldest first."""
        return [card for ref, card in self.cards.items() if self.places[ref] == channel]

    def _posted(self, publication_id: str, target: ChannelRef) -> MessageRef:
        return MessageRef(
            platform=self.platform, channel=target.channel, message=f"p-{publication_id}"
        )

    def _may_fail(self, target: ChannelRef) -> None:
        if target.channel in self.gone:
            raise ChatRejected(f"There is no channel #{target.channel}.", fix="Correct the kit.")
        if self.before:
            raise self.before.pop(0)

    def _may_lose_reply(self) -> None:
        if self.after:
            raise self.after.pop(0)
