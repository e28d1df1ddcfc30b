"""A vote is taken back while its review is open; a card goes out of a chat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.core.commands import Approve, Cancel, DeleteCard, Imagine, Reject, TakeBack
from bot.core.errors import StaleState
from bot.core.lives import ReviewState
from bot.core.removing import DELETED
from bot.core.reviewing import voted_by_reaction
from bot.core.reviews import Review
from brand.templates import Brief
from storage.memory import MemoryStore, MemoryTransaction
from tests.fakes.town import START, Town, make_town
from tests.scenario.conftest import candidate, in_review


@pytest.fixture
async def both(town: Town) -> Town:
    """Two have to approve."""
    kit = replace(town.kit, review=replace(town.kit.review, quorum=2))
    async with town.house.store.write() as tx:
        await tx.kits.put(kit, source="", at=START)
    return town


async def stored(town: Town, review: Review) -> Review:
    """The review as it is now."""
    async with town.house.store.read() as tx:
        return await tx.reviews.get(review.id)


async def test_a_vote_that_is_taken_back_does_not_count(both: Town) -> None:
    review = await in_review(both)
    await both.say(Approve(review=review.id), "ana")
    card = await both.say(TakeBack(review=review.id), "ana")
    assert card.kind == "review"
    assert (await stored(both, review)).votes == ()
    await both.say(Approve(review=review.id), "ben")
    assert (await stored(both, review)).state is ReviewState.OPEN
    await both.settle()
    [shown] = [card for card in both.chat.shown("drafts") if card.kind == "review"]
    assert shown.stamp == ""


async def test_whoever_took_a_vote_back_may_vote_again(both: Town) -> None:
    review = await in_review(both)
    await both.say(Approve(review=review.id), "ana")
    await both.say(TakeBack(review=review.id), "ana")
    card = await both.say(Reject(review=review.id, reason="too dark"), "ana")
    assert card.stamp.startswith("Rejected by Ana")


async def test_a_decision_stands(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    card = await town.say(TakeBack(review=review.id), "ana")
    assert card.kind == "error"
    assert card.lines[0].startswith("Approved by Ana")
    assert len((await stored(town, review)).votes) == 1


async def test_nobody_takes_back_what_they_did_not_say(both: Town) -> None:
    review = await in_review(both)
    await both.say(Approve(review=review.id), "ana")
    for who in ("ben", "mia"):
        card = await both.say(TakeBack(review=review.id), who)
        assert "You have not voted" in card.lines[0]
    assert len((await stored(both, review)).votes) == 1


async def test_two_who_approve_at_the_same_moment_both_count(both: Town) -> None:
    review = await in_review(both)
    cards = await asyncio.gather(
        both.say(Approve(review=review.id), "ana"), both.say(Approve(review=review.id), "ben")
    )
    assert [card.kind for card in cards] == ["review", "review"]
    assert (await stored(both, review)).state is ReviewState.DECIDED


class Overtaken(MemoryStore):
    """A store in which somebody else is faster."""

    times = 0
    """How often yet."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryTransaction]:
        """What was written is rolled back then."""
        async with super().write() as tx:
            yield tx
            if self.times:
                self.times -= 1
                raise StaleState("Somebody else was faster.")


async def test_a_vote_that_another_one_got_ahead_of_counts_all_the_same() -> None:
    store = Overtaken()
    town = await make_town(store=store)
    review = await in_review(town)
    store.times = 2
    card = await town.say(Approve(review=review.id), "ana")
    assert store.times == 0
    assert card.stamp.startswith("Approved by Ana")


async def test_it_is_known_whose_vote_was_an_emoji(both: Town) -> None:
    review = await in_review(both)
    await both.say(Approve(review=review.id, reaction="77"), "ana")
    async with both.house.store.read() as tx:
        voted = await voted_by_reaction(tx, await tx.reviews.get(review.id))
    assert voted == {both.people["ana"].id: "77"}
    await both.say(TakeBack(review=review.id), "ana")
    await both.say(Approve(review=review.id), "ana")
    async with both.house.store.read() as tx:
        assert await voted_by_reaction(tx, await tx.reviews.get(review.id)) == {}


async def test_a_card_goes_for_its_owner_and_for_who_looks_after_the_brand() -> None:
    town = await make_town()
    asset = await candidate(town)
    for who in ("mia", "ana"):
        assert (await town.say(DeleteCard(job=asset.job), who)).state == DELETED
    card = await town.say(DeleteCard(job=(await candidate(town, who="ana")).job), "mia")
    assert card.lines[0] == "This belongs to someone else."


async def test_what_is_still_being_made_is_cancelled_first() -> None:
    town = await make_town()
    job = await town.say(Imagine(brief=Brief(words="a red mug")))
    key = job.subject.removeprefix("job:")
    refused = await town.say(DeleteCard(job=key))
    assert refused.fix == f"Cancel it first: `/cancel {key}`."
    await town.say(Cancel(job=key))
    assert (await town.say(DeleteCard(job=key))).state == DELETED
