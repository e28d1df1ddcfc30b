"""A chat platform in memory: one message per outgoing id, or with `once` False none of that."""

from datetime import datetime
from typing import TYPE_CHECKING

from bot.core.errors import ChatError, ChatRejected
from bot.core.messages import Card, ChannelRef, MessageRef
from bot.core.ports import Outgoing
from bot.core.publications import Publication

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Killed(BaseException):
    """The process is no more."""


class FakeChat:
    """Messages by their own id. Its troubles are lists of errors, raised one a call."""

    def __init__(self, platform: str = "local", *, once: bool = True) -> None:
        self.platform = platform
        self.once = once
        """False: it has no idempotency key, so what is sent twice stands twice."""
        self.cards: dict[str, Card] = {}
        self.places: dict[str, str] = {}
        self.by_outgoing: dict[str, list[str]] = {}
        self.posts: dict[str, tuple[str, bytes]] = {}
        """Publication id to (channel, bytes)."""
        self.sends = 0
        self.looks = 0
        self.before: list[ChatError] = []
        """Raised before anything is kept."""
        self.after: list[ChatError] = []
        """Raised after the message was kept: a lost reply."""
        self.look_ups: list[ChatError] = []
        """Raised instead of looking."""
        self.deletions: list[ChatError] = []
        """Raised instead of deleting."""
        self.gone: set[str] = set()
        self.on_post: Callable[[Publication], None] = lambda _: None
        self.meanwhile: list[Callable[[], Awaitable[object]]] = []
        """Awaited, one a call, before anything is kept: what happens while the sender is frozen."""
        self.killed: set[str] = set()
        """Calls ("look_up", "post", "send") from which the caller does not come back, once."""
        self._number = 0

    async def send(self, message: Outgoing) -> MessageRef:
        """Keep or change a card."""
        self._may_fail(message.target)
        await self._let_happen()
        ref = message.update.message if message.update else self._kept(message.id, "m")
        self.cards[ref] = message.card
        self._place(ref, message.id, message.target)
        self._may_lose_reply("send")
        return self._ref(ref)

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """Keep a picture."""
        self._may_fail(publication.target)
        self.on_post(publication)
        await self._let_happen()
        self.sends += 1
        ref = self._kept(publication.id, "p")
        self.posts.setdefault(publication.id, (publication.target.channel, data))
        self._place(ref, publication.id, publication.target)
        self._may_lose_reply("post")
        return self._ref(ref)

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> list[MessageRef]:
        """What stands there under that id, oldest first."""
        self.looks += 1
        if self.look_ups:
            raise self.look_ups.pop(0)
        self._may_die("look_up")
        return [self._ref(ref) for ref in self.by_outgoing.get(outgoing_id, [])]

    async def delete(self, ref: MessageRef) -> None:
        """Take it away."""
        if self.deletions:
            raise self.deletions.pop(0)
        self.cards.pop(ref.message, None)
        self.places.pop(ref.message, None)
        for copies in self.by_outgoing.values():
            if ref.message in copies:
                copies.remove(ref.message)

    def shown(self, channel: str) -> list[Card]:
        """The cards that stand in a channel, oldest first."""
        return [card for ref, card in self.cards.items() if self.places[ref] == channel]

    def copies(self, outgoing_id: str) -> list[str]:
        """The messages that stand there under this id, oldest first."""
        return list(self.by_outgoing.get(outgoing_id, []))

    def _kept(self, outgoing_id: str, kind: str) -> str:
        copies = self.by_outgoing.get(outgoing_id)
        if self.once and copies:
            return copies[0]
        self._number += 1
        return f"{kind}{self._number}"

    def _place(self, ref: str, outgoing_id: str, target: ChannelRef) -> None:
        self.places[ref] = target.channel
        copies = self.by_outgoing.setdefault(outgoing_id, [])
        if ref not in copies:
            copies.append(ref)

    def _ref(self, ref: str) -> MessageRef:
        return MessageRef(platform=self.platform, channel=self.places[ref], message=ref)

    def _may_fail(self, target: ChannelRef) -> None:
        if target.channel in self.gone:
            raise ChatRejected(f"There is no channel #{target.channel}.", fix="Correct the kit.")
        if self.before:
            raise self.before.pop(0)

    async def _let_happen(self) -> None:
        if self.meanwhile:
            await self.meanwhile.pop(0)()

    def _may_die(self, call: str) -> None:
        if call in self.killed:
            self.killed.remove(call)
            raise Killed

    def _may_lose_reply(self, call: str) -> None:
        self._may_die(call)
        if self.after:
            raise self.after.pop(0)
