"""The portal's parts: words, theme, thumbnails, streams and their events."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.core.errors import NotFound
from bot.core.live import LiveProgress
from bot.core.messages import Audience, Field, Swatch
from bot.core.people import Role
from bot.core.ports import Signal
from bot.core.progressing import percent, progress_words
from bot.core.rooms import rooms_of
from bot.web.streams import Streams
from bot.web.theme import DARK_SURFACE, LIGHT_SURFACE, contrast, ink_on, readable
from bot.web.thumbs import Thumbs, shrink
from bot.web.words import fact, ratio_class, said, size, strip
from brand.color import Rgb
from storage.memory_blobs import MemoryBlobs, MemorySignals
from tests.fakes.event_stream import EventStream, open_stream
from tests.fakes.portal import Portal
from tests.fakes.town import KIT, person
from tests.fakes.waiting import ENOUGH_S, until

CHANNELS = st.integers(0, 255)
COLORS = st.tuples(CHANNELS, CHANNELS, CHANNELS)


@given(COLORS)
def test_any_accent_becomes_readable_text_and_carries_readable_ink(color: Rgb) -> None:
    assert contrast(readable(color, LIGHT_SURFACE, (0, 0, 0)), LIGHT_SURFACE) >= 4.5
    assert contrast(readable(color, DARK_SURFACE, (255, 255, 255)), DARK_SURFACE) >= 4.5
    assert contrast(ink_on(color), color) >= 4.5


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


def test_our_sentences_are_escaped_before_they_are_marked_up() -> None:
    assert said("`a<b>` & <i>") == "<code>a&lt;b&gt;</code> &amp; &lt;i&gt;"
    assert said("see\n```\n<x>\n^^^\n```") == "see\n<pre><code>&lt;x&gt;\n^^^</code></pre>"
    assert said("a ` alone") == "a ` alone"


@given(st.text(alphabet="`<>&\n \"'ab", max_size=60))
def test_no_text_smuggles_in_a_tag(text: str) -> None:
    html = str(said(text))
    for tag in ("<pre>", "</pre>", "<code>", "</code>"):
        html = html.replace(tag, "")
    assert "<" not in html
    assert ">" not in html


def test_a_fact_does_not_say_its_label_or_its_swatches_twice() -> None:
    teal = (Swatch(name="teal", hex="#0f7c7c", share=0.41),)
    shown = Field(label="palette", value="palette 45 %: teal 41, cream 4; teal needs 50 %")
    assert fact(shown) == "45 %: teal 41, cream 4; teal needs 50 %"
    with_swatches = Field(label="palette", value=shown.value, swatches=teal)
    assert fact(with_swatches) == "45 %; teal needs 50 %"
    assert fact(Field(label="moderation", value="moderation: not installed")) == "not installed"
    assert fact(Field(label="sharpness", value="sharp")) == "sharp"


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (LiveProgress(fraction=0.45, eta_s=11.2), "Rendering · 45 % · about 12 s left"),
        (LiveProgress(fraction=0.001), "Rendering · <1 %"),
        (
            LiveProgress(fraction=0.25, eta_s=5, picture=1, pictures=2),
            "Rendering 1 of 2 · 25 % · about 15 s left",
        ),
        (LiveProgress(fraction=0, place=2, eta_s=200), "Waiting for the model, 3rd in line"),
    ],
)
def test_progress_is_said_with_place_share_and_time(progress: LiveProgress, words: str) -> None:
    assert progress_words(progress).startswith(words)


def test_numbers_read_as_people_say_them() -> None:
    assert [percent(x) for x in (0, 0.001, 0.416, 1)] == ["0 %", "<1 %", "42 %", "100 %"]
    assert [size(x) for x in (12, 6656, 1_500_000, 5 * 2**40)] == [
        "12 B",
        "6.5 kB",
        "1.4 MB",
        "5.0 TB",
    ]
    assert [ratio_class(*wh) for wh in ((3, 2), (1, 9), (9, 1), (0, 0))] == [
        "r-150",
        "r-30",
        "r-350",
        "r-100",
    ]


@given(st.lists(st.floats(-1, 2, allow_nan=False), max_size=8))
def test_a_palette_strip_stays_inside_its_width(shares: list[float]) -> None:
    parts = strip(Swatch(name="x", hex="#000000", share=share) for share in shares)
    assert all(part["width"] > 0 and part["x"] + part["width"] <= 100.1 for part in parts)


def test_working_channels_are_for_members_public_ones_for_all_and_the_own_one_comes_first() -> None:
    member, outsider = person("Mia", Role.REQUESTER), replace(person("Zoe"), roles=())
    seen = rooms_of([KIT], member, "local", "mia")
    assert [(room.channel, room.audience) for room in seen] == [
        ("@mia", Audience.REQUESTER),
        ("drafts", Audience.WORKING),
        ("social", Audience.PUBLIC),
    ]
    assert [room.channel for room in rooms_of([KIT], outsider, "local", "zoe")] == [
        "@zoe",
        "social",
    ]
    assert [room.channel for room in rooms_of([KIT], member, "slack", "U1")] == ["@U1"]


def picture(width: int, height: int, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), "teal").save(out, "PNG")
    return out.getvalue()


def test_thumbnails_keep_the_shape_and_lose_the_rest() -> None:
    with Image.open(io.BytesIO(shrink(picture(900, 300), 320))) as small:
        assert small.format == "WEBP"
        assert small.size == (320, 107)
        assert not small.info.get("exif")
    with Image.open(io.BytesIO(shrink(picture(100, 50), 320))) as small:
        assert small.size == (100, 50)


async def test_a_thumbnail_is_made_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(data: bytes, side: int) -> bytes:
        made.append(side)
        return shrink(data, side)

    monkeypatch.setattr("bot.web.thumbs.shrink", counted)
    blobs = MemoryBlobs()
    thumbs = Thumbs(blobs)
    sha256 = await blobs.put(picture(900, 300))
    all_of_them = await asyncio.gather(*(thumbs.get(sha256, 320) for _ in range(5)))
    await thumbs.get(sha256, 320)
    assert len(set(all_of_them)) == 1
    assert made == [320]
    with pytest.raises(NotFound):
        await thumbs.get("0" * 64, 320)


async def test_old_thumbnails_make_room_for_new_ones() -> None:
    blobs = MemoryBlobs()
    thumbs = Thumbs(blobs, max_bytes=1)
    for width in (400, 500, 600):
        await thumbs.get(await blobs.put(picture(width, 300)), 320)
    assert len(thumbs._kept) == 1


async def test_every_stream_ends_at_the_stop() -> None:
    streams, signals = Streams(), MemorySignals()
    got: asyncio.Queue[Signal | None] = asyncio.Queue()

    async def follow() -> None:
        async with signals.subscribe() as stream:
            async for signal in streams.until_stopped(stream, every_s=60):
                got.put_nowait(signal)

    tasks = [asyncio.create_task(follow()) for _ in range(3)]
    await until(lambda: streams.open == 3)
    signals.publish(Signal(topic="queue", kind="added", data={}))
    for _ in tasks:
        signal = await asyncio.wait_for(got.get(), ENOUGH_S)
        assert signal is not None
        assert signal.topic == "queue"
    streams.stop()
    await asyncio.wait_for(asyncio.gather(*tasks), ENOUGH_S)
    assert got.empty()
    assert streams.open == 0
    await asyncio.wait_for(follow(), ENOUGH_S)


@asynccontextmanager
async def stream_of(portal: Portal, who: str) -> AsyncIterator[EventStream]:
    """The portal's events as this person gets them, once signals reach the stream."""
    async with portal.browser(who) as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    async with open_stream(portal.app, "/events", {"cookie": cookie}) as stream:
        assert await told(stream) == "hello"
        await until(lambda: portal.app.state.site.streams.open > 0)
        yield stream


