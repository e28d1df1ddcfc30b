"""Approved posts in Slack: refusals told with their fix, rates kept, nothing lost or doubled."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.chat.slack_chat.options import Mode
from bot.chat.slack_chat.wiring import SlackParts, open_slack
from bot.core.actions import parse_action
from bot.core.assets import AssetQuery
from bot.core.commands import Approve
from bot.core.ids import new_id
from bot.core.lives import OutboxState, PublicationState
from bot.core.messages import Card, ChannelRef
from bot.core.people import Identity
from bot.core.ports import Outgoing
from bot.core.publications import Publication
from bot.core.publishing import Publisher
from bot.core.sending import Sender
from brand.kit import Channel
from tests.fakes.clock import DrivenClock
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.state import Message
from tests.fakes.slack_town import options_for
from tests.fakes.town import KIT, Town, make_town
from tests.scenario.conftest import in_review

DRAFTS = ChannelRef(platform="slack", channel="C0DRAFTS", team="T1")
POSTED_TO = replace(
    KIT,
    channels=(
        Channel(name="#social", audience="public", platform="slack", id="C0SOCIAL"),
        Channel(name="#drafts", audience="working"),
    ),
)


@dataclass
class Post:
    """A house with one approved picture, to be posted to Slack's #social. Its requester, Ana,
    is in Slack too; what is said of drafts stays in the local chat."""

    town: Town
    slack: FakeSlack
    parts: SlackParts

    @property
    def clock(self) -> DrivenClock:
        """The house's and Slack's."""
        return self.town.clock

    async def record(self) -> Publication:
        """As the records have it."""
        async with self.town.house.store.read() as tx:
            (asset,) = await tx.assets.find(AssetQuery())
            (publication,) = await tx.publications.of_asset(asset.id)
        return publication

    async def publish(self) -> bool:
        """One round of the publisher."""
        return await Publisher(self.town.house, "p").run_one()

    async def tell(self) -> None:
        """Send all cards that are due."""
        while await Sender(self.town.house, "s").run_one():
            pass

    def shown(self) -> list[Message]:
        """What stands in #social."""
        return self.slack.messages("C0SOCIAL")

    async def told(self) -> list[Message]:
        """What stands in Ana's direct line."""
        await self.tell()
        return self.slack.person("U0ANA").dm.live()


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    town = await make_town(POSTED_TO)
    ana = town.people["ana"]
    slacks = Identity(platform="slack", user="U0ANA", team="T1")
    async with town.house.store.write() as tx:
        await tx.people.update(replace(ana, identities=(*ana.identities, slacks)), was=ana)
    async with FakeSlack(now=lambda: town.clock.now().timestamp(), processing_s=0) as slack:
        async with open_slack(
            options_for(slack, Mode.HTTP),
            store=town.house.store,
            blobs=town.house.blobs,
            clock=town.clock,
        ) as parts:
            chats = {**town.house.chats, "slack": parts.chat}
            town.house = replace(town.house, chats=chats)
            review = await in_review(town)
            await town.say(Approve(review=review.id), "ana")
            yield Post(town, slack, parts)
        assert slack.violations == []


REFUSALS = {
    "channel_not_found": "correct the channel's id in the brand kit",
    "not_in_channel": "/invite @Housestyle",
    "is_archived": "Unarchive it in Slack",
    "restricted_action": "ask a workspace admin",
    "missing_scope": "housestyle slack manifest",
    "token_revoked": "Install the app in this workspace again",
}


@pytest.mark.parametrize("word", sorted(REFUSALS))
async def test_a_refused_post_is_reported_to_its_owner_with_the_fix(post: Post, word: str) -> None:
    post.slack.troubles.add("chat.postMessage", "refuse", error=word)
    assert await post.publish()
    record = await post.record()
    assert record.state is PublicationState.FAILED
    (card,) = await post.told()
    assert "Not posted to #social" in card.text
    assert REFUSALS[word] in card.text
    assert post.shown() == []


