"""Pictures that people point at in Discord: fetched at once, or taken from our own archive."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.discord_chat.forms.bringing import LOOK_AGAIN_S, LOOKS
from bot.chat.discord_chat.heard import Did, Heard, to_payload
from bot.chat.discord_chat.places import FILES_PLATFORM
from bot.chat.discord_chat.surfaces import USE_AS_REFERENCE
from bot.core.assets import Asset, AssetQuery
from bot.core.commands import Imagine
from bot.core.errors import Mistake, NotAllowed, Unavailable
from bot.core.ports import Delivery
from brand.templates import Brief
from tests.fakes.discord_forms import MESSAGE, FormDesk, form_desk, heard, imagine
from tests.fakes.town import START
from tests.fakes.uploads import png
from tests.fakes.waiting import until

URL = "https://cdn.discordapp.com/attachments/1/2/mug.png?ex=1"
SUBMITTED = heard(Did.SUBMIT, action=f"imagine:{MESSAGE}")


@pytest.fixture
async def desk() -> AsyncIterator[FormDesk]:
    """A Discord with one file."""
    async with form_desk() as running:
        running.rest.files[URL] = png()
        yield running


def menu(*files: str, who: str = "mia", of_us: bool = False) -> Heard:
    """*Use as reference* on a message with these pictures."""
    return heard(
        Did.MENU, who=who, command=USE_AS_REFERENCE, message=MESSAGE, files=files, of_us=of_us
    )


async def taken(desk: FormDesk, said: Heard, who: str = "mia") -> str:
    """The picture brought for this person."""
    return await desk.bringing.picture(said, desk.town.people[who], brand="acme")


async def asset_of(desk: FormDesk) -> Asset:
    """Mia's finished picture."""
    await desk.town.say(Imagine(brief=Brief(words="a red mug")))
    await desk.town.settle()
    async with desk.town.house.store.read() as tx:
        return (await tx.assets.find(AssetQuery()))[0]


async def test_an_attached_picture_is_brought_for_who_attached_it(desk: FormDesk) -> None:
    sha256 = await taken(desk, imagine(prompt="x", files=(URL,)))
    async with desk.town.house.store.read() as tx:
        assert await tx.uploads.get(desk.town.people["mia"].id, sha256) is not None
        assert await tx.uploads.get(desk.town.people["ana"].id, sha256) is None


async def test_no_picture_is_none(desk: FormDesk) -> None:
    assert await taken(desk, imagine(prompt="x")) == ""
    assert desk.rest.fetched == []


async def test_the_first_file_that_is_a_picture_is_meant(desk: FormDesk) -> None:
    words = URL.replace("mug", "words")
    desk.rest.files[words] = b"no picture"
    assert await taken(desk, imagine(files=(words, URL))) != ""
    with pytest.raises(Mistake, match="picture"):
        await taken(desk, imagine(files=(words,)))


async def test_nothing_is_fetched_for_who_may_not_ask_for_pictures(desk: FormDesk) -> None:
    with pytest.raises(NotAllowed):
        await taken(desk, imagine(who="ben", files=(URL,)), "ben")
    assert desk.rest.fetched == []


async def test_a_message_s_picture_is_there_when_its_form_comes_back(desk: FormDesk) -> None:
    mia = desk.town.people["mia"]
    await desk.bringing.remember(menu(URL), mia)
    del desk.rest.files[URL]  # its address has expired by then
    assert await taken(desk, SUBMITTED) == await desk.bringing.remembered(menu(URL))


async def test_what_one_person_chose_is_not_another_s(desk: FormDesk) -> None:
    await desk.bringing.remember(menu(URL), desk.town.people["mia"])
    with pytest.raises(Mistake, match="couldn't take the picture"):
        await desk.bringing.remembered(heard(Did.SUBMIT, who="ana", action=SUBMITTED.action))


@pytest.mark.parametrize("lane", ["discord", FILES_PLATFORM])
async def test_a_form_that_comes_before_its_picture_waits_for_it(desk: FormDesk, lane: str) -> None:
    waiting = Delivery(platform=lane, id="i", payload=to_payload(menu(URL)), received_at=START)
    await desk.town.house.inbox.put(waiting)
    early = asyncio.create_task(taken(desk, SUBMITTED))
    await desk.town.clock.advance(LOOK_AGAIN_S)
    assert not early.done()
    await desk.bringing.remember(menu(URL), desk.town.people["mia"])
    await desk.town.clock.advance(LOOK_AGAIN_S)
    assert await early != ""


async def test_a_picture_that_takes_long_has_its_form_done_later_and_one_that_failed_not(
    desk: FormDesk,
) -> None:
    inbox = desk.town.house.inbox
    waiting = Delivery(platform="discord", id="i", payload=to_payload(menu(URL)), received_at=START)
    await inbox.put(waiting)
    early = asyncio.create_task(taken(desk, SUBMITTED))
    await desk.town.clock.advance(LOOKS * LOOK_AGAIN_S)
    with pytest.raises(Unavailable):
        await early
    await inbox.done("discord", "i")
    with pytest.raises(Mistake, match="couldn't take the picture"):
        await taken(desk, SUBMITTED)


async def test_a_card_that_shows_another_picture_by_now_is_fetched_anew(desk: FormDesk) -> None:
    mia, inbox = desk.town.people["mia"], desk.town.house.inbox
    await desk.bringing.remember(menu(URL), mia)
    first = await taken(desk, SUBMITTED)
    await desk.town.clock.advance(1)
    at = desk.town.clock.now()
    payload = to_payload(menu(URL))
    await inbox.put(Delivery(platform="discord", id="i", payload=payload, received_at=at))
    early = asyncio.create_task(taken(desk, SUBMITTED))
    await until(lambda: desk.town.clock.sleeping or early.done())
    desk.rest.files[URL] = png("teal")
    await desk.bringing.remember(menu(URL), mia)
    await desk.town.clock.advance(LOOK_AGAIN_S)
    assert await early != first


async def test_a_file_in_the_form_takes_the_place_of_the_message_s(desk: FormDesk) -> None:
    with_file = replace(SUBMITTED, files=(URL,))
    assert await taken(desk, with_file) != ""
    assert desk.rest.fetched == [URL]


async def test_a_picture_of_ours_is_its_master_and_nothing_is_fetched(desk: FormDesk) -> None:
    asset = await asset_of(desk)
    shown = f"https://cdn.discordapp.com/attachments/1/2/hs-{asset.file_hash}.png?ex=1"
    assert await taken(desk, menu(shown, of_us=True)) == asset.file_hash
    assert desk.rest.fetched == []


async def test_a_file_of_somebody_else_s_that_is_named_like_ours_is_fetched(
    desk: FormDesk,
) -> None:
    asset = await asset_of(desk)
    shown = f"https://cdn.discordapp.com/attachments/1/2/hs-{asset.file_hash}.png?ex=1"
    desk.rest.files[shown] = png("blue")
    assert await taken(desk, menu(shown)) != asset.file_hash
    assert desk.rest.fetched == [shown]