async def told(stream: EventStream) -> object:
    """The type of the next event."""
    event = await stream.next()
    return event and event.data["type"]


async def test_a_stream_tells_what_its_visitor_may_see_and_nothing_else(portal: Portal) -> None:
    house = portal.town.house
    async with stream_of(portal, "ana") as stream:
        for channel, only_for in (("@mia", ""), ("drafts", "mia"), ("drafts", "ana")):
            data = {"channel": channel, "message": f"{channel}-{only_for}", "only_for": only_for}
            house.signals.publish(Signal(topic=f"channel:{channel}", kind="message", data=data))
        house.signals.publish(Signal(topic="outbox", kind="added", data={}))
        house.signals.publish(Signal(topic="reviews", kind="changed", data={}))
        first = await stream.next()
        assert first is not None
        assert first.data == {"type": "message", "channel": "drafts", "id": "drafts-ana"}
        assert await told(stream) == "reviews"


async def test_progress_of_private_jobs_goes_to_their_requester_alone(portal: Portal) -> None:
    house = portal.town.house
    async with portal.browser("mia") as client:
        await client.post("/chat/me", data={"text": "/imagine a secret mug --private"})
    async with house.store.read() as tx:
        job = (await tx.jobs.unfinished())[0]
    house.live.put(job.id, LiveProgress(fraction=0.5))
    async with stream_of(portal, "ana") as stream:
        house.signals.publish(Signal(topic=f"job:{job.id}", kind="progress", data={}))
        house.signals.publish(Signal(topic="reviews", kind="changed", data={}))
        assert await told(stream) == "reviews"


async def test_a_stream_ends_with_the_rights_that_it_was_opened_with(portal: Portal) -> None:
    house, town = portal.town.house, portal.town
    async with stream_of(portal, "ana") as stream:
        async with house.store.write() as tx:
            ana = await tx.people.get(town.people["ana"].id)
            await tx.people.update(replace(ana, active=False), was=ana)
        town.clock.jump(60)
        house.signals.publish(Signal(topic="reviews", kind="changed", data={}))
        assert await stream.next() is None
