"""What the towns of all chat platforms share: members, templates, one house, its loops.

`tests/fakes/slack_town.py` and `discord_town.py` put a platform in front of it.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.clock import SystemClock
from bot.core.assets import Asset, AssetQuery
from bot.core.crew import RenderingCrew
from bot.core.dispatch import Dispatch
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.jobs import Job
from bot.core.lives import OutboxState, PublicationState
from bot.core.people import ANY_BRAND, Identity, Person, Role
from bot.core.ports import BlobStore, Chat, Clock, Door, Inbox, Signals
from bot.core.publishing import Publisher
from bot.core.reviews import Review
from bot.core.sending import Sender
from brand.kit import BrandKit, Template, Variable
from storage.database import OpenStore
from storage.memory_blobs import MemoryBlobs, MemoryInbox, MemorySignals
from tests.fakes.loops import Runs, looping
from tests.fakes.renderer import FakeRenderer
from tests.fakes.studio import FakeStudio
from tests.fakes.town import START
from tests.fakes.waiting import until

PUBLIC_URL = "https://house.test"
TEMPLATES = (
    Template(
        name="product",
        text="a [COLOR] [PRODUCT] [PLACE]",
        variables=(
            Variable(name="PRODUCT", values=("mug", "gift box")),
            Variable(name="COLOR", values=("red", "deep teal"), default="red"),
            Variable(name="PLACE", values=("on a wooden table", "on the beach"), default=""),
        ),
    ),
    Template(
        name="poster",
        text="a poster that says [HEADLINE], [WORDS]",
        variables=(Variable(name="HEADLINE"),),
    ),
    Template(name="plain", text="a plain picture, [WORDS]"),
)
UNSAID = (OutboxState.PENDING, OutboxState.SENDING, OutboxState.AMBIGUOUS)
UNPOSTED = (PublicationState.PENDING, PublicationState.SENDING)


@dataclass
class ChatTown:
    """What every replica shares, and the outside world of the pictures."""

    store: OpenStore
    kit: BrandKit
    blobs: BlobStore = field(default_factory=MemoryBlobs)
    signals: Signals = field(default_factory=MemorySignals)
    renderer: FakeRenderer = field(default_factory=FakeRenderer)
    studio: FakeStudio = field(default_factory=FakeStudio)
    clock: Clock = field(default_factory=SystemClock)
    people: dict[str, Person] = field(default_factory=dict)
    kits_before: list[tuple[datetime, BrandKit]] = field(default_factory=list)
    """Those that were in force until then, the first one first."""

    def kit_at(self, moment: datetime) -> BrandKit:
        """The kit that was in force."""
        before = (kit for until, kit in self.kits_before if moment < until)
        return next(before, self.kit)

    async def change_kit(self, kit: BrandKit) -> None:
        """From now on this one counts."""
        kit, now = replace(kit, version=str(len(self.kits_before) + 2)), self.clock.now()
        async with self.store.write() as tx:
            await tx.kits.put(kit, source="", at=now)
        self.kits_before.append((now, self.kit))
        self.kit = kit

    async def newest_asset(self) -> Asset:
        """The picture rendered last."""
        async with self.store.read() as tx:
            return (await tx.assets.find(AssetQuery(brand=self.kit.id)))[0]

    async def jobs(self) -> list[Job]:
        """Every job there is."""
        async with self.store.read() as tx:
            return list(await tx.jobs.recent(brand=self.kit.id, limit=1000))

    async def review_of(self, asset: str) -> Review:
        """The review of a picture."""
        async with self.store.read() as tx:
            return (await tx.reviews.of_asset(asset))[0]

    async def settle(self, members: Mapping[str, tuple[Identity, Iterable[Role]]]) -> None:
        """Put the kit in force and let these people in: name -> account, roles in every brand."""
        async with self.store.write() as tx:
            await tx.kits.put(self.kit, source="", at=START)
            for name, (account, roles) in members.items():
                member = Person(
                    id=new_id(),
                    name=name.title(),
                    created_at=START,
                    roles=tuple((ANY_BRAND, role) for role in roles),
                    identities=(account,),
                )
                await tx.people.add(member)
                self.people[name] = member

    def house(self, *chats: Chat, inbox: Inbox | None = None) -> tuple[House, Door]:
        """A replica's house that speaks by these chats, and its door."""
        house = House(
            store=self.store,
            blobs=self.blobs,
            renderer=self.renderer,
            studio=self.studio,
            signals=self.signals,
            clock=self.clock,
            inbox=inbox or MemoryInbox(),
            timeline=self.store.timeline,
            chats={chat.platform: chat for chat in chats},
            base_url=PUBLIC_URL,
        )
        door = Dispatch(house)
        return replace(house, door=door), door


@asynccontextmanager
async def at_work(house: House, *painters: Runs, senders: int) -> AsyncIterator[None]:
    """What renders, posts, sends and paints in a replica."""
    loops: list[Runs] = [RenderingCrew(house, "worker"), Publisher(house, "publisher")]
    loops += [Sender(house, f"sender-{n}") for n in range(senders)]
    async with looping([*loops, *painters]):
        yield


async def said(house: House) -> None:
    """Wait until all that the house has taken in is worked off, and what there was to say is said.

    For what people did whose deed was acknowledged. An emoji is not: whoever put one types
    something there afterwards, which comes after it.
    """
    await until(lambda: _is_said(house))


async def settled(house: House) -> None:
    """As `said`, once every job has ended and every post is out: nothing more will come."""
    await until(lambda: _is_settled(house))


async def _is_settled(house: House) -> bool:
    """In the order in which one makes the other: what is taken in, what is made, what is said."""
    if await house.inbox.pending():
        return False
    async with house.store.read() as tx:
        if await tx.jobs.unfinished():
            return False
        for asset in await tx.assets.find(AssetQuery(limit=1000)):
            posts = await tx.publications.of_asset(asset.id)
            if any(post.state in UNPOSTED for post in posts):
                return False
    return await _is_said(house)


async def _is_said(house: House) -> bool:
    if await house.inbox.pending():
        return False
    async with house.store.read() as tx:
        counts = await tx.outbox.counts()
    return not any(counts.get(state.value) for state in UNSAID)
