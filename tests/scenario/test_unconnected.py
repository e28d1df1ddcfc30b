"""What is meant for a platform is left to the processes that are connected to it."""

from dataclasses import replace
from datetime import timedelta

from bot.core.commands import Approve
from bot.core.connected import NOBODY
from bot.core.ids import new_id
from bot.core.lives import OutboxState, PublicationState
from bot.core.messages import Card
from bot.core.ports import Outgoing
from bot.core.publications import Publication
from bot.core.publishing import Publisher
from bot.core.sending import Sender
from tests.fakes.town import WORKING, Town
from tests.scenario.conftest import in_review

LEASE = timedelta(seconds=15)


def elsewhere(town: Town) -> Town:
    """A process of the same house that is connected to another platform alone."""
    return replace(town, house=replace(town.house, chats={"slack": town.chat}))


async def put(town: Town) -> Outgoing:
    card = Card(kind="job", title="a red mug", subject="job:1")
    message = Outgoing(id=new_id(), target=WORKING, card=card, created_at=town.clock.now())
    async with town.house.store.write() as tx:
        await tx.outbox.add(message)
    return message


async def stored(town: Town, message: Outgoing) -> Outgoing:
    async with town.house.store.read() as tx:
        return await tx.outbox.get(message.id)


async def due(town: Town) -> Publication:
    """An approved post that waits for its publisher."""
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    return await record(town, review.asset)


async def record(town: Town, asset: str) -> Publication:
    async with town.house.store.read() as tx:
        (publication,) = await tx.publications.of_asset(asset)
    return publication


async def test_a_card_waits_for_a_process_that_is_connected(town: Town) -> None:
    message = await put(town)
    assert not await Sender(elsewhere(town).house, "s1").run_one()
    assert (await stored(town, message)).state is OutboxState.PENDING
    assert await Sender(town.house, "s2").run_one()
    assert (await stored(town, message)).state is OutboxState.SENT


async def test_a_card_in_doubt_is_looked_for_by_a_process_that_is_connected(town: Town) -> None:
    message = await put(town)
    async with town.house.store.write() as tx:
        assert await tx.outbox.claim("dead", now=town.clock.now(), lease=LEASE)
    town.clock.jump(60)
    assert not await Sender(elsewhere(town).house, "s1").run_one()
    assert (await stored(town, message)).state is OutboxState.SENDING
    assert await Sender(town.house, "s2").run_one()
    assert town.chat.looks == 1


async def test_a_card_for_a_platform_that_nobody_is_connected_to_fails_in_the_end(
    town: Town,
) -> None:
    message = await put(town)
    town.clock.jump(NOBODY.total_seconds())
    assert await Sender(elsewhere(town).house, "s1").run_one()
    failed = await stored(town, message)
    assert (failed.state, failed.error) == (OutboxState.FAILED, "local is not connected.")


async def test_a_post_waits_for_a_process_that_is_connected(town: Town) -> None:
    waiting = await due(town)
    assert not await Publisher(elsewhere(town).house, "p1").run_one()
    assert (await record(town, waiting.asset)).state is PublicationState.PENDING
    assert await Publisher(town.house, "p2").run_one()
    assert (await record(town, waiting.asset)).state is PublicationState.SENT


async def test_a_post_in_doubt_is_looked_for_by_a_process_that_is_connected(town: Town) -> None:
    waiting = await due(town)
    async with town.house.store.write() as tx:
        mine = await tx.publications.claim("dead", now=town.clock.now(), lease=LEASE)
        assert mine is not None
        await tx.publications.update(replace(mine, check_at=town.clock.now()), was=mine)
    town.clock.jump(60)
    assert not await Publisher(elsewhere(town).house, "p1").run_one()
    assert (await record(town, waiting.asset)).state is PublicationState.SENDING


async def test_who_asked_hears_of_a_post_for_a_platform_that_nobody_is_connected_to(
    town: Town,
) -> None:
    waiting = await due(town)
    town.clock.jump(NOBODY.total_seconds())
    assert await Publisher(elsewhere(town).house, "p1").run_one()
    failed = await record(town, waiting.asset)
    assert failed.state is PublicationState.FAILED
    assert "local is not connected" in failed.error
    await town.settle()
    assert any("Not posted" in card.title for card in town.chat.shown("@ana"))
