"""A house whose people are in a Discord: members with Discord identities, a kit with its channels.

    town = await make_discord_town(store=store)
    async with founded() as discord, running(discord, town) as house:
        mia = house.person("mia")
        receipt = await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
        card = await posted(discord, DRAFTS, pictured)

`running` is the real thing: Discord's adapter put together as in production, the loops that render,
publish and send; only the pictures are drawn by a FakeRenderer. It can be entered twice on one
town: two replicas. At its end nothing unapproved may ever have stood in public, and
nothing said have pinged.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from bot.chat.discord_chat.options import DiscordOptions
from bot.core.house import House
from bot.core.messages import ChannelRef
from bot.core.people import Identity, Role
from bot.core.ports import Inbox
from brand.kit import BrandKit, Channel
from storage.database import OpenStore
from storage.memory import MemoryStore
from tests.fakes.chat_town import PUBLIC_URL, TEMPLATES, ChatTown, at_work
from tests.fakes.discord.access import USUAL
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.people import Person
from tests.fakes.discord_guard import leaks, pings
from tests.fakes.renderer import FakeRenderer
from tests.fakes.town import KIT
from tests.fakes.waiting import until

GUILD = str(2001 << 22)
"""On the second of two shards, while conversations of two are always on the first."""
DRAFTS, SOCIAL, TALK = "1100000000000000001", "1100000000000000002", "1100000000000000003"
"""The kit's working channel, its public one, and one that it doesn't name."""
USERS = {
    "mia": "1200000000000000001",
    "rob": "1200000000000000002",
    "ana": "1200000000000000003",
    "ida": "1200000000000000004",
    "eve": "1200000000000000005",
}
ROLES = {
    "mia": (Role.REQUESTER,),
    "rob": (Role.APPROVER,),
    "ana": (Role.REQUESTER, Role.APPROVER),
    "ida": (Role.ADMIN,),
}
"""Eve is in the guild, and no member here."""
DiscordTown = ChatTown
QUICK_S = 0.05
"""Between two identifies and before a new client: this Discord knows no hurry."""


def discord_kit(kit: BrandKit = KIT) -> BrandKit:
    """Acme's kit with Discord channels: #drafts is working, #social public, others unknown."""
    social = Channel(name="#social", audience="public", platform="discord", id=SOCIAL)
    drafts = Channel(name="#drafts", audience="working", platform="discord", id=DRAFTS)
    return replace(kit, templates=TEMPLATES, channels=(social, drafts))


def place(channel: str) -> ChannelRef:
    """A channel in the words of the core."""
    return ChannelRef(platform="discord", channel=channel)


@asynccontextmanager
async def founded(
    *, now: Callable[[], float] | None = None, rates: float = 1.0
) -> AsyncIterator[FakeDiscord]:
    """A Discord with the guild, its channels and its people, the app inside."""
    async with FakeDiscord(now=now, rates=rates) as discord:
        settle(discord)
        yield discord


def settle(discord: FakeDiscord) -> None:
    """Found the guild."""
    world = discord.world
    for name, user in USERS.items():
        world.add_user(name, user_id=user)
    owner = world.add_user("owner").id
    world.add_guild("Acme", permissions=USUAL, owner=owner, guild_id=GUILD)
    for user in USERS.values():
        world.join(GUILD, user)
    for channel, name in ((DRAFTS, "drafts"), (SOCIAL, "social"), (TALK, "talk")):
        world.add_channel(GUILD, name, channel_id=channel)


async def make_discord_town(
    kit: BrandKit | None = None, *, store: OpenStore | None = None
) -> DiscordTown:
    """Mia asks, Rob and Ana approve, Ida is an admin, each known by their Discord user. On memory
    unless given a store."""
    town = DiscordTown(store=store or MemoryStore(), kit=kit or discord_kit())
    await town.settle({name: (account(name), roles) for name, roles in ROLES.items()})
    return town


def account(name: str) -> Identity:
    """Somebody's of the guild."""
    return Identity(platform="discord", user=USERS[name])


def options_for(discord: FakeDiscord, **changed: object) -> DiscordOptions:
    """The options of the app, pointed at the fake, with as many shards as that recommends."""
    options = DiscordOptions(
        token=discord.token,
        base_url=PUBLIC_URL,
        api_base_url=discord.api_url,
        gateway_url=discord.gateway_url,
        shards=discord.world.shards,
    )
    return replace(options, **changed)  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Running:
    """One replica at work."""

    discord: FakeDiscord
    town: DiscordTown
    house: House
    options: DiscordOptions

    @property
    def renderer(self) -> FakeRenderer:
        """Who draws."""
        return self.town.renderer

    def person(self, name: str) -> Person:
        """Someone of the guild."""
        return Person(self.discord.world, USERS[name])


@asynccontextmanager
async def running(
    discord: FakeDiscord,
    town: DiscordTown,
    *,
    options: DiscordOptions | None = None,
    inbox: Inbox | None = None,
    work: bool = True,
) -> AsyncIterator[Running]:
    """A replica on this town. `work=False`: it takes in, and renders and sends nothing."""
    from bot.chat.discord_chat.wiring import listening, open_discord

    options = options or options_for(discord)
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(
            open_discord(options, store=town.store, blobs=town.blobs, clock=town.clock)
        )
        house, door = town.house(parts.chat, inbox=inbox)
        if work:
            painter = parts.painter(house)
            await stack.enter_async_context(at_work(house, painter, senders=options.senders))
        others = len(discord.gateway.connected())
        await stack.enter_async_context(
            listening(parts, house, door, identify_every_s=QUICK_S, first_pause_s=0.0)
        )
        await until(lambda: len(discord.gateway.connected()) >= others + options.shards)
        await until(lambda: discord.world.app.commands)
        yield Running(discord=discord, town=town, house=house, options=options)
    assert await leaks(discord, town) == []
    assert pings(discord) == []
