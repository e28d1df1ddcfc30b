"""SlackChat against the strict Slack: cards in place, notes for one person, posts once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.outgoing.chat import SlackChat
from bot.chat.slack_chat.outgoing.files import Shelf
from bot.chat.slack_chat.outgoing.posting import READY_S
from bot.chat.slack_chat.outgoing.webs import SlackWebs
from bot.chat.slack_chat.web import SlackRefused
from bot.clock import SystemClock
from bot.core.errors import ChatAmbiguous, ChatIncomplete, ChatRejected, ChatUnavailable
from bot.core.ids import new_id
from bot.core.messages import Button, Card, ChannelRef, Field, MessageRef, PictureRef
from bot.core.ports import Outgoing
from bot.core.publications import Publication
from brand.spec import sha256_hex
from storage.memory import MemoryStore
from storage.memory_blobs import MemoryBlobs
from tests.fakes.clock import DrivenClock
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.state import Message
from tests.fakes.waiting import until


class RunningClock(SystemClock):
    """The system's, which a test may put on: the time then runs on from there."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Aware UTC."""
        return super().now() + self.ahead

    def jump(self, seconds: float) -> None:
        """Put it on."""
        self.ahead += timedelta(seconds=seconds)


CLOCK = RunningClock()
DRAFTS = ChannelRef(platform="slack", channel="C0DRAFTS", team="T1")
SOCIAL = ChannelRef(platform="slack", channel="C0SOCIAL", team="T1")
MIA = ChannelRef(platform="slack", channel="@U0MIA", team="T1")


def picture(kind: str = "PNG", colour: str = "teal") -> bytes:
    data = BytesIO()
    Image.new("RGB", (32, 32), colour).save(data, kind)
    return data.getvalue()


PNG, WEBP = picture(), picture("WEBP")


class SlowShelf:
    """Slack never gets ready with a file."""

    def __init__(self) -> None:
        self.plain: set[tuple[str, ...]] = set()

    async def follows(self, team: str, channel: str, thread: str, blob: str) -> bool:
        """Whether it was noted."""
        return (team, channel, thread, blob) in self.plain

    async def followed(self, team: str, channel: str, thread: str, blob: str, file: str) -> None:
        """Note it."""
        self.plain.add((team, channel, thread, blob))

    async def shown(self, team: str, blob: str, alt: str) -> str | None:
        """None."""
        return None

    async def refused(self, team: str, blob: str) -> None:
        """Nothing to forget."""


@dataclass
class Place:
    """A Slack, our chat in it, and where our pictures lie."""

    slack: FakeSlack
    chat: SlackChat
    blobs: MemoryBlobs
    webs: SlackWebs

    def with_slow_files(self) -> SlackChat:
        """Our chat where no picture gets ready."""
        return SlackChat(webs=self.webs, shelf=SlowShelf(), blobs=self.blobs, clock=CLOCK)

    async def card(self, *datas: bytes, subject: str = "job:1", title: str = "a red mug") -> Card:
        refs = [
            PictureRef(
                asset=f"a{n}", blob=await self.blobs.put(d), alt="a mug", width=32, height=32,
                number=n,
            )
            for n, d in enumerate(datas, 1)
        ]  # fmt: skip
        buttons = (Button(label="Cancel", action="cancel:1"),)
        return Card(kind="job", title=title, subject=subject, pictures=tuple(refs), buttons=buttons)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with FakeSlack(now=lambda: CLOCK.now().timestamp(), processing_s=0) as slack:
        options = SlackOptions(
            mode=Mode.HTTP,
            base_url="http://house",
            api_base_url=slack.api_url,
            bot_token=slack.bot_token,
        )
        store, blobs = MemoryStore(), MemoryBlobs()
        async with SlackWebs(options, store=store, clock=CLOCK) as webs:
            shelf = Shelf(store=store, blobs=blobs, clock=CLOCK, webs=webs)
            chat = SlackChat(webs=webs, shelf=shelf, blobs=blobs, clock=CLOCK)
            yield Place(slack, chat, blobs, webs)
        assert slack.violations == []


