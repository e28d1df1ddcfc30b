"""KitBoard: brands and members in memory, for what a chat must be answered at once.

What fits while somebody types, a mistake at its field and an opened form have no time for a
database that may be slow. What is refused or allowed for good is decided at the door, on what is
stored there then.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.core.errors import HousestyleError
from bot.core.house import House
from bot.core.messages import ChannelRef
from bot.core.people import Person
from bot.core.places import is_at
from brand.kit import BrandKit

log = logging.getLogger(__name__)

REFRESH_S = 30.0
"""How long a change of a kit or a role may stay unseen in an open form."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was there when it was read last."""

    kits: tuple[BrandKit, ...] = ()
    people: Mapping[tuple[str, str], Person] = field(default_factory=dict)
    """Active members by (team key, user id), but for those on the block list."""


class KitBoard:
    """Answers for the accounts of one platform, from memory; `refreshing` keeps it fresh."""

    def __init__(self, house: House, platform: str) -> None:
        self._house = house
        self._platform = platform
        self._now = Snapshot()

    async def refresh(self) -> None:
        """Read everything anew. Raises Unavailable; then the older state stays."""
        async with self._house.store.read() as tx:
            kits = tuple(await tx.kits.all())
            members = [
                person
                for person in await tx.people.all()
                if person.active and not person.is_blocked
            ]
        people = {
            (identity.team, identity.user): person
            for person in members
            for identity in person.identities
            if identity.platform == self._platform
        }
        self._now = Snapshot(kits=kits, people=people)

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator[None]:
        """Fresh at the start of the block, and every REFRESH_S while it runs."""
        await self.refresh()
        task = asyncio.create_task(self._keep_fresh(), name=f"{self._platform}-kit-board")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep_fresh(self) -> None:
        while True:
            await self._house.clock.sleep(REFRESH_S)
            try:
                await self.refresh()
            except HousestyleError:
                log.warning(
                    "The kits for forms in %s are not fresh: the database is away.", self._platform
                )

    @property
    def kits(self) -> tuple[BrandKit, ...]:
        """All brands."""
        return self._now.kits

    def kit(self, brand: str) -> BrandKit | None:
        """A brand by its id."""
        return next((kit for kit in self._now.kits if kit.id == brand), None)

    def person(self, team: str, user: str) -> Person | None:
        """The active member whose account this is."""
        return self._now.people.get((team, user))

    def kits_of(self, team: str, user: str) -> tuple[BrandKit, ...]:
        """The brands for which this account may ask for pictures; none for somebody unknown."""
        person = self.person(team, user)
        if person is None:
            return ()
        return tuple(
            kit
            for kit in self._now.kits
            if kit.review.allows_request(person.id, person.roles_in(kit.id))
        )

    def first_of(self, kits: tuple[BrandKit, ...], place: ChannelRef) -> BrandKit:
        """Of some brands the one that the place belongs to, else the first."""
        here = (kit for kit in kits if any(is_at(channel, place) for channel in kit.channels))
        return next(here, kits[0])
