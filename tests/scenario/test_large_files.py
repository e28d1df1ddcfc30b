"""Files that are too large for a channel: a smaller one is made before the review, seen in it, and
posted."""

from dataclasses import replace

from bot.core.assets import AssetQuery
from bot.core.cards import published_rendition
from bot.core.commands import Approve, Imagine, SendToApproval
from bot.core.dispatch import Dispatch
from bot.core.messages import Card
from bot.core.reviews import Review
from brand.brief import Brief
from brand.kit import Channel
from brand.kit_rules import MIB
from brand.provenance import SMALLER, LabelledFile, make_renditions, read_label
from brand.spec import sha256_hex
from tests.contract.values import make_spec
from tests.fakes.large import LargeStudio, noise
from tests.fakes.town import KIT, Town, make_town

SOCIAL = Channel(name="#social", audience="public", max_mb=1)
DRAFTS = KIT.channels[1]
LIMITED = replace(KIT, channels=(SOCIAL, DRAFTS))
LARGE = noise(640)


async def a_town(*, smaller: bool = True) -> Town:
    town = await make_town(LIMITED)
    house = replace(town.house, studio=LargeStudio(LIMITED if smaller else KIT))
    return replace(town, house=replace(house, door=Dispatch(house)))


async def sent(town: Town) -> Card:
    await town.say(Imagine(brief=Brief(words="a red mug")))
    await town.settle()
    async with town.house.store.read() as tx:
        [asset] = await tx.assets.find(AssetQuery(brand="acme"))
    return await town.say(SendToApproval(asset=asset.id, channel="#social"))


async def the_review(town: Town) -> Review:
    async with town.house.store.read() as tx:
        [review] = await tx.reviews.open()
    return review


def files(max_mb: int, *formats: str) -> dict[str, LabelledFile]:
    channel = replace(SOCIAL, max_mb=max_mb)
    label = replace(KIT.label, renditions=formats or ("png",))
    kit = replace(KIT, channels=(channel,), label=label)
    made = make_renditions(LARGE, make_spec(), kit, asset_id="a1")
    return {file.transform: file for file in made}


def test_a_smaller_file_is_made_where_no_other_one_fits_and_it_has_the_label() -> None:
    made = files(1)
    assert list(made) == ["labelled-png", SMALLER]
    small = made[SMALLER]
    assert len(small.data) <= MIB < len(made["labelled-png"].data)
    label = read_label(small.data)
    assert label is not None
    assert label.asset == "a1"
    assert (small.mime, small.width) == ("image/jpeg", 640)


def test_a_picture_loses_pixels_where_a_lower_quality_is_not_enough() -> None:
    kit = replace(KIT, channels=(replace(SOCIAL, max_mb=1),))
    made = make_renditions(noise(1400), make_spec(), kit, asset_id="a1")
    assert made[-1].transform == SMALLER
    assert len(made[-1].data) <= MIB
    assert 500 < made[-1].width < 1400
    assert made[-1].width == made[-1].height


def test_no_smaller_file_is_made_where_a_published_one_fits_already() -> None:
    assert list(files(1, "png", "webp")) == ["labelled-png", "webp"]
    assert list(files(2)) == ["labelled-png"]
    assert list(files(0)) == ["labelled-png"]


def test_discord_takes_ten_megabytes_unless_the_kit_says_more() -> None:
    discord = Channel(name="#d", audience="public", platform="discord", id="1")
    assert discord.max_file == 10 * MIB
    assert replace(discord, max_mb=50).max_file == 50 * MIB
    assert replace(KIT, channels=(*KIT.channels, discord)).max_file == 10 * MIB
    assert KIT.max_file is None


async def test_the_smaller_file_is_what_approvers_see_and_what_is_posted() -> None:
    town = await a_town()
    card = await sent(town)
    review = await the_review(town)
    async with town.house.store.read() as tx:
        asset = await tx.assets.get(review.asset)
    small = asset.rendition(SMALLER)
    assert small is not None
    assert card.pictures[0].blob == small.file_hash
    assert any("smaller file" in line and "takes 1 MB" in line for line in card.lines)
    assert small.file_hash in review.rendition_hashes
    await town.say(Approve(review=review.id), "ana")
    await town.settle()
    [(channel, data)] = town.chat.posts.values()
    assert (channel, sha256_hex(data)) == ("social", small.file_hash)
    assert published_rendition(asset) != small


async def test_a_picture_without_a_file_that_fits_is_not_sent_to_approval() -> None:
    town = await a_town(smaller=False)
    card = await sent(town)
    assert card.kind == "error"
    assert "#social takes 1 MB" in card.lines[0]
    assert "Re-roll" in card.fix
