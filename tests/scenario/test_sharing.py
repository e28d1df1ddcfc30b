"""Share and Use: out of the house by approval alone, the file for oneself."""

from dataclasses import replace

import pytest

from bot.core.actions import parse_action
from bot.core.assets import Asset
from bot.core.commands import Approve, Imagine, SendToApproval, Share, Use
from bot.core.errors import Mistake
from bot.core.lives import AssetState, PublicationState
from bot.core.messages import ChannelRef
from bot.core.people import Role
from bot.core.publications import Publication
from brand.kit import Channel
from brand.templates import Brief
from tests.fakes.town import KIT, Town, make_town, person
from tests.scenario.conftest import candidate, in_review, newest_asset

MINE = ChannelRef(platform="local", channel="@mia")


async def posts(town: Town, asset: str) -> list[Publication]:
    """What became of an asset's posts."""
    async with town.house.store.read() as tx:
        return list(await tx.publications.of_asset(asset))


async def stored(town: Town, asset: str) -> Asset:
    """The asset as it is now."""
    async with town.house.store.read() as tx:
        return await tx.assets.get(asset)


async def approved(town: Town) -> str:
    """An asset that is approved; its post is not sent yet."""
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    return review.asset


async def test_sharing_a_draft_asks_for_approval_and_posts_nothing(town: Town) -> None:
    asset = await candidate(town)
    card = await town.say(Share(asset=asset.id, caption="Tea for two"))
    assert card.kind == "review"
    await town.settle()
    assert not town.chat.posts
    assert (await stored(town, asset.id)).state is AssetState.IN_REVIEW
    again = await town.say(Share(asset=asset.id))
    assert "in review already" in again.lines[0]


async def test_what_is_approved_is_posted_once_however_often_it_is_shared(town: Town) -> None:
    asset = await approved(town)
    card = await town.say(Share(asset=asset))
    assert card.lines == ("Goes to #social now.",)
    await town.settle()
    card = await town.say(Share(asset=asset))
    assert (card.kind, card.lines) == ("error", ("Posted to #social.",))
    await town.settle()
    assert len(town.chat.posts) == 1


async def test_sharing_posts_again_what_could_not_be_posted(town: Town) -> None:
    town.chat.gone.add("social")
    asset = await approved(town)
    await town.settle()
    [told] = [card for card in town.chat.shown("@ana") if card.title == "Not posted to #social"]
    assert f"`/share {asset}`" in told.fix
    town.chat.gone.clear()
    card = await town.say(Share(asset=asset))
    assert (card.title, card.lines) == ("Shared", ("Goes to #social now.",))
    await town.settle()
    [post] = await posts(town, asset)
    assert post.state is PublicationState.SENT
    assert len(town.chat.posts) == 1


async def test_what_was_approved_for_one_channel_is_not_shared_to_another() -> None:
    more = Channel(name="#news", audience="public")
    town = await make_town(replace(KIT, channels=(*KIT.channels, more)))
    asset = await approved(town)
    card = await town.say(Share(asset=asset, channel="#news"))
    assert card.lines == ("This picture was approved for #social only.",)
    await town.settle()
    assert [channel for channel, _ in town.chat.posts.values()] == ["social"]


async def test_only_who_may_handle_a_picture_shares_it(town: Town) -> None:
    asset = await candidate(town)
    async with town.house.store.write() as tx:
        await tx.people.add(person("Eve", Role.REQUESTER))
    card = await town.say(Share(asset=asset.id), "eve")
    assert card.state == "not_allowed"
    assert (await stored(town, asset.id)).state is AssetState.CANDIDATE
    done = await approved(town)
    assert (await town.say(Share(asset=done), "eve")).state == "not_allowed"


async def test_the_file_is_for_the_one_who_asks_and_says_that_it_is_a_draft(town: Town) -> None:
    asset = await candidate(town)
    card = await town.say(Use(asset=asset.id))
    assert (card.kind, card.private, card.subject, card.draft) == ("file", True, "", True)
    assert "not for publication" in card.lines[0]
    [ref] = card.pictures
    assert ref.blob == asset.renditions[1].file_hash
    assert ref.buttons == ()


async def test_the_file_of_an_approved_picture_is_no_draft(town: Town) -> None:
    asset = await approved(town)
    card = await town.say(Use(asset=asset))
    assert (card.draft, card.lines) == (False, ())


async def test_nobody_takes_a_draft_that_they_may_not_see(town: Town) -> None:
    await town.say(Imagine(brief=Brief(words="a secret", private=True)))
    await town.settle()
    asset = await newest_asset(town)
    assert (await town.say(Use(asset=asset.id), "ana")).state == "not_found"


async def test_in_ones_own_line_a_draft_has_share_and_cancel(town: Town) -> None:
    await town.say(Imagine(brief=Brief(words="a red mug")), where=MINE)
    await town.settle()
    [card] = town.chat.shown("@mia")
    buttons = {button.label: button for button in card.pictures[0].buttons}
    assert next(iter(buttons)) == "Share"
    assert {"Re-roll", "Cancel", "Send to approval for #social"} <= set(buttons)
    await town.say(parse_action(buttons["Cancel"].action), where=MINE)
    assert (await newest_asset(town)).state is AssetState.WITHDRAWN


async def test_an_approved_picture_can_be_shared_from_its_card(town: Town) -> None:
    await approved(town)
    await town.settle()
    [card] = [card for card in town.chat.shown("drafts") if card.kind == "job"]
    assert [b.action.partition(":")[0] for b in card.pictures[0].buttons][:2] == ["share", "use"]


async def test_the_button_that_opens_a_form_says_so_when_it_is_carried_out(town: Town) -> None:
    asset = await candidate(town)
    with pytest.raises(Mistake, match="opens the form"):
        parse_action(f"reference:{asset.id}")


async def test_the_review_names_template_and_channel(town: Town) -> None:
    asset = await candidate(town)
    async with town.house.store.write() as tx:
        await tx.assets.update(replace(asset, template="product"), was=asset)
    card = await town.say(SendToApproval(asset=asset.id))
    assert card.lines[0].startswith("Mia asks for #social, by ")
    assert card.lines[2] == "Template product"
