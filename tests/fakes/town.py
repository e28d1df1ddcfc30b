"""A whole house on memory with three people in it, for scenarios."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.core.dispatch import Dispatch
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.messages import Actor, Card, ChannelRef
from bot.core.people import ANY_BRAND, Identity, Person, Role
from bot.core.publishing import Publisher
from bot.core.rendering import RenderingWorker
from bot.core.sending import Sender
from brand.kit import (
    Aspect,
    BannedTerm,
    BrandKit,
    Channel,
    GenerationDefaults,
    Recipe,
    ReviewPolicy,
    Stage,
    WayPolicy,
)
from storage.database import OpenStore
from storage.memory import MemoryStore
from storage.memory_blobs import MemoryBlobs, MemoryInbox, MemorySignals
from tests.fakes.chat import FakeChat
from tests.fakes.clock import DrivenClock
from tests.fakes.renderer import FakeRenderer
from tests.fakes.studio import FakeStudio

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORKING = ChannelRef(platform="local", channel="drafts")
PUBLIC = ChannelRef(platform="local", channel="social")
KIT = BrandKit(
    id="acme",
    name="Acme",
    version="1",
    owner="@brand",
    accent="#0f7c7c",
    generation=GenerationDefaults(
        model="demo",
        aspects=(Aspect(name="1:1", width=64, height=64),),
        samplers=("dpmpp_2m_karras", "euler"),
    ),
    banned=(
        BannedTerm(
            words=("cheap",),
            reason="we talk of worth",
            rule=4,
            owner="@brand",
            alternative="affordable",
        ),
    ),
    channels=(
        Channel(name="#social", audience="public"),
        Channel(name="#drafts", audience="working"),
    ),
    review=ReviewPolicy(may_approve=("role:approver",), quorum=1, expires_days=7),
    ways=WayPolicy(inpaint=True, outpaint=True, controls=("canny",), highres=2.0),
    recipes=(
        Recipe(
            name="scene",
            stages=(
                Stage(name="base"),
                Stage(name="background", mask="outside", box=(0.25, 0.25, 0.75, 0.75)),
                Stage(name="mood", words=("[WORDS] at dawn", "[WORDS] at night"), strength=0.3),
            ),
        ),
        Recipe(
            name="patch",
            stages=(Stage(name="base"), Stage(name="part", mask="upload", words=("a bow",))),
        ),
    ),
)


def person(name: str, *roles: Role) -> Person:
    """Someone with these roles in every brand; their local user id is their lower-case name."""
    return Person(
        id=new_id(),
        name=name,
        created_at=START,
        roles=tuple((ANY_BRAND, role) for role in roles),
        identities=(Identity(platform="local", user=name.lower()),),
    )


@dataclass
class Town:
    """The house, its people, and what the outside saw."""

    house: House
    chat: FakeChat
    renderer: FakeRenderer
    studio: FakeStudio
    clock: DrivenClock
    kit: BrandKit
    people: dict[str, Person] = field(default_factory=dict)

    async def say(self, command: object, who: str = "mia", where: ChannelRef = WORKING) -> Card:
        """Give a command as this person."""
        assert self.house.door is not None
        return await self.house.door.dispatch(command, self.actor(who, where))

    def actor(self, who: str, where: ChannelRef = WORKING, delivery: str = "") -> Actor:
        """This person, speaking there."""
        return Actor(platform="local", user=who, name=who.title(), channel=where, delivery=delivery)

    async def settle(self) -> None:
        """Work everything off: render, post, send."""
        worker = RenderingWorker(self.house, "w1")
        publisher = Publisher(self.house, "p1")
        sender = Sender(self.house, "s1")
        while await worker.run_one() or await publisher.run_one() or await sender.run_one():
            pass


async def make_town(
    kit: BrandKit = KIT, *, demo: bool = False, store: OpenStore | None = None
) -> Town:
    """Mia asks, Ana and Ben approve, Ida is an admin. On memory unless given a store."""
    chat, renderer, studio, clock = FakeChat(), FakeRenderer(), FakeStudio(), DrivenClock(START)
    store = store or MemoryStore()
    house = House(
        store=store,
        blobs=MemoryBlobs(),
        renderer=renderer,
        studio=studio,
        signals=MemorySignals(),
        clock=clock,
        inbox=MemoryInbox(),
        timeline=store.timeline,
        chats={"local": chat},
        demo=demo,
    )
    house = replace(house, door=Dispatch(house))
    town = Town(house=house, chat=chat, renderer=renderer, studio=studio, clock=clock, kit=kit)
    members = (
        person("Mia", Role.REQUESTER),
        person("Ana", Role.REQUESTER, Role.APPROVER),
        person("Ben", Role.APPROVER),
        person("Ida", Role.ADMIN),
    )
    async with store.write() as tx:
        await tx.kits.put(kit, source="", at=START)
        for member in members:
            await tx.people.add(member)
            town.people[member.name.lower()] = member
    return town
