"""At the door of a public channel drafts are taken out of a card, whoever sent it there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from bot.chat.slack_chat.options import Mode
from bot.chat.slack_chat.wiring import open_slack
from bot.clock import SystemClock
from bot.core.drafts import FRESH, Rooms
from bot.core.errors import Unavailable
from bot.core.ids import new_id
from bot.core.messages import Card, ChannelRef, PictureRef
from bot.core.ports import Outgoing
from brand.kit import BrandKit
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from storage.memory_blobs import MemoryBlobs
from tests.fakes.clock import START, DrivenClock
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import files_in, pictured
from tests.fakes.slack_town import options_for, slack_kit

WORKING = ChannelRef(platform="slack", channel="C0DRAFTS", team="T1")
PUBLIC = ChannelRef(platform="slack", channel="C0SOCIAL", team="T1")
UNKNOWN = ChannelRef(platform="slack", channel="C0OTHER", team="T1")
LINE = ChannelRef(platform="slack", channel="@U0MIA", team="T1")
DRAFT = PictureRef(asset="a1", blob="b1", alt="a mug", width=8, height=8)
APPROVED = replace(DRAFT, asset="a2", blob="b2", draft=False)
CARD = Card(kind="job", title="mugs", pictures=(DRAFT, APPROVED), preview=DRAFT)
SHOWN = replace(CARD, pictures=(APPROVED,), preview=None)


@dataclass
class Kits:
    """A store that counts how often it is read, and can be away."""

    inner: MemoryStore = field(default_factory=MemoryStore)
    reads: int = 0
    away: bool = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        """See the port."""
        self.reads += 1
        if self.away:
            raise StoreUnavailable("The database does not answer.")
        async with self.inner.read() as tx:
            yield tx

    async def put(self, kit: BrandKit) -> None:
        """The brand's kit from now on."""
        async with self.inner.write() as tx:
            await tx.kits.put(kit, source="", at=START)


@dataclass
class Door:
    """What looks, at what, and when."""

    rooms: Rooms
    kits: Kits
    clock: DrivenClock


@pytest.fixture
async def door() -> Door:
    kits, clock = Kits(), DrivenClock()
    await kits.put(slack_kit("T1"))
    return Door(Rooms(kits, clock), kits, clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", [PUBLIC, UNKNOWN, replace(WORKING, team="T2")], ids=str)
async def test_drafts_do_not_get_into_a_public_channel(
    door: Door, place: ChannelRef, caplog: pytest.LogCaptureFixture
) -> None:
    assert await door.rooms.fit(CARD, place) == SHOWN
    assert "meant for a public channel" in caplog.text


@pytest.mark.parametrize("place", [WORKING, replace(WORKING, thread="1.2"), LINE], ids=str)
async def test_drafts_are_shown_where_people_work(door: Door, place: ChannelRef) -> None:
    assert await door.rooms.fit(CARD, place) == CARD


async def test_kits_are_not_read_for_every_card(door: Door) -> None:
    for _ in range(100):
        await door.rooms.fit(CARD, WORKING)
        await door.rooms.fit(SHOWN, PUBLIC)
    assert door.kits.reads == 1
    door.clock.jump(FRESH.total_seconds())
    await door.rooms.fit(CARD, WORKING)
    assert door.kits.reads == 2


async def test_a_channel_that_becomes_a_working_one_counts_at_once(door: Door) -> None:
    assert await door.rooms.fit(CARD, UNKNOWN) == SHOWN
    kit = slack_kit("T1")
    more = tuple(replace(channel, id="C0OTHER", name="#other") for channel in kit.channels[1:])
    await door.kits.put(replace(kit, version="2", channels=(*kit.channels, *more)))
    assert await door.rooms.fit(CARD, UNKNOWN) == CARD


async def test_a_channel_that_is_no_working_one_any_more_gets_no_drafts_soon(door: Door) -> None:
    assert await door.rooms.fit(CARD, WORKING) == CARD
    kit = slack_kit("T1")
    await door.kits.put(replace(kit, version="2", channels=kit.channels[:1]))
    door.clock.jump(FRESH.total_seconds())
    assert await door.rooms.fit(CARD, WORKING) == SHOWN


async def test_while_the_database_is_away_what_is_known_counts_and_nothing_more_is_shown(
    door: Door,
) -> None:
    await door.rooms.fit(CARD, WORKING)
    door.kits.away = True
    door.clock.jump(FRESH.total_seconds())
    assert await door.rooms.fit(CARD, WORKING) == CARD
    with pytest.raises(Unavailable):
        await door.rooms.fit(CARD, PUBLIC)


async def test_a_card_that_goes_astray_leaves_no_draft_in_slack_s_public_channel() -> None:
    """As it is put together in production, also where a picture would follow as a file."""
    png = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(png, "PNG")
    kits, blobs = Kits(), MemoryBlobs()
    await kits.put(slack_kit())
    draft = replace(DRAFT, blob=await blobs.put(png.getvalue()))
    card = replace(CARD, pictures=(draft,), preview=None)
    async with FakeSlack(processing_s=0) as slack:
        options = options_for(slack, Mode.HTTP)
        async with open_slack(options, store=kits.inner, blobs=blobs, clock=SystemClock()) as parts:
            for place in (PUBLIC, WORKING, replace(WORKING, team="")):
                message = Outgoing(id=new_id(), target=place, card=card, created_at=START)
                await parts.chat.send(message)
        assert files_in(slack, "C0SOCIAL") == set()
        assert [m.text.startswith("mugs") for m in slack.messages("C0SOCIAL")] == [True]
        assert len([m for m in slack.messages("C0DRAFTS") if pictured(m)]) == 2
        assert slack.violations == []
