"""Our outgoing side at the strict Discord: a guild with two channels and a thread, and Mia."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import aiohttp
from PIL import Image

from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.outgoing.chat import DiscordChat
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.surfaces import PERMISSIONS
from bot.clock import SystemClock
from bot.core.ids import new_id
from bot.core.messages import Button, Card, ChannelRef, PictureRef
from bot.core.ports import Outgoing
from bot.core.publications import Publication
from bot.core.watching import Unwatched
from brand.spec import sha256_hex
from storage.memory import MemoryStore
from storage.memory_blobs import MemoryBlobs
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.state import EPHEMERAL, Channel, Guild, Interaction, Message

PORTAL = "https://house.example"


class RunningClock(SystemClock):
    """The system's, which a test may put on; what it is asked to wait is noted and over at once."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.waited: list[float] = []

    def now(self) -> datetime:
        """Aware UTC."""
        return super().now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        """Note it."""
        self.waited.append(seconds)

    def jump(self, seconds: float) -> None:
        """Put it on."""
        self.ahead += timedelta(seconds=seconds)


def picture(kind: str = "PNG", colour: str = "teal", size: int = 32) -> bytes:
    """A picture's file."""
    data = BytesIO()
    Image.new("RGB", (size, size), colour).save(data, kind)
    return data.getvalue()


PNG = picture()


@dataclass(kw_only=True)
class Desk:
    """A Discord, our chat in it, and where our pictures lie."""

    discord: FakeDiscord
    options: DiscordOptions
    rest: DiscordRest
    chat: DiscordChat
    blobs: MemoryBlobs
    store: MemoryStore
    clock: RunningClock
    guild: Guild
    drafts: Channel
    social: Channel
    thread: Channel
    mia: str

    def place(self, channel: Channel) -> ChannelRef:
        """The channel in the words of the core."""
        if channel.parent:
            return ChannelRef(platform="discord", channel=channel.parent, thread=channel.id)
        return ChannelRef(platform="discord", channel=channel.id)

    @property
    def line(self) -> ChannelRef:
        """Mia's direct line."""
        return ChannelRef(platform="discord", channel=f"@{self.mia}")

    async def card(self, *datas: bytes, **more: Any) -> Card:
        """A job's card with these pictures."""
        refs = [
            PictureRef(
                asset=f"a{n}",
                blob=await self.blobs.put(data),
                alt="a mug",
                width=32,
                height=32,
                number=n,
            )
            for n, data in enumerate(datas, 1)
        ]
        buttons = (Button(label="Cancel", action="cancel:1"),)
        made = Card(
            kind="job",
            title="a red mug",
            subject="job:1",
            pictures=tuple(refs),
            buttons=buttons,
        )
        return replace(made, **more)

    def outgoing(self, card: Card, target: ChannelRef | None = None, **more: Any) -> Outgoing:
        """It on its way; to the channel of drafts if nothing else is said."""
        place = target or self.place(self.drafts)
        made = Outgoing(id=new_id(), target=place, card=card, created_at=self.clock.now())
        return replace(made, **more)

    def publication(self, **more: Any) -> Publication:
        """A due post of PNG."""
        made = Publication(
            id=new_id(),
            asset="a1",
            review="r1",
            brand="acme",
            rendition="png",
            file_hash=sha256_hex(PNG),
            pixel_hash="",
            target=self.place(self.social),
            caption="Our new mug",
            requested_by="p1",
            due_at=self.clock.now(),
            created_at=self.clock.now(),
        )
        return replace(made, **more)

    async def asked(self, *, acked: bool = True, direct: bool = False) -> Interaction:
        """Mia has asked for something in the drafts' channel, or in her conversation with the app;
        whether we acknowledged it."""
        world = self.discord.world
        found = Interaction(
            id=world.new_id(),
            token=world.new_token(),
            type=2,
            user=self.mia,
            channel=world.direct(self.mia).id if direct else self.drafts.id,
            guild="" if direct else self.guild.id,
            made_at=world.now(),
        )
        world.interactions[found.token] = found
        if acked:
            url = f"{self.discord.api_url}/interactions/{found.id}/{found.token}/callback"
            async with aiohttp.ClientSession() as session:
                answer = {"type": 5, "data": {"flags": EPHEMERAL}}
                async with session.post(url, json=answer) as response:
                    assert response.status == 204, await response.text()
        return found

    def said_alone(self) -> list[Message]:
        """What only Mia sees."""
        return self.discord.person(self.mia).ephemerals()

    def said_directly(self) -> list[Message]:
        """What stands in Mia's conversation with the app."""
        return self.discord.world.direct(self.mia).live()

    def shown(self, message: Message) -> list[bytes]:
        """The bytes of the files that a message has."""
        return [self.discord.world.attachments[one].data for one in message.attachments]

    def sent(self, what: str) -> int:
        """How many requests fitted such a pattern."""
        return len(self.discord.calls(what))


@asynccontextmanager
async def discord_desk() -> AsyncIterator[Desk]:
    """All of it, running; at the end nothing may have happened that Discord forbids."""
    clock = RunningClock()
    async with FakeDiscord(rates=0, now=lambda: clock.now().timestamp()) as discord:
        world = discord.world
        mia = world.add_user("mia").id
        guild = world.add_guild("Acme", permissions=sum(PERMISSIONS.values()), owner=mia)
        drafts = world.add_channel(guild.id, "drafts")
        social = world.add_channel(guild.id, "social")
        thread = world.add_thread(drafts.id, "mugs")
        options = DiscordOptions(token=discord.token, base_url=PORTAL, api_base_url=discord.api_url)
        store, blobs = MemoryStore(), MemoryBlobs()
        async with DiscordRest(options, watch=Unwatched()) as rest:
            chat = DiscordChat(rest=rest, blobs=blobs, clock=clock, options=options, store=store)
            yield Desk(
                discord=discord,
                options=options,
                rest=rest,
                chat=chat,
                blobs=blobs,
                store=store,
                clock=clock,
                guild=guild,
                drafts=drafts,
                social=social,
                thread=thread,
                mia=mia,
            )
        assert discord.violations == []