async def test_a_429_is_waited_for_to_the_second_and_the_post_goes_once(post: Post) -> None:
    post.slack.troubles.add("chat.postMessage", "429", retry_after=30)
    assert await post.publish()
    post.clock.jump(29.5)
    assert not await post.publish()
    post.clock.jump(0.5)
    assert await post.publish()
    assert (await post.record()).state is PublicationState.SENT
    assert len(post.shown()) == 1
    assert len(post.slack.called("chat.postMessage")) == 2
    assert len(post.slack.called("files.completeUploadExternal")) == 1


BREAKS = ["lost", "500", "html502", "garbled"]


@pytest.mark.parametrize("kind", BREAKS)
async def test_a_post_whose_answer_was_lost_is_found_by_one_look(post: Post, kind: str) -> None:
    post.slack.troubles.add("chat.postMessage", kind, kept=True)
    assert await post.publish()
    record = await post.record()
    (standing,) = post.shown()
    assert record.state is PublicationState.SENT
    assert record.receipt is not None
    assert record.receipt.message == standing.ts
    assert len(post.slack.called("conversations.history")) == 1


@pytest.mark.parametrize("kind", ["cut", "500", "html502", "garbled"])
async def test_a_post_that_is_not_found_waits_for_a_person_who_sends_it_once(
    post: Post, kind: str
) -> None:
    post.slack.troubles.add("chat.postMessage", kind)
    assert await post.publish()
    record = await post.record()
    assert record.state is PublicationState.AMBIGUOUS
    (question,) = await post.told()
    assert "#social" in question.text
    await post.town.say(parse_action(f"settle:{record.id}:no"), "ana")
    while await post.publish():
        pass
    assert (await post.record()).state is PublicationState.SENT
    assert len(post.shown()) == 1
    assert len(await post.told()) == 1


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_what_breaks_before_anybody_sees_the_post_is_tried_again(
    post: Post, method: str, kind: str
) -> None:
    post.slack.troubles.add(method, kind)
    assert await post.publish()
    assert (await post.record()).state is PublicationState.PENDING
    post.clock.jump(60)
    assert await post.publish()
    assert (await post.record()).state is PublicationState.SENT
    assert len(post.shown()) == 1


async def test_a_slack_that_is_away_for_an_hour_gets_the_post_afterwards(post: Post) -> None:
    post.slack.troubles.add("*", "500", times=None)
    for _ in range(30):
        await post.publish()
        post.clock.jump(120)
    assert (await post.record()).state is PublicationState.PENDING
    post.slack.troubles.clear()
    post.clock.jump(300)
    assert await post.publish()
    assert len(post.shown()) == 1


async def test_the_published_bytes_are_the_approved_ones(post: Post) -> None:
    assert await post.publish()
    record = await post.record()
    (standing,) = post.shown()
    (shown,) = (b["slack_file"]["id"] for b in standing.blocks if b["type"] == "image")
    assert post.slack.world.files[shown].data == await post.town.house.blobs.get(record.file_hash)


async def test_sixty_cards_for_one_channel_all_arrive_once_in_order_without_one_429(
    post: Post,
) -> None:
    rows = [
        Outgoing(
            id=new_id(),
            target=DRAFTS,
            card=Card(kind="reply", title=f"card {number}", subject=f"job:{number}"),
            created_at=post.clock.now() + timedelta(microseconds=number),
        )
        for number in range(60)
    ]
    async with post.town.house.store.write() as tx:
        for row in rows:
            await tx.outbox.add(row)
    senders = [Sender(post.town.house, f"s{n}") for n in range(3)]
    began = post.clock.now()
    while True:
        while any(await asyncio.gather(*(sender.run_one() for sender in senders))):
            pass
        async with post.town.house.store.read() as tx:
            stored = [await tx.outbox.get(row.id) for row in rows]
        if all(row.state is OutboxState.SENT for row in stored):
            break
        assert post.clock.now() - began < timedelta(seconds=90)
        post.clock.jump(1)
    assert {row.attempts for row in stored} == {0}
    assert [m.id for m in post.slack.messages("C0DRAFTS")] == [row.id for row in rows]
    assert not [call for call in post.slack.calls if call.error]
