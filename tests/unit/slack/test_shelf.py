"""Our pictures as files in Slack: uploaded once, shown when Slack has looked at them."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from PIL import Image

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.outgoing.files import AT_ONCE_S, LEFT, READY_S, Shelf
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import ChatUnavailable
from brand.spec import sha256_hex
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from storage.memory_blobs import MemoryBlobs
from tests.fakes.clock import DrivenClock
from tests.fakes.slack_forms import FormDesk, form_desk
from tests.fakes.slack_webs import Answer, FakeWebs
from tests.fakes.uploads import png
from tests.fakes.waiting import until

T = TypeVar("T")
READY: Answer = {"file": {"mimetype": "image/png"}}
NOT_YET: Answer = {"file": {"mimetype": ""}}


def gone(code: str = "file_not_found") -> SlackRefused:
    """Slack no longer has it."""
    return SlackRefused("No such file.", code=code)


class ReadBlobs(MemoryBlobs):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    async def get(self, sha256: str) -> bytes:
        """See the port."""
        data = await super().get(sha256)
        self.read += 1
        return data


@dataclass
class Bench:
    """A shelf on memory, in a Slack that answers `files.info` from a list, the last for ever."""

    infos: list[Answer]
    deleted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = DrivenClock()
        self.webs = FakeWebs(self._answer)
        self.store = MemoryStore()
        self.blobs = ReadBlobs()
        self.shelf = Shelf(store=self.store, blobs=self.blobs, clock=self.clock, webs=self.webs)

    @property
    def uploads(self) -> list[tuple[bytes, str, str]]:
        """What was uploaded."""
        return self.webs.one.uploads

    async def shown(self, blob: str) -> str | None:
        """`shown`, as often as it says, with the time driven as far as it may take."""
        return await self.driven(self.shelf.awaited("T1", blob, "A mug"))

    async def driven(self, wanted: Awaitable[T], *, step_s: float = READY_S) -> T:
        """Drive the time on whenever somebody waits for it, but not while a picture that was read
        is made ready in a thread, which takes time of its own."""
        task = asyncio.ensure_future(wanted)
        while not task.done():
            await until(lambda: task.done() or (self.clock.sleeping and self._is_waiting))
            await self.clock.advance(step_s)
        return await task

    @property
    def _is_waiting(self) -> bool:
        return self.webs.one.begun >= self.blobs.read

    def _answer(self, method: Method, arguments: dict[str, Any]) -> Answer:
        if method is Method.FILES_DELETE:
            self.deleted.append(arguments["file"])
            return {}
        assert method is Method.FILES_INFO
        return self.infos.pop(0) if len(self.infos) > 1 else self.infos[0]


async def test_a_picture_is_waited_for_and_uploaded_once() -> None:
    bench = Bench([NOT_YET, NOT_YET, READY])
    blob = await bench.blobs.put(png())
    assert await bench.shown(blob) == "F1"
    assert await bench.shown(blob) == "F1"
    ((data, name, alt),) = bench.uploads
    assert data == png()  # the very bytes, with the label that is in them
    assert name.endswith(".png")
    assert alt == "A mug"
    assert bench.webs.one.calls == [Method.FILES_INFO] * 3


async def test_several_who_want_it_at_once_upload_it_once() -> None:
    bench = Bench([NOT_YET, READY])
    blob = await bench.blobs.put(png())
    wanted = [bench.shelf.shown("T1", blob, "A mug") for _ in range(5)]
    assert await bench.driven(asyncio.gather(*wanted)) == ["F1"] * 5
    assert len(bench.uploads) == 1


async def test_nobody_waits_longer_than_a_second_for_a_picture() -> None:
    bench = Bench([NOT_YET])
    blob, began = await bench.blobs.put(png()), bench.clock.now()
    with pytest.raises(ChatUnavailable) as later:
        await bench.driven(bench.shelf.shown("T1", blob, "A mug"), step_s=0.05)
    assert later.value.queued
    assert (bench.clock.now() - began).total_seconds() <= AT_ONCE_S + 0.1


async def test_an_upload_that_takes_its_time_holds_nobody_up_and_is_made_once() -> None:
    bench = Bench([READY])
    blob = await bench.blobs.put(png())
    bench.webs.one.uploading.clear()
    for _ in range(3):
        with pytest.raises(ChatUnavailable) as later:
            await bench.driven(bench.shelf.shown("T1", blob, "A mug"), step_s=AT_ONCE_S)
        assert later.value.queued
    bench.webs.one.uploading.set()
    assert await bench.shown(blob) == "F1"
    assert len(bench.uploads) == 1


async def test_how_an_upload_ended_is_told_to_whoever_asks_next() -> None:
    bench = Bench([READY])
    blob = await bench.blobs.put(png())
    bench.webs.one.uploading.clear()
    with pytest.raises(ChatUnavailable):
        await bench.driven(bench.shelf.shown("T1", blob, "A mug"), step_s=AT_ONCE_S)
    bench.webs.one.breaks_off = True
    bench.webs.one.uploading.set()
    with pytest.raises(ChatUnavailable) as failed:
        await bench.shown(blob)
    assert not failed.value.queued
    bench.webs.one.breaks_off = False
    assert await bench.shown(blob) == "F1"


async def test_a_picture_that_gets_ready_late_is_asked_about_a_few_times_only() -> None:
    bench = Bench([NOT_YET])
    blob, began = await bench.blobs.put(png()), bench.clock.now()
    assert await bench.driven(bench.shelf.awaited("T1", blob, "A mug"), step_s=0.1) is None
    assert (bench.clock.now() - began).total_seconds() == pytest.approx(READY_S, abs=0.5)
    assert len(bench.webs.one.calls) <= 12


async def test_at_the_end_what_is_under_way_is_broken_off() -> None:
    bench = Bench([NOT_YET])
    blob = await bench.blobs.put(png())
    bench.webs.one.uploading.clear()
    with pytest.raises(ChatUnavailable):
        await bench.driven(bench.shelf.shown("T1", blob, "A mug"), step_s=AT_ONCE_S)
    await bench.shelf.finish()
    assert bench.uploads == []


async def test_after_ten_seconds_the_card_goes_without_it_and_the_upload_is_kept() -> None:
    bench = Bench([NOT_YET])
    blob = await bench.blobs.put(png())
    assert await bench.shown(blob) is None
    bench.infos[:] = [READY]
    assert await bench.shown(blob) == "F1"
    assert len(bench.uploads) == 1


@pytest.mark.parametrize("code", ["file_not_found", "file_deleted"])
async def test_what_somebody_deleted_before_it_was_ready_is_uploaded_anew(code: str) -> None:
    bench = Bench([NOT_YET])
    blob = await bench.blobs.put(png())
    assert await bench.shown(blob) is None
    bench.infos[:] = [gone(code), READY]
    assert await bench.shown(blob) == "F2"


async def test_what_slack_would_not_show_is_uploaded_anew() -> None:
    bench = Bench([READY])
    blob = await bench.blobs.put(png())
    assert await bench.shown(blob) == "F1"
    await bench.shelf.refused("T1", blob)
    assert await bench.shown(blob) == "F2"


async def test_a_rate_in_the_way_is_waited_for_within_the_ten_seconds() -> None:
    bench = Bench([ChatUnavailable("Wait.", retry_after_s=3, queued=True), READY])
    blob = await bench.blobs.put(png())
    assert await bench.shown(blob) == "F1"


async def test_a_longer_rate_lets_the_card_come_back_and_uploads_nothing_twice() -> None:
    bench = Bench([ChatUnavailable("Wait.", retry_after_s=30, queued=True), READY])
    blob = await bench.blobs.put(png())
    with pytest.raises(ChatUnavailable):
        await bench.shelf.shown("T1", blob, "A mug")
    assert await bench.shown(blob) == "F1"
    assert len(bench.uploads) == 1


async def test_a_card_does_not_go_without_its_picture_because_of_a_rate() -> None:
    bench = Bench([NOT_YET] * 5 + [ChatUnavailable("Wait.", retry_after_s=1, queued=True)])
    blob = await bench.blobs.put(png())
    with pytest.raises(ChatUnavailable):
        await bench.driven(bench.shelf.awaited("T1", blob, "A mug"), step_s=0.25)
    bench.infos[:] = [READY]
    assert await bench.shown(blob) == "F1"
    assert len(bench.uploads) == 1


async def test_a_slack_that_takes_no_files_still_gets_the_card() -> None:
    bench = Bench([READY])
    bench.webs.one.refuses_files = "missing_scope"
    assert await bench.shown(await bench.blobs.put(png())) is None


async def test_a_picture_that_is_gone_is_left_out() -> None:
    bench = Bench([READY])
    assert await bench.shown(sha256_hex(b"erased")) is None
    assert bench.uploads == []


async def test_webp_is_shown_as_a_png_of_the_same_pixels() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "WEBP", lossless=True)
    bench = Bench([READY])
    assert await bench.shown(await bench.blobs.put(out.getvalue())) == "F1"
    ((data, name, _),) = bench.uploads
    assert name.endswith(".png")
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        assert image.convert("RGB").getpixel((0, 0)) == (0, 128, 128)


async def test_jpeg_goes_as_it_is() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "JPEG")
    bench = Bench([READY])
    await bench.shown(await bench.blobs.put(out.getvalue()))
    assert bench.uploads[0][0] == out.getvalue()
    assert bench.uploads[0][1].endswith(".jpg")


async def test_a_preview_is_forgotten_with_its_file_and_goes_where_it_was_too_late() -> None:
    bench = Bench([READY])
    assert await bench.shelf.temporary("T1", png(), "So far") == "F1"
    await bench.shelf.discard("T1", "F1")
    bench.infos[:] = [NOT_YET]
    assert await bench.driven(bench.shelf.temporary("T1", png(), "So far")) is None
    assert bench.deleted == ["F1", "F2"]
    async with bench.store.read() as tx:
        assert await tx.sent_files.by_file("slack", "T1", "F1") is None


async def test_a_preview_that_a_dead_process_left_is_taken_away_later() -> None:
    bench = Bench([READY])
    await bench.shown(await bench.blobs.put(png()))
    assert await bench.shelf.temporary("T1", png(), "So far") == "F2"
    bench.clock.jump(LEFT.total_seconds())
    assert await bench.shelf.temporary("T1", png(), "Newer") == "F3"
    await bench.shelf.sweep()
    assert bench.deleted == []
    bench.clock.jump(1)
    heir = Shelf(store=bench.store, blobs=bench.blobs, clock=bench.clock, webs=bench.webs)
    for _ in range(2):
        await heir.sweep()
        assert bench.deleted == ["F2"], "and neither the newer one nor a stored picture"


async def test_a_preview_comes_and_goes_though_the_records_are_away() -> None:
    bench = Bench([READY])
    shelf = Shelf(store=_Away(), blobs=bench.blobs, clock=bench.clock, webs=bench.webs)
    assert await shelf.temporary("T1", png(), "So far") == "F1"
    await shelf.discard("T1", "F1")
    assert bench.deleted == ["F1"]


class _Away(MemoryStore):
    """A store whose database does not answer."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        """See the port."""
        raise StoreUnavailable("The database does not answer.")
        yield


# -------------------------------------------------------------------------- the strict Slack


@pytest.fixture
async def desk() -> AsyncIterator[FormDesk]:
    """A Slack that takes a tenth of a second to look at a file."""
    async with form_desk(processing_s=0.1) as running:
        yield running


async def test_slack_shows_what_the_shelf_gives(desk: FormDesk) -> None:
    house = desk.town.house
    shelf = Shelf(store=house.store, blobs=house.blobs, clock=desk.clock, webs=desk.webs)
    file = await shelf.awaited("", await house.blobs.put(png()), "A mug")
    web = await desk.webs.web("T1")
    await web.call(
        Method.CHAT_POST_MESSAGE,
        place="C0DRAFTS",
        channel="C0DRAFTS",
        text="A mug",
        blocks=[{"type": "image", "slack_file": {"id": file}, "alt_text": "A mug"}],
    )
    (message,) = desk.slack.messages("C0DRAFTS")
    assert message.blocks[0]["slack_file"] == {"id": file}
    assert desk.slack.world.files[str(file)].data == png()
    await shelf.discard("T1", str(file))
    assert desk.slack.world.files[str(file)].deleted
    await shelf.discard("T1", str(file))
