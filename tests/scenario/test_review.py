"""Decisions: who may, what they bind, and what everyone else is told."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from bot.core.actions import parse_action
from bot.core.commands import Approve, AskChange, Reject, SendToApproval, Withdraw
from bot.core.errors import ChatAmbiguous
from bot.core.lives import AssetState, PublicationState, ReviewState
from bot.core.publications import Publication
from bot.core.publishing import Publisher
from bot.core.reviewing import expire_overdue
from bot.core.reviews import MAX_REASON
from storage.memory_blobs import MemoryBlobs
from tests.fakes.town import KIT, PUBLIC, Town, make_town
from tests.scenario.conftest import candidate, in_review


async def posted(town: Town, asset: str) -> list[Publication]:
    """What became of an asset's posts."""
    async with town.house.store.read() as tx:
        return list(await tx.publications.of_asset(asset))


async def test_nobody_approves_their_own_request(town: Town) -> None:
    review = await in_review(town, who="ana")
    card = await town.say(Approve(review=review.id), "ana")
    assert card.kind == "error"
    assert card.lines[0] == "Nobody approves their own request."
    await town.settle()
    assert not town.chat.posts


async def test_in_the_demo_alone_one_person_may_do_both_and_the_vote_is_marked() -> None:
    town = await make_town(demo=True)
    review = await in_review(town, who="ana")
    card = await town.say(Approve(review=review.id), "ana")
    assert "own request, demo" in card.stamp
    async with town.house.store.read() as tx:
        stored = await tx.reviews.get(review.id)
    assert stored.votes[0].own_request


async def test_a_requester_cannot_approve(town: Town) -> None:
    review = await in_review(town, who="ana")
    card = await town.say(Approve(review=review.id), "mia")
    assert "can't approve" in card.lines[0]


