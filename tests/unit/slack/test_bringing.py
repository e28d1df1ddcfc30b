"""Pictures that people point at: taken from Slack alone, and from our own archive."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.outgoing.bringing import may_bring_files
from bot.core.assets import AssetQuery
from bot.core.commands import Imagine
from bot.core.errors import Mistake, NotAllowed
from bot.core.messages import ChannelRef
from bot.core.ports import SentFile
from brand.templates import Brief
from tests.fakes.slack.state import File
from tests.fakes.slack_forms import FormDesk, form_desk
from tests.fakes.town import START
from tests.fakes.uploads import png


@pytest.fixture
async def desk() -> AsyncIterator[FormDesk]:
    """A Slack with the app."""
    async with form_desk() as running:
        yield running


def mention(*files: str, thread: str = "", message: str = "", blocks: str = "") -> Heard:
    """Mia's words to the app, with files."""
    return Heard(
        kind=Kind.MENTION,
        key="k",
        team="T1",
        user="U0MIA",
        channel="C0SOCIAL",
        thread=thread,
        message=message,
        text="<@U0BOT> like this",
        files=files,
        blocks=blocks,
    )


async def file_in(desk: FormDesk, data: bytes, name: str, thread: str = "") -> File:
    """Ana's file in #social."""
    ana = desk.slack.person("U0ANA")
    file = ana.upload(data, name)
    await ana.say("look", channel="C0SOCIAL", files=(file,), thread=thread)
    return file


async def taken(desk: FormDesk, heard: Heard, who: str = "mia") -> str:
    """The picture brought for this person."""
    return await desk.bringing.picture(heard, desk.town.people[who], brand="acme")


async def test_a_picture_of_a_message_is_brought_for_who_asked(desk: FormDesk) -> None:
    file = await file_in(desk, png(), "mug.png")
    sha256 = await taken(desk, mention(file.id))
    async with desk.town.house.store.read() as tx:
        assert await tx.uploads.get(desk.town.people["mia"].id, sha256) is not None
        assert await tx.uploads.get(desk.town.people["ana"].id, sha256) is None


async def test_no_picture_is_none(desk: FormDesk) -> None:
    assert await taken(desk, mention()) == ""


async def test_the_first_file_that_is_a_picture_is_meant(desk: FormDesk) -> None:
    text = await file_in(desk, b"a,b", "list.csv")
    picture = await file_in(desk, png(), "mug.png")
    assert await taken(desk, mention(text.id, picture.id))


async def test_a_file_that_is_no_picture_is_named(desk: FormDesk) -> None:
    file = await file_in(desk, b"a,b", "list.csv")
    with pytest.raises(Mistake, match=r"`list.csv` isn't a PNG, JPEG or WebP") as found:
        await taken(desk, mention(file.id))
    assert found.value.field == "reference"


async def test_a_broken_picture_says_what_to_do(desk: FormDesk) -> None:
    file = await file_in(desk, png()[:60], "mug.png")
    with pytest.raises(Mistake, match="damaged"):
        await taken(desk, mention(file.id))


async def test_a_picture_kept_elsewhere_is_refused_and_nothing_is_fetched(desk: FormDesk) -> None:
    ana = desk.slack.person("U0ANA")
    file = ana.upload(b"", "mug.png", external="http://127.0.0.1:1/mug.png")
    await ana.say("look", channel="C0SOCIAL", files=(file,))
    with pytest.raises(Mistake, match="isn't stored in Slack"):
        await taken(desk, mention(file.id))


async def test_a_file_in_a_channel_without_the_app_says_how_to_let_it_in(desk: FormDesk) -> None:
    ana = desk.slack.person("U0ANA")
    file = ana.upload(png(), "mug.png")
    await ana.say("look", channel="C0OTHER", files=(file,))
    with pytest.raises(Mistake, match="can't see that file") as found:
        await taken(desk, mention(file.id))
    assert "Invite me" in found.value.fix


