"""Pictures that are too large for a message: a smaller listed file, else words and a link."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.discord_chat.outgoing.pictures import MAX_FILE, MAX_REQUEST, MIB, type_of
from bot.core.messages import Card
from tests.contract.values import make_asset, make_rendition
from tests.fakes.discord_desk import PNG, PORTAL, Desk, discord_desk, picture

JPEG = picture("JPEG")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as running:
        yield running


def padded(size: int, first: bytes = PNG) -> bytes:
    """A picture's file of this many bytes."""
    return first + bytes(size - len(first))


async def listed(desk: Desk, large: bytes, *smaller: bytes) -> Card:
    """A card with an asset's large file; its renditions are these."""
    asset = make_asset()
    renditions = [
        make_rendition(
            asset.id,
            f"jpeg-{n}",
            file_hash=await desk.blobs.put(data),
            mime="image/jpeg",
            bytes=len(data),
        )
        for n, data in enumerate((large, *smaller))
    ]
    async with desk.store.write() as tx:
        await tx.assets.add(replace(asset, renditions=tuple(renditions)))
    card = await desk.card(large)
    return replace(card, pictures=(replace(card.pictures[0], asset=asset.id),))


async def test_a_picture_that_just_fits_is_shown_as_it_is(desk: Desk) -> None:
    largest = padded(MAX_FILE)
    await desk.chat.send(desk.outgoing(await desk.card(largest)))
    assert desk.shown(desk.drafts.live()[0]) == [largest]


async def test_a_larger_one_is_shown_by_its_largest_listed_file_that_fits(desk: Desk) -> None:
    large, medium, small = padded(MAX_FILE + 1), padded(MIB, JPEG), JPEG
    await desk.chat.send(desk.outgoing(await listed(desk, large, small, medium)))
    (message,) = desk.drafts.live()
    assert desk.shown(message) == [medium]
    file = desk.discord.world.attachments[message.attachments[0]]
    assert file.filename.endswith(".jpg")


async def test_one_without_a_smaller_file_is_told_of_with_a_link(desk: Desk) -> None:
    card = await listed(desk, padded(MAX_FILE + 1))
    await desk.chat.send(desk.outgoing(card))
    (message,) = desk.drafts.live()
    assert desk.shown(message) == []
    assert f"{PORTAL}/pictures/{card.pictures[0].asset}" in message.text


async def test_one_whose_smaller_file_is_gone_is_told_of_with_a_link(desk: Desk) -> None:
    card = await listed(desk, padded(MAX_FILE + 1), JPEG)
    async with desk.store.read() as tx:
        small = (await tx.assets.get(card.pictures[0].asset)).renditions[1]
    await desk.blobs.remove(small.file_hash)
    await desk.chat.send(desk.outgoing(card))
    (message,) = desk.drafts.live()
    assert "/pictures/" in message.text


async def test_one_of_an_asset_that_is_gone_is_told_of_with_a_link(desk: Desk) -> None:
    await desk.chat.send(desk.outgoing(await desk.card(padded(MAX_FILE + 1))))
    assert "/pictures/a1" in desk.drafts.live()[0].text


async def test_pictures_that_are_too_much_together_are_shown_as_far_as_they_go(desk: Desk) -> None:
    each = MAX_REQUEST // 3 + 1
    files = [padded(each, picture(colour=colour)) for colour in ("teal", "navy", "gold")]
    await desk.chat.send(desk.outgoing(await desk.card(*files)))
    (message,) = desk.drafts.live()
    assert desk.shown(message) == files[:2]
    assert "/pictures/a3" in message.text


async def test_a_picture_that_is_lost_is_told_of_and_the_card_stands(desk: Desk) -> None:
    card = await desk.card(PNG)
    await desk.blobs.remove(card.pictures[0].blob)
    await desk.chat.send(desk.outgoing(card))
    assert "/pictures/a1" in desk.drafts.live()[0].text


async def test_the_preview_of_a_picture_that_is_being_made_is_shown(desk: Desk) -> None:
    ready = await desk.card(JPEG)
    card = replace(ready, pictures=(), preview=ready.pictures[0], progress=0.4)
    await desk.chat.send(desk.outgoing(card))
    assert desk.shown(desk.drafts.live()[0]) == [JPEG]


@pytest.mark.parametrize(
    ("data", "ending"),
    [(PNG, "png"), (JPEG, "jpg"), (picture("WEBP"), "webp"), (b"GIF89a", "bin"), (b"", "bin")],
)
def test_a_file_is_named_after_what_it_is(data: bytes, ending: str) -> None:
    assert type_of(data)[0] == ending
