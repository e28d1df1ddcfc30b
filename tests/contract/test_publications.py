"""The Publications port."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.ids import new_id
from bot.core.lives import PublicationState
from bot.core.messages import ChannelRef, MessageRef
from bot.core.publications import Publication
from storage.database import OpenStore
from tests.contract.values import DRAFTS, LEASE, later, make_publication

RECEIPT = MessageRef(platform="local", channel="social", message="m1", link="https://x.test/m1")


async def put(store: OpenStore, *publications: Publication) -> None:
    """Store publications in this order."""
    async with store.write() as tx:
        for publication in publications:
            await tx.publications.add(publication)


async def claim(store: OpenStore, after: float = 0) -> Publication | None:
    """One claim in a transaction of its own."""
    async with store.write() as tx:
        return await tx.publications.claim("w", now=later(after), lease=LEASE)


async def test_a_publication_comes_back_as_it_was_stored(store: OpenStore) -> None:
    publication = make_publication(receipt=RECEIPT, sent_at=later(1), error="none 🙂")
    await put(store, publication)
    async with store.read() as tx:
        assert await tx.publications.get(publication.id) == publication
        with pytest.raises(NotFound):
            await tx.publications.get("nothing")


async def test_a_review_is_posted_once_to_a_channel(store: OpenStore) -> None:
    publication = make_publication()
    await put(store, publication)
    threaded = ChannelRef(platform="local", channel="social", thread="t")
    for target in (publication.target, threaded):
        with pytest.raises(Conflict, match="a post for local:social"):
            await put(store, make_publication(review=publication.review, target=target))
    await put(store, make_publication(review=publication.review, target=DRAFTS))


async def test_a_claim_takes_what_is_due_earliest_first(store: OpenStore) -> None:
    future = make_publication(due_at=later(100))
    second = make_publication(due_at=later(2))
    first = make_publication(due_at=later(1))
    await put(store, future, second, first)
    assert await claim(store, after=0) is None
    claimed = await claim(store, after=5)
    assert claimed == replace(
        first,
        state=PublicationState.SENDING,
        fence=1,
        worker="w",
        lease_until=later(5) + LEASE,
        version=1,
    )
    ids = [job.id if (job := await claim(store, after=5)) else None for _ in range(2)]
    assert ids == [second.id, None]


async def test_a_sender_that_was_frozen_is_refused(store: OpenStore) -> None:
    await put(store, make_publication())
    old = await claim(store)
    assert old is not None
    async with store.write() as tx:
        assert await tx.publications.expired(later(59)) == []
        assert await tx.publications.expired(later(60)) == [old]
        ambiguous = replace(old, state=PublicationState.AMBIGUOUS)
        settled = await tx.publications.update(ambiguous, was=old)
        assert await tx.publications.expired(later(60)) == []
    sent = replace(old, state=PublicationState.SENT, receipt=RECEIPT)
    with pytest.raises(StaleState):
        async with store.write() as tx:
            await tx.publications.update(sent, was=old)
    async with store.read() as tx:
        assert await tx.publications.get(old.id) == settled


async def test_many_senders_at_once_never_share_a_post(store: OpenStore) -> None:
    publications = [make_publication() for _ in range(20)]
    await put(store, *publications)

    async def send() -> list[str]:
        mine = []
        while publication := await claim(store):
            mine.append(publication.id)
        return mine

    taken = await asyncio.gather(*(send() for _ in range(6)))
    everything = [one for mine in taken for one in mine]
    assert sorted(everything) == sorted(publication.id for publication in publications)


async def test_the_posts_of_an_asset_come_newest_first(store: OpenStore) -> None:
    old = make_publication(asset="a", created_at=later(0))
    new = make_publication(asset="a", created_at=later(1), target=DRAFTS)
    await put(store, old, new, make_publication())
    async with store.read() as tx:
        assert await tx.publications.of_asset("a") == [new, old]


async def test_a_fallback_goes_out_once_a_slot(store: OpenStore) -> None:
    first = make_publication(slot="monday")
    async with store.write() as tx:
        await tx.publications.add(first)
        await tx.publications.add(replace(first, id=new_id(), slot="tuesday"))
        with pytest.raises(Conflict):
            await tx.publications.add(replace(first, id=new_id()))


async def test_ended_posts_are_doubtful_once_their_time_has_come_earliest_first(
    store: OpenStore,
) -> None:
    sent, failed = PublicationState.SENT, PublicationState.FAILED
    second = make_publication(state=sent, check_at=later(5), tried_at=later(1))
    first = make_publication(state=PublicationState.AMBIGUOUS, check_at=later(4))
    third = make_publication(state=failed, check_at=later(6))
    settled, future = make_publication(state=sent), make_publication(state=sent, check_at=later(99))
    # One that still has to be sent is looked up when its turn has come.
    waiting = make_publication(check_at=later(0), due_at=later(500))
    await put(store, second, first, third, settled, future, waiting)
    async with store.read() as tx:
        assert await tx.publications.doubtful(later(3)) == []
        assert await tx.publications.doubtful(later(6)) == [first, second, third]


async def test_two_that_look_after_a_post_do_not_both_get_it(store: OpenStore) -> None:
    post = make_publication(state=PublicationState.SENT, check_at=later(0))
    await put(store, post)
    async with store.write() as tx:
        await tx.publications.update(replace(post, check_at=later(15)), was=post)
    with pytest.raises(StaleState):
        async with store.write() as tx:
            await tx.publications.update(replace(post, check_at=later(15)), was=post)


async def test_a_claim_leaves_the_posts_of_other_platforms(store: OpenStore) -> None:
    slack = make_publication(target=replace(DRAFTS, platform="slack"), due_at=later(1))
    local = make_publication(due_at=later(2))
    await put(store, slack, local)
    async with store.write() as tx:
        ask = partial(tx.publications.claim, "w", now=later(5), lease=LEASE)
        assert await ask(platforms=[]) is None
        mine = await ask(platforms=["local"])
        assert mine is not None
        assert mine.id == local.id
        assert await ask(platforms=["local"]) is None
        other = await ask(platforms=["local", "slack"])
        assert other is not None
        assert other.id == slack.id