async def test_who_may_not_ask_brings_nothing_and_slack_is_not_asked(desk: FormDesk) -> None:
    file = await file_in(desk, png(), "mug.png")
    before = len(desk.slack.calls)
    with pytest.raises(NotAllowed):
        await taken(desk, mention(file.id), "ben")
    assert [call.method for call in desk.slack.calls[before:] if call.method != "auth.test"] == []


async def test_in_a_thread_the_newest_picture_above_is_taken(desk: FormDesk) -> None:
    await file_in(desk, png("red"), "old.png")
    parent = desk.slack.messages("C0SOCIAL")[-1]
    await file_in(desk, png("green"), "new.png", parent.ts)
    newest = desk.slack.messages("C0SOCIAL")[-1]
    later = await file_in(desk, png("blue"), "later.png", parent.ts)
    found = await desk.bringing.found(mention(thread=parent.ts, message=newest.ts))
    assert found == newest.files
    assert later.id not in found
    assert await taken(desk, mention(thread=parent.ts))


@pytest.mark.parametrize("words", ["make it blue", "like this, but warmer", "Above, in RED"])
async def test_words_that_point_at_a_picture_of_the_thread_take_it(
    desk: FormDesk, words: str
) -> None:
    file = await file_in(desk, png(), "mug.png")
    parent = desk.slack.messages("C0SOCIAL")[-1]
    heard = replace(mention(thread=parent.ts), text=f"<@U0BOT> {words}")
    assert await desk.bringing.found(heard) == (file.id,)
    assert may_bring_files(heard)


@pytest.mark.parametrize("words", ["a blue cup, nothing to do with the mug", "a kit, unlikely"])
async def test_other_words_in_a_thread_start_from_nothing_and_slack_is_not_asked(
    desk: FormDesk, words: str
) -> None:
    await file_in(desk, png(), "mug.png")
    parent = desk.slack.messages("C0SOCIAL")[-1]
    before = len(desk.slack.calls)
    heard = replace(mention(thread=parent.ts), text=f"<@U0BOT> {words}")
    assert await desk.bringing.found(heard) == ()
    assert len(desk.slack.calls) == before
    assert not may_bring_files(heard)
    assert await desk.bringing.found(replace(heard, kind=Kind.OPEN)), "the shortcut says it itself"


async def test_a_thread_that_cannot_be_read_has_no_picture(desk: FormDesk) -> None:
    heard = replace(mention(thread="1.1"), channel="C0OTHER")
    assert await desk.bringing.found(heard) == ()


async def test_a_picture_of_ours_that_one_may_not_see_is_looked_at_as_a_file(
    desk: FormDesk,
) -> None:
    house = desk.town.house
    where = ChannelRef(platform="local", channel="@ana")
    secret = Brief(words="a mug", private=True)
    await desk.town.say(Imagine(brief=secret, brand="acme"), "ana", where)
    await desk.town.settle()
    async with house.store.write() as tx:
        (asset,) = await tx.assets.find(AssetQuery(brand="acme"))
        shown = asset.renditions[-1].file_hash
        await tx.sent_files.put(
            SentFile(platform="slack", team="T1", key=shown, file="F0OURS", ready=True, at=START)
        )
    with pytest.raises(Mistake, match="can't see that file"):
        await taken(desk, mention("F0OURS"))


async def test_a_picture_of_ours_is_taken_from_the_archive_without_loss(desk: FormDesk) -> None:
    house = desk.town.house
    where = ChannelRef(platform="local", channel="@mia")
    await desk.town.say(Imagine(brief=Brief(words="a mug"), brand="acme"), "mia", where)
    await desk.town.settle()
    async with house.store.write() as tx:
        (asset,) = await tx.assets.find(AssetQuery(brand="acme"))
        shown = asset.renditions[-1].file_hash
        await tx.sent_files.put(
            SentFile(platform="slack", team="T1", key=shown, file="F0OURS", ready=True, at=START)
        )
    blocks = '[{"type":"image","slack_file":{"id":"F0OURS"},"alt_text":"x"}]'
    assert await taken(desk, mention(blocks=blocks)) == asset.file_hash
