"""Drafts: which channels they may be seen in, by the brands' kits as they were read last.

The core sends drafts to requesters, reviewers and working channels alone (DESIGN, rule 3); this
looks again at the door. Kits are kept in memory, since cards are many and kits change seldom.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.errors import Unavailable
from bot.core.messages import Audience, Card, ChannelRef
from bot.core.policy import audience_of
from bot.core.ports import Clock, Store
from brand.kit import BrandKit

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=30)
"""So long a channel that a kit no longer lists as working may still get drafts."""


def _no_other(channel: str) -> bool:
    """Direct conversations are named by the person alone."""
    return False


class Rooms:
    """Takes drafts out of cards for the public.

    `is_direct` knows the platform's own ids of a conversation of two; `@USER` is one everywhere.
    """

    def __init__(
        self, store: Store, clock: Clock, *, is_direct: Callable[[str], bool] = _no_other
    ) -> None:
        self._store = store
        self._clock = clock
        self._is_direct = is_direct
        self._kits: Sequence[BrandKit] = ()
        self._read_at: datetime | None = None

    async def fit(self, card: Card, place: ChannelRef) -> Card:
        """The card as it may be shown there. Raises Unavailable where the kits are not known."""
        shown = tuple(ref for ref in card.pictures if not ref.draft)
        drawn = card.preview if card.preview is None or not card.preview.draft else None
        if (shown, drawn) == (card.pictures, card.preview) or not await self._is_public(place):
            return card
        log.error(
            "A card with drafts was meant for a public channel: it goes without them",
            extra={
                "action": f"{place.platform}.draft_held",
                "subject": card.subject,
                "place": str(place),
            },
        )
        return replace(card, pictures=shown, preview=drawn)

    async def _is_public(self, place: ChannelRef) -> bool:
        """What no kit calls working is public, once it was looked at anew."""
        is_fresh = self._read_at is not None and self._clock.now() - self._read_at < FRESH
        if is_fresh and not self._seems_public(place):
            return False
        try:
            async with self._store.read() as tx:
                self._kits = await tx.kits.all()
            self._read_at = self._clock.now()
        except Unavailable:
            if self._seems_public(place):
                raise
            log.warning("The kits can't be read anew; what they said before still counts")
        return self._seems_public(place)

    def _seems_public(self, place: ChannelRef) -> bool:
        return not self._is_direct(place.channel) and _is_public(place, self._kits)


def _is_public(place: ChannelRef, kits: Sequence[BrandKit]) -> bool:
    """A direct line (`@USER`) is none, whatever the kits."""
    audiences = {audience_of(kit, place) for kit in kits}
    return audiences <= {Audience.PUBLIC} and not place.channel.startswith("@")
