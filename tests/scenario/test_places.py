"""A kit that names the workspace of a channel means that one and no other."""

from dataclasses import replace

import pytest

from bot.core.assets import AssetQuery
from bot.core.caller import kit_for
from bot.core.commands import Approve, Imagine, SendToApproval
from bot.core.errors import Mistake, Unapproved
from bot.core.lives import PublicationState
from bot.core.messages import Actor, Audience, ChannelRef, MessageRef
from bot.core.people import Identity
from bot.core.places import is_at, place_of, settled
from bot.core.policy import audience_of
from bot.core.ports import Outgoing
from bot.core.publishing import check_approval
from brand.kit import BrandKit, Channel
from brand.templates import Brief
from tests.fakes.chat import FakeChat
from tests.fakes.town import KIT, START, Town, make_town

HERE = ChannelRef(platform="slack", channel="C1", team="T1")
THERE = replace(HERE, team="T2")
DRAFTS = Channel(name="#drafts", audience="working", platform="slack", id="C1", team="T1")
SOCIAL = Channel(name="#social", audience="public", platform="slack", id="C2", team="T1")
TWO_TEAMS = replace(KIT, channels=(DRAFTS, SOCIAL))
ANY_TEAM = replace(KIT, channels=(replace(DRAFTS, team=""), replace(SOCIAL, team="")))


class WatchedChat(FakeChat):
    """Remembers where each card went."""

    def __init__(self) -> None:
        super().__init__("slack")
        self.told: list[tuple[str, ChannelRef]] = []

    async def send(self, message: Outgoing) -> MessageRef:
        """Note the place."""
        self.told.append((message.card.subject, message.target))
        return await super().send(message)


async def town_of(kit: BrandKit) -> Town:
    """Mia asks and Ana approves from workspace T1."""
    town = await make_town(kit)
    async with town.house.store.write() as tx:
        for name in ("mia", "ana"):
            account = Identity(platform="slack", user=name, team="T1")
            person = town.people[name]
            await tx.people.update(
                replace(person, identities=(*person.identities, account)), was=person
            )
    town.chat = town.house.chats["slack"] = WatchedChat()
    return town


def actor(who: str, place: ChannelRef = HERE) -> Actor:
    return Actor(platform="slack", user=who, name=who.title(), channel=place)


async def say(town: Town, command: object, who: str = "mia") -> None:
    assert town.house.door is not None
    card = await town.house.door.dispatch(command, actor(who))
    assert card.kind != "error", card
    await town.settle()


def test_a_channels_place_carries_its_workspace() -> None:
    assert place_of(DRAFTS) == HERE
    assert place_of(replace(DRAFTS, team="")) == replace(HERE, team="")


def test_a_channel_of_no_named_workspace_is_known_in_each() -> None:
    assert is_at(replace(DRAFTS, team=""), HERE)
    assert is_at(replace(DRAFTS, team=""), THERE)
    assert not is_at(DRAFTS, replace(HERE, channel="C9"))
    assert not is_at(DRAFTS, replace(HERE, platform="discord"))


def test_the_same_channel_id_in_another_workspace_is_public() -> None:
    assert audience_of(TWO_TEAMS, HERE) is Audience.WORKING
    assert audience_of(TWO_TEAMS, THERE) is Audience.PUBLIC
    assert audience_of(TWO_TEAMS, replace(HERE, team="")) is Audience.PUBLIC
    assert audience_of(ANY_TEAM, THERE) is Audience.WORKING


def test_a_place_without_a_workspace_is_the_one_channel_of_its_id_or_nobody_s() -> None:
    nowhere = replace(HERE, team="")
    assert settled(TWO_TEAMS.channels, nowhere) == HERE
    assert settled(TWO_TEAMS.channels, THERE) == THERE
    assert settled(ANY_TEAM.channels, nowhere) == nowhere
    twice = (DRAFTS, replace(DRAFTS, name="#other", audience="public", team="T2"))
    assert settled(twice, nowhere) == nowhere
    assert settled((SOCIAL,), nowhere) == nowhere


async def test_the_same_channel_id_in_two_workspaces_lets_nothing_old_out() -> None:
    old = replace(TWO_TEAMS, channels=(DRAFTS, replace(SOCIAL, team="")))
    town = await town_of(old)
    await say(town, Imagine(brief=Brief(words="a red mug")))
    async with town.house.store.read() as tx:
        asset = (await tx.assets.find(AssetQuery(brand="acme")))[0]
    await say(town, SendToApproval(asset=asset.id))
    async with town.house.store.write() as tx:
        review = (await tx.reviews.of_asset(asset.id))[0]
        both = (DRAFTS, SOCIAL, replace(SOCIAL, name="#social2", team="T2"))
        await tx.kits.put(replace(old, version="2", channels=both), source="", at=START)
    await say(town, Approve(review=review.id), "ana")
    async with town.house.store.read() as tx:
        [publication] = await tx.publications.of_asset(asset.id)
    assert publication.state is PublicationState.FAILED
    assert "doesn't publish to" in publication.error
    assert town.chat.posts == {}


async def test_a_channel_says_the_brand_in_its_own_workspace_only() -> None:
    town = await town_of(TWO_TEAMS)
    async with town.house.store.write() as tx:
        await tx.kits.put(replace(KIT, id="other", channels=()), source="", at=START)
        assert (await kit_for(tx, "", actor("mia"))).id == "acme"
        with pytest.raises(Mistake, match="Which brand"):
            await kit_for(tx, "", actor("mia", THERE))


async def test_drafts_and_reviews_go_to_the_named_workspace_and_so_does_the_post() -> None:
    town = await town_of(TWO_TEAMS)
    await say(town, Imagine(brief=Brief(words="a red mug")))
    async with town.house.store.read() as tx:
        asset = (await tx.assets.find(AssetQuery(brand="acme")))[0]
    await say(town, SendToApproval(asset=asset.id))
    async with town.house.store.read() as tx:
        review = (await tx.reviews.of_asset(asset.id))[0]
    assert isinstance(town.chat, WatchedChat)
    assert {place for subject, place in town.chat.told if subject.startswith("review:")} == {HERE}
    await say(town, Approve(review=review.id), "ana")
    async with town.house.store.read() as tx:
        [publication] = await tx.publications.of_asset(asset.id)
        approved, decided = await tx.assets.get(asset.id), await tx.reviews.get(review.id)
    assert publication.target == place_of(SOCIAL)
    assert publication.receipt is not None
    moved = replace(TWO_TEAMS, channels=(DRAFTS, replace(SOCIAL, team="T2")))
    with pytest.raises(Unapproved, match="doesn't publish to"):
        check_approval(publication, approved, decided, moved)