def outgoing(card: Card, target: ChannelRef = DRAFTS, **more: object) -> Outgoing:
    message = Outgoing(id=new_id(), target=target, card=card, created_at=CLOCK.now())
    return replace(message, **more)  # type: ignore[arg-type]


def publication(**more: object) -> Publication:
    made = Publication(
        id=new_id(),
        asset="a1",
        review="r1",
        brand="acme",
        rendition="png",
        file_hash=sha256_hex(PNG),
        pixel_hash="p",
        target=SOCIAL,
        caption="Good <!channel> morning",
        requested_by="mia",
        due_at=CLOCK.now(),
        created_at=CLOCK.now(),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def picture_of(colour: str) -> bytes:
    return picture(colour=colour)


def back(message: Outgoing, less: ChatIncomplete) -> Outgoing:
    """The message as it comes back."""
    return replace(message, sent=less.sent, update=less.sent)


async def whole(chat: SlackChat, message: Outgoing) -> MessageRef:
    """Send it as the outbox does, until all of it stands."""
    for _ in range(20):
        try:
            return await chat.send(message)
        except ChatIncomplete as exc:
            message = back(message, exc)
            CLOCK.jump(exc.retry_after_s)
        except ChatUnavailable as exc:
            if not exc.queued:
                raise
            CLOCK.jump(exc.retry_after_s)
    raise AssertionError("it never stands as it should")


def files_in(message: Message) -> list[str]:
    """Ids of the files that its image blocks show."""
    return [b["slack_file"]["id"] for b in message.blocks if b["type"] == "image"]


# ------------------------------------------------------------------------------------------ cards


async def test_a_card_stands_with_its_own_id_its_picture_and_a_text(place: Place) -> None:
    message = outgoing(await place.card(PNG))
    ref = await place.chat.send(message)
    (standing,) = place.slack.messages("C0DRAFTS")
    assert ref == MessageRef(
        platform="slack",
        channel="C0DRAFTS",
        message=standing.ts,
        team="T1",
        link=f"https://acme.slack.com/archives/C0DRAFTS/p{standing.ts.replace('.', '')}",
    )
    assert standing.id == message.id
    assert "a red mug" in standing.text
    (file,) = files_in(standing)
    assert place.slack.world.files[file].data == PNG


async def test_a_card_changes_in_place_and_keeps_its_blocks_and_its_id(place: Place) -> None:
    message = outgoing(await place.card())
    ref = await place.chat.send(message)
    done = outgoing(await place.card(PNG, title="a blue mug"), update=ref)
    assert await place.chat.send(done) == ref
    (standing,) = place.slack.messages("C0DRAFTS")
    assert standing.id == message.id
    assert "a blue mug" in standing.text
    assert files_in(standing)


@pytest.mark.parametrize("word", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_a_card_that_cant_be_changed_any_more_is_put_up_anew(place: Place, word: str) -> None:
    ref = await place.chat.send(outgoing(await place.card()))
    place.slack.troubles.add("chat.update", "refuse", error=word)
    again = outgoing(await place.card(), update=ref)
    new = await place.chat.send(again)
    assert new.message != ref.message
    assert place.slack.messages("C0DRAFTS")[-1].id == again.id


async def test_a_deleted_card_is_put_up_anew(place: Place) -> None:
    ref = await place.chat.send(outgoing(await place.card()))
    await place.chat.delete(ref)
    await place.chat.send(outgoing(await place.card(), update=ref))
    assert len(place.slack.messages("C0DRAFTS")) == 1


async def test_a_card_goes_into_its_thread(place: Place) -> None:
    root = await place.chat.send(outgoing(await place.card()))
    target = replace(DRAFTS, thread=root.message)
    ref = await place.chat.send(outgoing(await place.card(subject=""), target))
    assert place.slack.messages("C0DRAFTS")[-1].thread == root.message
    assert f"thread_ts={root.message}" in ref.link


async def test_an_answer_to_a_thread_that_is_gone_stands_in_the_channel(place: Place) -> None:
    target = replace(DRAFTS, thread="1700000000.000001")
    ref = await place.chat.send(outgoing(await place.card(), target))
    (standing,) = place.slack.messages("C0DRAFTS")
    assert (standing.ts, standing.thread) == (ref.message, "")
    assert "thread_ts" not in ref.link


async def test_a_card_goes_without_its_picture_where_files_are_not_allowed(place: Place) -> None:
    scopes = place.slack.world.tokens[place.slack.bot_token].scopes
    place.slack.world.tokens[place.slack.bot_token].scopes = scopes - {"files:read"}
    message = outgoing(await place.card(PNG))
    await place.chat.send(message)
    assert place.slack.messages("C0DRAFTS")[0].id == message.id


async def test_a_persons_direct_line_is_opened_once(place: Place) -> None:
    first = await place.chat.send(outgoing(await place.card(), MIA))
    second = await place.chat.send(outgoing(await place.card(subject="job:2"), MIA))
    assert first.channel == second.channel
    assert first.channel.startswith("D")
    assert len(place.slack.called("conversations.open")) == 1
    changed = await place.chat.send(outgoing(await place.card(), MIA, update=first))
    assert changed == first


async def test_one_picture_is_uploaded_once_for_all_its_cards(place: Place) -> None:
    card = await place.card(PNG)
    ref = await place.chat.send(outgoing(card))
    await place.chat.send(outgoing(card, update=ref))
    await place.chat.send(outgoing(card, MIA))
    assert len(place.slack.called("files.completeUploadExternal")) == 1


async def test_a_file_that_slack_forgot_is_left_out_follows_in_the_thread_and_is_back_next_time(
    place: Place,
) -> None:
    card = await place.card(PNG, picture(colour="red"))
    await place.chat.send(outgoing(card, MIA))
    first = card.pictures[0].blob
    for file in place.slack.world.files.values():
        file.deleted = sha256_hex(file.data) == first
    ref = await place.chat.send(outgoing(card))
    standing, plain = place.slack.messages("C0DRAFTS")
    assert len(files_in(standing)) == 1
    assert plain.thread == standing.ts
    assert "draft" in plain.text
    assert sha256_hex(place.slack.world.files[plain.files[0]].data) == first
    await place.chat.send(outgoing(card, update=ref))
    standing, _ = place.slack.messages("C0DRAFTS")
    assert len(files_in(standing)) == 2


async def test_a_change_with_a_file_that_slack_forgot_comes_back_with_the_picture(
    place: Place,
) -> None:
    card = await place.card(PNG)
    ref = await place.chat.send(outgoing(card))
    (file,) = place.slack.world.files.values()
    file.deleted = True
    with pytest.raises(ChatUnavailable) as later:  # one message changes every few seconds
        await place.chat.send(outgoing(card, update=ref))
    assert later.value.queued
    CLOCK.jump(later.value.retry_after_s)
    await place.chat.send(outgoing(card, update=ref))
    (standing,) = place.slack.messages("C0DRAFTS")
    (shown,) = files_in(standing)
    assert not place.slack.world.files[shown].deleted


async def test_pictures_that_never_get_ready_all_follow_as_files_once(place: Place) -> None:
    """Also in a thread where much is said, and where the second card comes a day later."""
    colours = ("red", "blue", "green", "teal")
    chat, card = place.with_slow_files(), await place.card(*map(picture_of, colours))
    ref = await whole(chat, outgoing(card))
    assert len(place.slack.messages("C0DRAFTS")) == 1 + len(colours)
    looks = len(place.slack.called("conversations.replies"))
    said = place.slack.channel("C0DRAFTS").messages
    for number in range(1, 121):
        for after in (number * 1e-6, number):
            ts = f"{float(ref.message) + after:.6f}"
            said[ts] = replace(said[ref.message], ts=ts, thread=ref.message)
    await whole(chat, outgoing(card, update=ref))
    assert len(place.slack.called("conversations.replies")) == looks
    assert len(place.slack.called("files.completeUploadExternal")) == len(colours)


async def test_a_file_whose_arrival_was_not_told_does_not_follow_twice(place: Place) -> None:
    chat, message = place.with_slow_files(), outgoing(await place.card(PNG))
    place.slack.troubles.add("files.completeUploadExternal", "lost", kept=True)
    ref = await whole(chat, message)
    standing, plain = place.slack.messages("C0DRAFTS")
    assert standing.ts == ref.message
    assert files_in(standing) == []
    assert plain.thread == standing.ts
    assert "a red mug" in standing.text


async def test_a_card_stands_while_its_picture_cant_follow(place: Place) -> None:
    chat, message = place.with_slow_files(), outgoing(await place.card(PNG))
    place.slack.troubles.add("files.getUploadURLExternal", "500")
    with pytest.raises(ChatIncomplete) as less:
        await chat.send(message)
    (standing,) = place.slack.messages("C0DRAFTS")
    assert (standing.id, standing.ts) == (message.id, less.value.sent.message)
    await whole(chat, back(message, less.value))
    assert len(place.slack.messages("C0DRAFTS")) == 2


async def test_a_card_stands_while_slack_takes_no_files_and_gets_its_picture_after_that(
    place: Place,
) -> None:
    place.slack.troubles.add("files.getUploadURLExternal", "500", times=3)
    message = outgoing(await place.card(PNG), MIA)
    waits = []
    for attempts in (0, 4):
        with pytest.raises(ChatIncomplete) as less:
            await place.chat.send(replace(message, attempts=attempts))
        waits.append(less.value.retry_after_s)
        assert not less.value.queued
        message = back(message, less.value)
    assert waits == [5, 16]
    assert place.slack.called("chat.update") == []  # there is nothing new to show
    ref = await whole(place.chat, message)
    (standing,) = place.slack.messages(ref.channel)
    assert files_in(standing)


async def test_a_card_does_not_wait_for_a_picture_that_slack_looks_at(place: Place) -> None:
    place.slack.world.processing_s = 5.0
    message = outgoing(await place.card(PNG))
    with pytest.raises(ChatIncomplete) as less:
        await place.chat.send(message)
    assert less.value.queued
    assert files_in(place.slack.messages("C0DRAFTS")[0]) == []
    assert await whole(place.chat, back(message, less.value)) == less.value.sent
    (standing,) = place.slack.messages("C0DRAFTS")
    assert files_in(standing)
    assert len(place.slack.called("chat.update")) == 1


async def test_a_note_that_went_to_the_direct_line_gets_its_picture_there(place: Place) -> None:
    place.slack.world.processing_s = 5.0
    card = await place.card(PNG, subject="")
    message = outgoing(card, replace(DRAFTS, channel="C0OTHER"), only_for="U0MIA")
    ref = await whole(place.chat, message)
    (standing,) = place.slack.messages(ref.channel)
    assert ref.channel.startswith("D")
    assert files_in(standing)


async def test_a_layout_that_slack_refuses_is_said_in_words(place: Place) -> None:
    place.slack.troubles.add("chat.postMessage", "refuse", error="invalid_blocks")
    await place.chat.send(outgoing(await place.card()))
    (standing,) = place.slack.messages("C0DRAFTS")
    assert standing.blocks == []
    assert "a red mug" in standing.text


@pytest.mark.parametrize("times", [1, 2])
async def test_a_card_that_is_too_long_for_slack_is_said_with_fewer_words(
    place: Place, times: int
) -> None:
    """Then without a layout. Its pictures are not at fault, and are not uploaded again."""
    said = ("Mia asks for #social", "Posted with: “hello”", "Template product")
    measured = (Field(label="Sharpness", value="0.9"),)
    card = replace(await place.card(PNG), lines=said, fields=measured)
    place.slack.troubles.add("chat.postMessage", "refuse", error="msg_blocks_too_long", times=times)
    message = outgoing(card)
    if times == 1:
        await place.chat.send(message)
    else:
        with pytest.raises(ChatIncomplete):
            await place.chat.send(message)
    standing = place.slack.messages("C0DRAFTS")[0]
    assert "a red mug" in standing.text
    assert "Sharpness" not in str(standing.blocks)
    assert ("cancel:1" in str(standing.blocks)) is (times == 1)
    shown = [line in str(standing.blocks) for line in said]
    assert shown == ([True, True, False] if times == 1 else [False] * 3), "what goes out is read"
    assert (len(files_in(standing)) == 1) is (times == 1)
    CLOCK.jump(10)
    await place.chat.send(outgoing(replace(card, fields=())))
    assert len([file for file in place.slack.world.files.values() if file.shown]) == 1


async def test_a_picture_that_is_gone_from_the_archive_does_not_stop_its_card(place: Place) -> None:
    card = await place.card(PNG)
    await place.blobs.remove(card.pictures[0].blob)
    await place.chat.send(outgoing(card))
    assert len(place.slack.messages("C0DRAFTS")) == 1


# ---------------------------------------------------------------------------- notes for one person


async def test_a_note_is_seen_by_one_person_and_has_no_picture(place: Place) -> None:
    card = replace(await place.card(PNG, subject=""), private=True)
    ref = await place.chat.send(outgoing(card, only_for="U0MIA"))
    assert place.slack.messages("C0DRAFTS") == []
    (note,) = place.slack.channel("C0DRAFTS").ephemerals
    assert (note.only_for, note.ts) == ("U0MIA", ref.message)
    assert files_in(note) == []


async def test_a_note_in_a_thread_stays_in_the_thread(place: Place) -> None:
    root = await place.chat.send(outgoing(await place.card()))
    target = replace(DRAFTS, thread=root.message)
    await place.chat.send(outgoing(await place.card(subject=""), target, only_for="U0MIA"))
    (note,) = place.slack.channel("C0DRAFTS").ephemerals
    assert note.thread == root.message


@pytest.mark.parametrize("channel", ["C0OTHER", "C0NOWHERE"])
async def test_a_note_where_the_app_is_not_goes_to_the_direct_line(
    place: Place, channel: str
) -> None:
    target = replace(DRAFTS, channel=channel)
    message = outgoing(await place.card(subject=""), target, only_for="U0MIA")
    ref = await place.chat.send(message)
    assert ref.channel.startswith("D")
    (standing,) = place.slack.messages(ref.channel)
    assert standing.id == message.id


async def test_a_note_for_somebody_outside_the_channel_goes_to_the_direct_line(
    place: Place,
) -> None:
    place.slack.channel("C0DRAFTS").members.discard("U0MIA")
    message = outgoing(await place.card(subject=""), only_for="U0MIA")
    assert (await place.chat.send(message)).channel.startswith("D")


async def test_a_note_that_slack_refuses_for_any_reason_goes_to_the_direct_line(
    place: Place,
) -> None:
    place.slack.troubles.add("chat.postEphemeral", "refuse", error="channel_is_limited_access")
    message = outgoing(await place.card(subject=""), only_for="U0MIA")
    assert (await place.chat.send(message)).channel.startswith("D")


async def test_a_note_that_waits_at_slacks_rate_is_not_overtaken_by_later_ones(
    place: Place,
) -> None:
    card = await place.card(subject="")

    async def wait_of(message: Outgoing) -> float:
        try:
            await place.chat.send(message)
        except ChatUnavailable as exc:
            return exc.retry_after_s
        return 0.0

    waiting = []
    while len(waiting) < 3:
        note = outgoing(card, only_for="U0MIA")
        if wait := await wait_of(note):
            waiting.append((note, wait))
    (_, first), (_, second), (last, third) = waiting
    assert second == pytest.approx(2 * first, rel=0.3)
    assert third == pytest.approx(3 * first, rel=0.3)
    for _ in range(3):
        assert await wait_of(last) == pytest.approx(third, rel=0.3)


async def test_an_upload_that_waits_at_slacks_rate_is_not_overtaken_by_later_ones(
    place: Place,
) -> None:
    web = await place.webs.web("T1")
    while place.webs.throttle.turn("T1", Method.FILES_GET_UPLOAD_URL) < 0.55:
        pass
    waits = []
    for name in ("a.png", "b.png", "a.png"):
        with pytest.raises(ChatUnavailable) as later:
            await web.upload(PNG, name=name, title="", alt="")
        waits.append(later.value.retry_after_s)
    first, second, again = waits
    assert second > first + 0.3
    assert again == pytest.approx(first, abs=0.3)


async def test_a_note_whose_answer_is_lost_is_said_again_rather_than_never(place: Place) -> None:
    place.slack.troubles.add("chat.postEphemeral", "lost")
    message = outgoing(await place.card(subject=""), only_for="U0MIA")
    with pytest.raises(ChatUnavailable):
        await place.chat.send(message)
    await place.chat.send(message)
    assert len(place.slack.channel("C0DRAFTS").ephemerals) == 2


# ------------------------------------------------------------------------------------------ posts


async def test_a_post_has_exactly_the_approved_bytes_and_its_words_call_nobody(
    place: Place,
) -> None:
    due = publication()
    place.slack.world.processing_s = 0.05
    ref = await place.chat.post(due, PNG, "image/png", "a red mug")
    (standing,) = place.slack.messages("C0SOCIAL")
    assert (standing.ts, standing.id) == (ref.message, due.id)
    (file,) = files_in(standing)
    kept = place.slack.world.files[file]
    assert (kept.data, kept.name) == (PNG, f"hs-{due.id}.png")
    assert "a red mug" in str(standing.blocks)
    assert "<!channel>" not in standing.text + str(standing.blocks)


@pytest.mark.parametrize("refused", [True, False])
async def test_what_slack_cant_show_is_posted_as_a_file(place: Place, *, refused: bool) -> None:
    due = publication()
    if refused:
        place.slack.troubles.add("chat.postMessage", "refuse", error="invalid_blocks")
        data, mime, ending = PNG, "image/png", "png"
    else:
        data, mime, ending = WEBP, "image/webp", "webp"
    ref = await place.chat.post(due, data, mime, "a red mug")
    (standing,) = place.slack.messages("C0SOCIAL")
    assert standing.ts == ref.message
    (file,) = standing.files
    kept = place.slack.world.files[file]
    assert (kept.data, kept.name, kept.alt) == (data, f"hs-{due.id}.{ending}", "a red mug")
    assert "<!channel>" not in standing.text
    left = [f for f in place.slack.world.files.values() if not f.deleted]
    assert left == [kept]


async def test_a_file_that_never_gets_ready_is_posted_plainly_and_found_by_its_name(
    place: Place,
) -> None:
    due, clock = publication(), DrivenClock()
    place.slack.world.processing_s = 3600.0
    chat = SlackChat(webs=place.webs, shelf=SlowShelf(), blobs=place.blobs, clock=clock)

    async def post() -> None:
        while True:
            try:
                await chat.post(due, PNG, "image/png", "a red mug")
            except ChatUnavailable as exc:
                await clock.sleep(exc.retry_after_s)

    posting = asyncio.create_task(post())
    while not posting.done():
        await until(lambda: posting.done() or clock.sleeping)
        await clock.advance(READY_S / 10)
    assert isinstance(posting.exception(), ChatAmbiguous)  # Slack doesn't say where it stands
    (standing,) = place.slack.messages("C0SOCIAL")
    (found,) = await chat.look_up(due.id, SOCIAL, since=due.created_at)
    assert found.message == standing.ts


async def test_a_post_whose_picture_slack_looks_at_lets_others_go_first(place: Place) -> None:
    place.slack.world.processing_s, due = 5.0, publication()
    with pytest.raises(ChatUnavailable) as later:
        await place.chat.post(due, PNG, "image/png", "a")
    assert later.value.queued
    CLOCK.jump(5.0)
    await place.chat.post(due, PNG, "image/png", "a")
    (standing,) = place.slack.messages("C0SOCIAL")
    assert files_in(standing)
    assert len(place.slack.called("files.completeUploadExternal")) == 1


async def test_a_file_that_was_deleted_before_its_post_is_uploaded_once_more(place: Place) -> None:
    due = publication()
    place.slack.troubles.add("chat.postMessage", "429", retry_after=1)
    with pytest.raises(ChatUnavailable) as later:
        await place.chat.post(due, PNG, "image/png", "a")
    for file in place.slack.world.files.values():
        file.deleted = True
    CLOCK.jump(later.value.retry_after_s)
    await place.chat.post(due, PNG, "image/png", "a")
    (standing,) = place.slack.messages("C0SOCIAL")
    (shown,) = files_in(standing)
    assert not place.slack.world.files[shown].deleted


@pytest.mark.parametrize("kind", ["lost", "500", "html502"])
@pytest.mark.parametrize(
    ("method", "mime", "data"),
    [
        ("chat.postMessage", "image/png", PNG),
        ("files.completeUploadExternal", "image/webp", WEBP),
    ],
)
async def test_a_post_whose_answer_is_lost_is_found_once(
    place: Place, kind: str, method: str, mime: str, data: bytes
) -> None:
    due = publication()
    place.slack.troubles.add(method, kind, kept=True)
    with pytest.raises(ChatAmbiguous):
        await place.chat.post(due, data, mime, "a")
    (standing,) = place.slack.messages("C0SOCIAL")
    (found,) = await place.chat.look_up(due.id, SOCIAL, since=due.created_at)
    assert found.message == standing.ts
    assert await place.chat.look_up(new_id(), SOCIAL, since=due.created_at) == []


@pytest.mark.parametrize(
    "step", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"]
)
async def test_a_post_that_breaks_off_before_anybody_sees_it_is_simply_made_again(
    place: Place, step: str
) -> None:
    due = publication()
    place.slack.troubles.add(step, "lost")
    with pytest.raises(ChatUnavailable):
        await place.chat.post(due, PNG, "image/png", "a")
    assert place.slack.messages("C0SOCIAL") == []
    await place.chat.post(due, PNG, "image/png", "a")
    assert len(place.slack.messages("C0SOCIAL")) == 1


async def test_a_post_that_waits_for_its_turn_is_uploaded_once(place: Place) -> None:
    due = publication()
    place.slack.troubles.add("chat.postMessage", "429", retry_after=1)
    with pytest.raises(ChatUnavailable) as later:
        await place.chat.post(due, PNG, "image/png", "a")
    assert later.value.queued
    CLOCK.jump(later.value.retry_after_s)
    await place.chat.post(due, PNG, "image/png", "a")
    assert len(place.slack.called("files.completeUploadExternal")) == 1
    assert len(place.slack.messages("C0SOCIAL")) == 1


@pytest.mark.parametrize(
    ("word", "fix"),
    [
        ("channel_not_found", "brand kit"),
        ("not_in_channel", "/invite @Housestyle"),
        ("is_archived", "Unarchive"),
        ("restricted_action", "workspace admin"),
    ],
)
async def test_a_channel_that_takes_no_post_is_named_with_the_fix(
    place: Place, word: str, fix: str
) -> None:
    channel = place.slack.channel("C0SOCIAL")
    channel.archived = word == "is_archived"
    channel.restricted = word == "restricted_action"
    if word == "not_in_channel":
        channel.members.discard("U0BOTT1")
    target = replace(SOCIAL, channel="C0GONE") if word == "channel_not_found" else SOCIAL
    with pytest.raises(SlackRefused) as refused:
        await place.chat.post(publication(target=target), PNG, "image/png", "a")
    assert refused.value.error == word
    assert target.channel in refused.value.message
    assert fix in refused.value.fix


# ------------------------------------------------------------------------------ looking, deleting


async def test_a_look_finds_all_copies_oldest_first_and_nothing_of_others(place: Place) -> None:
    message = outgoing(await place.card())
    began = CLOCK.now()
    copies = [await place.chat.send(message), await place.chat.send(message)]
    await place.chat.send(outgoing(await place.card(subject="job:2")))
    mia = place.slack.world.workspaces["T1"].channels["C0DRAFTS"]
    forged = replace(mia.messages[copies[0].message], ts="9999999999.000001", user="U0MIA")
    mia.messages[forged.ts] = forged
    found = await place.chat.look_up(message.id, DRAFTS, since=began)
    assert [ref.message for ref in found] == [ref.message for ref in copies]
    assert len(place.slack.called("conversations.history")) == 1


async def test_a_look_into_a_thread_and_a_direct_line_finds_what_stands_there(place: Place) -> None:
    root = await place.chat.send(outgoing(await place.card()))
    for target in (replace(DRAFTS, thread=root.message), MIA):
        message = outgoing(await place.card(subject=""), target)
        ref = await place.chat.send(message)
        found = await place.chat.look_up(message.id, target, since=message.created_at)
        assert [one.message for one in found] == [ref.message]


async def test_a_look_allows_for_clocks_that_differ(place: Place) -> None:
    message = outgoing(await place.card())
    await place.chat.send(message)
    later = CLOCK.now() + timedelta(seconds=30)
    assert len(await place.chat.look_up(message.id, DRAFTS, since=later)) == 1


async def test_a_look_where_the_app_may_not_read_says_which_permission_is_missing(
    place: Place,
) -> None:
    place.slack.world.tokens[place.slack.bot_token].scopes = frozenset({"chat:write"})
    with pytest.raises(ChatRejected, match="channels:history"):
        await place.chat.look_up("x", DRAFTS, since=CLOCK.now())


async def test_deleting_what_is_gone_is_no_error(place: Place) -> None:
    ref = await place.chat.send(outgoing(await place.card()))
    await place.chat.delete(ref)
    await place.chat.delete(ref)
    assert place.slack.messages("C0DRAFTS") == []


async def test_somebody_elses_message_is_not_deleted(place: Place) -> None:
    ref = await place.chat.send(outgoing(await place.card()))
    place.slack.channel("C0DRAFTS").messages[ref.message].user = "U0MIA"
    with pytest.raises(ChatRejected):
        await place.chat.delete(ref)


# ------------------------------------------------------------------------------------------ waits


async def test_the_wait_grows_with_the_attempts_while_slack_is_out_of_order(place: Place) -> None:
    card = await place.card()
    waits = []
    for attempts in (0, 3, 5, 100):
        place.slack.troubles.add("conversations.open", "500")
        with pytest.raises(ChatUnavailable) as later:
            await place.chat.send(outgoing(card, MIA, attempts=attempts))
        waits.append(later.value.retry_after_s)
    assert waits == [5, 8, 32, 300]


async def test_a_turn_at_slacks_rate_is_not_made_longer_by_attempts(place: Place) -> None:
    place.slack.troubles.add("chat.postMessage", "429", retry_after=7)
    with pytest.raises(ChatUnavailable) as later:
        await place.chat.send(outgoing(await place.card(), attempts=9))
    assert (later.value.queued, later.value.retry_after_s) == (True, 7)


async def test_another_platforms_place_is_refused(place: Place) -> None:
    elsewhere = ChannelRef(platform="local", channel="drafts")
    with pytest.raises(ChatRejected):
        await place.chat.send(outgoing(await place.card(), elsewhere))


async def test_only_listed_methods_are_called(place: Place) -> None:
    ref = await place.chat.send(outgoing(await place.card(PNG)))
    await place.chat.post(publication(), PNG, "image/png", "a")
    await place.chat.delete(ref)
    assert {call.method for call in place.slack.calls} <= set(Method)
