"""The Reviews port."""

from dataclasses import replace

import pytest

from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.lives import ReviewState
from bot.core.reviews import Answer, Review, Vote
from storage.database import OpenStore
from tests.contract.values import later, make_review

YES = Vote(
    person="ola",
    name="Ola 🎉",
    answer=Answer.APPROVE,
    at=later(5),
    reason="so teal",
    platform="local",
    own_request=True,
)
NO = Vote(person="kim", name="Kim", answer=Answer.REJECT, at=later(6))


async def put(store: OpenStore, *reviews: Review) -> None:
    """Store reviews in this order."""
    async with store.write() as tx:
        for review in reviews:
            await tx.reviews.add(review)


async def test_a_review_comes_back_with_its_votes_in_order(store: OpenStore) -> None:
    review = make_review(votes=(YES, NO), caption="Guten Morgen", quorum=3)
    bare = make_review(target=None)
    await put(store, review, bare)
    async with store.read() as tx:
        assert await tx.reviews.get(review.id) == review
        assert await tx.reviews.get(bare.id) == bare
        with pytest.raises(NotFound):
            await tx.reviews.get("nothing")


async def test_an_asset_has_one_open_review_at_a_time(store: OpenStore) -> None:
    review = make_review()
    await put(store, review)
    again = make_review(asset=review.asset)
    for state in (ReviewState.ESCALATED, ReviewState.DECIDED):
        with pytest.raises(Conflict, match="open review"):
            await put(store, again)
        async with store.write() as tx:
            was = await tx.reviews.get(review.id)
            await tx.reviews.update(replace(was, state=state), was=was)
    await put(store, again)


async def test_votes_and_decision_are_stored_together(store: OpenStore) -> None:
    review = make_review(quorum=2)
    await put(store, review)
    async with store.write() as tx:
        first = await tx.reviews.update(replace(review, votes=(YES,)), was=review)
        assert await tx.reviews.get(review.id) == first
        decided = replace(
            first,
            votes=(YES, NO),
            state=ReviewState.DECIDED,
            outcome=Answer.REJECT,
            decided_at=later(6),
        )
        updated = await tx.reviews.update(decided, was=first)
    assert updated == replace(decided, version=2)
    async with store.read() as tx:
        assert await tx.reviews.get(review.id) == updated


async def test_one_person_has_one_vote(store: OpenStore) -> None:
    review = make_review()
    await put(store, review)
    async with store.write() as tx:
        with pytest.raises(Conflict, match="voted"):
            await tx.reviews.update(replace(review, votes=(YES, YES)), was=review)


async def test_a_late_vote_does_not_overwrite_the_decision(store: OpenStore) -> None:
    review = make_review()
    await put(store, review)
    async with store.write() as tx:
        decided = replace(review, votes=(YES,), state=ReviewState.DECIDED, outcome=Answer.APPROVE)
        decided = await tx.reviews.update(decided, was=review)
    with pytest.raises(StaleState, match="decided now"):
        async with store.write() as tx:
            await tx.reviews.update(replace(review, votes=(NO,)), was=review)
    async with store.read() as tx:
        assert await tx.reviews.get(review.id) == decided


async def test_open_overdue_and_earlier_reviews_are_listed(store: OpenStore) -> None:
    late = make_review(opened_at=later(3), deadline=later(50))
    early = make_review(opened_at=later(1), deadline=later(90), state=ReviewState.ESCALATED)
    other = make_review(opened_at=later(2), deadline=later(20), brand="other")
    done = make_review(asset=late.asset, opened_at=later(0), state=ReviewState.DECIDED)
    await put(store, late, early, other, done)
    async with store.read() as tx:
        assert await tx.reviews.open() == [early, other, late]
        assert await tx.reviews.open(brand="acme") == [early, late]
        assert await tx.reviews.count_open("acme") == 2
        assert await tx.reviews.count_open("nobody") == 0
        assert await tx.reviews.overdue(later(50)) == [other, late]
        assert await tx.reviews.of_asset(late.asset) == [late, done]