async def test_a_double_click_decides_once_and_is_answered(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    again = await town.say(Approve(review=review.id), "ana")
    assert again.kind == "error"
    assert "Approved by Ana" in again.lines[0]
    await town.settle()
    assert len(town.chat.posts) == 1


async def test_two_approvers_at_once_make_one_decision(town: Town) -> None:
    review = await in_review(town)
    cards = await asyncio.gather(
        town.say(Approve(review=review.id), "ana"), town.say(Reject(review=review.id), "ben")
    )
    assert sorted(card.kind for card in cards) == ["error", "review"]
    async with town.house.store.read() as tx:
        decided = [e for e in await tx.ledger.recent() if e.action == "review.decided"]
        refused = [e for e in await tx.ledger.recent() if e.action == "command.refused"]
    assert len(decided) == 1
    assert len(refused) == 1


async def test_a_reason_is_taken_whole_or_not_at_all(town: Town) -> None:
    review = await in_review(town)
    refused = await town.say(Reject(review=review.id, reason="x" * (MAX_REASON + 1)), "ana")
    assert "at most 1,000 characters" in refused.lines[0]
    card = await town.say(Reject(review=review.id, reason="x" * MAX_REASON), "ana")
    assert card.stamp.endswith("x" * MAX_REASON)


async def test_a_rejection_reaches_the_requester_with_its_reason(town: Town) -> None:
    review = await in_review(town)
    await town.say(Reject(review=review.id, reason="too dark"), "ana")
    await town.settle()
    [told] = [card for card in town.chat.shown("@mia") if card.kind == "reply"]
    assert "too dark" in told.lines[1]
    [card] = [card for card in town.chat.shown("drafts") if card.kind == "review"]
    assert card.stamp.endswith("too dark")
    assert card.buttons == ()


async def test_a_wish_for_a_change_closes_the_review(town: Town) -> None:
    review = await in_review(town)
    card = await town.say(AskChange(review=review.id, reason="warmer light"), "ana")
    assert card.stamp.startswith("Change asked for by Ana")
    late = await town.say(Approve(review=review.id), "ben")
    assert late.kind == "error"


async def test_a_quorum_of_two_waits_for_the_second() -> None:
    kit = replace(KIT, review=replace(KIT.review, quorum=2))
    town = await make_town(kit)
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    twice = await town.say(Approve(review=review.id), "ana")
    assert "have voted" in twice.lines[0]
    await town.settle()
    assert not town.chat.posts
    await town.say(Approve(review=review.id), "ben")
    await town.settle()
    assert len(town.chat.posts) == 1


async def test_a_late_click_after_the_deadline_is_told_so(town: Town) -> None:
    review = await in_review(town)
    await town.clock.advance(timedelta(days=8).total_seconds())
    assert await expire_overdue(town.house) == 1
    card = await town.say(Approve(review=review.id), "ana")
    assert card.lines[0].startswith("Expired on")
    async with town.house.store.read() as tx:
        assert (await tx.assets.get(review.asset)).state is AssetState.EXPIRED


async def test_withdrawing_takes_the_buttons_away(town: Town) -> None:
    review = await in_review(town)
    await town.say(Withdraw(asset=review.asset))
    card = await town.say(Approve(review=review.id), "ana")
    assert card.lines[0] == "Withdrawn by the requester"


async def test_a_picture_is_sent_to_approval_once(town: Town) -> None:
    review = await in_review(town)
    card = await town.say(SendToApproval(asset=review.asset))
    assert card.kind == "error"
    assert "in review already" in card.lines[0]


async def test_only_the_kits_publish_channels_can_be_asked_for(town: Town) -> None:
    asset = await candidate(town)
    card = await town.say(SendToApproval(asset=asset.id, channel="#drafts"))
    assert "doesn't publish" in card.lines[0]


async def test_a_flipped_byte_in_the_archive_is_never_posted(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    [publication] = await posted(town, review.asset)
    data = bytearray(await town.house.blobs.get(publication.file_hash))
    data[len(data) // 2] ^= 1
    assert isinstance(town.house.blobs, MemoryBlobs)
    town.house.blobs._blobs[publication.file_hash] = bytes(data)
    await town.settle()
    assert not town.chat.posts
    [publication] = await posted(town, review.asset)
    assert publication.state is PublicationState.FAILED
    [told] = [card for card in town.chat.shown("@ana") if card.kind == "reply"]
    assert told.title == "Not posted to #social"


async def test_a_draft_cannot_be_published_even_with_a_publication_row(town: Town) -> None:
    asset = await candidate(town)
    review = await in_review(town)
    rendition = asset.renditions[1]
    async with town.house.store.write() as tx:
        await tx.publications.add(
            Publication(
                id="P" * 22,
                asset=asset.id,
                review=review.id,
                brand=asset.brand,
                rendition=rendition.id,
                file_hash=rendition.file_hash,
                pixel_hash=rendition.pixel_hash,
                target=PUBLIC,
                caption="",
                requested_by=asset.requester,
                due_at=town.clock.now(),
                created_at=town.clock.now(),
            )
        )
    await town.settle()
    assert not town.chat.posts
    [publication] = await posted(town, asset.id)
    assert publication.state is PublicationState.FAILED
    assert "not approved" in publication.error


async def test_a_lost_reply_is_looked_up_and_not_posted_again(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    town.chat.after = [ChatAmbiguous("The answer was lost.")]
    publisher = Publisher(town.house, "p1")
    assert await publisher.run_one()
    [publication] = await posted(town, review.asset)
    assert publication.state is PublicationState.SENT
    await town.settle()
    assert town.chat.sends == 1


async def test_what_stays_unclear_is_settled_by_a_person(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    town.chat.before = [ChatAmbiguous("The line broke.")]
    assert await Publisher(town.house, "p1").run_one()
    await town.settle()
    [publication] = await posted(town, review.asset)
    assert publication.state is PublicationState.AMBIGUOUS
    [card] = [card for card in town.chat.shown("@ana") if card.subject.startswith("publication")]
    assert [button.label for button in card.buttons] == ["It is there", "Send it again"]
    await town.say(parse_action(card.buttons[1].action), "ana")
    await town.settle()
    assert len(town.chat.posts) == 1


async def test_a_channel_that_is_gone_is_reported_with_the_fix(town: Town) -> None:
    review = await in_review(town)
    town.chat.gone.add("social")
    await town.say(Approve(review=review.id), "ana")
    await town.settle()
    [told] = [card for card in town.chat.shown("@ana") if card.kind == "reply"]
    assert "Correct the kit." in told.lines[0]


async def test_a_review_decided_meanwhile_stays_decided_at_expiry(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    await town.clock.advance(timedelta(days=8).total_seconds())
    assert await expire_overdue(town.house) == 0
    async with town.house.store.read() as tx:
        assert (await tx.reviews.get(review.id)).state is ReviewState.DECIDED
