"""Each guard between an approval and the outside holds on its own."""

from dataclasses import replace

import pytest

from bot.core.assets import Asset
from bot.core.commands import Approve, Imagine
from bot.core.errors import Unapproved
from bot.core.messages import ChannelRef
from bot.core.publications import Publication
from bot.core.publishing import check_approval
from bot.core.reviews import Review
from brand.kit import ApprovedLora, Channel, LoraPolicy
from brand.loras import LoraStatus, LoraVersion
from brand.templates import Brief
from tests.fakes.town import KIT, Town, make_town
from tests.scenario.conftest import in_review

Approved = tuple[Publication, Asset, Review]


@pytest.fixture
async def approved(town: Town) -> Approved:
    """A publication that may go out."""
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    async with town.house.store.read() as tx:
        asset = await tx.assets.get(review.asset)
        [publication] = await tx.publications.of_asset(asset.id)
        return publication, asset, await tx.reviews.get(review.id)


def test_what_was_approved_may_go_out(approved: Approved) -> None:
    publication, asset, review = approved
    assert check_approval(publication, asset, review, KIT).id == publication.rendition


def test_an_edited_picture_voids_its_approval(approved: Approved) -> None:
    publication, asset, review = approved
    with pytest.raises(Unapproved, match="other pixels"):
        check_approval(publication, replace(asset, pixel_hash="f" * 64), review, KIT)


def test_an_approval_is_not_lent_to_another_asset(approved: Approved) -> None:
    publication, asset, review = approved
    with pytest.raises(Unapproved, match="other pixels"):
        check_approval(publication, asset, replace(review, asset="x" * 22), KIT)


def test_a_rendition_added_after_the_review_needs_its_own(approved: Approved) -> None:
    publication, asset, review = approved
    late = replace(asset.renditions[1], id="r" * 22, file_hash="e" * 64)
    grown = replace(asset, renditions=(*asset.renditions, late))
    sent = replace(publication, rendition=late.id, file_hash=late.file_hash)
    with pytest.raises(Unapproved, match="not among those approved"):
        check_approval(sent, grown, review, KIT)


def test_a_publication_cannot_name_one_file_and_send_another(approved: Approved) -> None:
    publication, asset, review = approved
    master = asset.renditions[0]
    with pytest.raises(Unapproved, match="not among those approved"):
        check_approval(replace(publication, rendition=master.id), asset, review, KIT)


def test_an_approval_for_one_channel_is_none_for_another(approved: Approved) -> None:
    publication, asset, review = approved
    elsewhere = replace(publication, target=ChannelRef(platform="local", channel="press"))
    with pytest.raises(Unapproved, match="another channel"):
        check_approval(elsewhere, asset, review, KIT)


@pytest.mark.parametrize(
    "channels", [(), (Channel(name="#social", audience="working"),)], ids=["removed", "working"]
)
def test_a_channel_that_the_kit_closed_meanwhile_gets_nothing(
    approved: Approved, channels: tuple[Channel, ...]
) -> None:
    publication, asset, review = approved
    with pytest.raises(Unapproved, match="doesn't publish"):
        check_approval(publication, asset, review, replace(KIT, channels=channels))


def test_an_open_review_approves_nothing(approved: Approved) -> None:
    publication, asset, review = approved
    with pytest.raises(Unapproved, match="no approval"):
        check_approval(publication, asset, replace(review, outcome=None), KIT)


LORA = ApprovedLora(name="house", version="1", sha256="a" * 64)


@pytest.mark.parametrize("status", [None, LoraStatus.DRAFT, LoraStatus.RETIRED])
async def test_only_a_lora_approved_in_the_records_serves(status: LoraStatus | None) -> None:
    town = await make_town(replace(KIT, lora=LoraPolicy(default="house", approved=(LORA,))))
    if status is not None:
        async with town.house.store.write() as tx:
            await tx.loras.add(lora_version(status))
    card = await town.say(Imagine(brief=Brief(words="a red mug")))
    assert card.kind == "error"
    assert "isn't approved" in card.lines[0]


async def test_an_approved_lora_is_uploaded_and_used() -> None:
    town = await make_town(replace(KIT, lora=LoraPolicy(default="house", approved=(LORA,))))
    weights = await town.house.blobs.put(b"weights")
    kit = replace(
        KIT,
        lora=LoraPolicy(default="house", approved=(replace(LORA, sha256=weights),)),
    )
    async with town.house.store.write() as tx:
        await tx.kits.put(kit, source="", at=town.clock.now())
        await tx.loras.add(replace(lora_version(LoraStatus.APPROVED), sha256=weights))
    await town.say(Imagine(brief=Brief(words="a red mug")))
    await town.settle()
    assert town.renderer.blobs[weights] == b"weights"
    assert town.renderer.requests[-1].spec.loras[0].sha256 == weights
    [card] = town.chat.shown("drafts")
    assert card.state == "done"


def lora_version(status: LoraStatus) -> LoraVersion:
    """The kit's LoRA as the records have it."""
    return LoraVersion(
        brand="acme",
        name="house",
        version="1",
        sha256="a" * 64,
        owner="@brand",
        dataset_sha256="0" * 64,
        status=status,
    )
