"""What Slack delivers more than once happens once: one job, one decision, one answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.chat.slack_chat.options import Mode
from bot.core.ledger import EventQuery
from storage.database import open_store
from storage.inbox import JournalInbox
from tests.fakes import chat_town
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import anywhere, button_of, pictured
from tests.fakes.slack.state import Message, View
from tests.fakes.slack_town import Running, SlackTown, make_slack_town, running
from tests.fakes.waiting import until

BY_BOTH = pytest.mark.parametrize("slack_house", list(Mode), ids=str, indirect=True)
"""Slack sends again in another way by sockets than by HTTP."""


async def settled(slack: FakeSlack, *houses: Running) -> None:
    """Wait until nothing is delivered, worked off or said any more."""
    await slack.delivery.idle()
    for house in houses:
        await chat_town.settled(house.house)


def words_of(form: View) -> str:
    """The block of the words."""
    return next(b["block_id"] for b in form.blocks() if "words" in str(b.get("block_id")))


@BY_BOTH
async def test_a_command_that_comes_three_times_is_one_job_with_one_card(
    slack_house: Running,
) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS", copies=3)
    await slack.message("C0DRAFTS", pictured)
    await settled(slack, slack_house)
    assert len(await slack_house.town.jobs()) == 1
    assert len(slack.messages("C0DRAFTS")) == 1
    assert mia.ephemerals() == []


@BY_BOTH
async def test_an_answer_to_one_person_is_said_once(slack_house: Running) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    await mia.command("/imagine", "queue", channel="C0DRAFTS", copies=3)
    await until(mia.ephemerals)
    await settled(slack, slack_house)
    assert len(mia.ephemerals()) == 1


@BY_BOTH
async def test_an_event_whose_acknowledgement_was_lost_is_one_job(slack_house: Running) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    slack.delivery.lose = 2
    receipt = await mia.mention("a red mug", channel="C0DRAFTS")
    assert not receipt.acked
    await until(lambda: receipt.acked)
    await slack.message("C0DRAFTS", pictured)
    await settled(slack, slack_house)
    assert len(receipt.attempts) == 3
    assert len(await slack_house.town.jobs()) == 1


@BY_BOTH
async def test_an_event_that_comes_again_after_it_was_done_is_one_job(
    slack_house: Running,
) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    receipt = await mia.mention("a red mug", channel="C0DRAFTS")
    await slack.message("C0DRAFTS", pictured)
    await settled(slack, slack_house)
    await slack.delivery.again(receipt)
    await settled(slack, slack_house)
    assert len(await slack_house.town.jobs()) == 1


@BY_BOTH
async def test_a_form_that_is_sent_off_twice_is_one_job(slack_house: Running) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    await mia.command("/imagine", channel="C0DRAFTS")
    form = await slack.form(mia, "imagine")
    mia.fill(form, {words_of(form): "a red mug"})
    await asyncio.gather(mia.submit(form), mia.submit(form))
    await slack.message("C0DRAFTS", pictured)
    await settled(slack, slack_house)
    assert len(await slack_house.town.jobs()) == 1


async def _review(house: Running) -> Message:
    slack, mia = house.slack, house.slack.person("U0MIA")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    card = await slack.message("C0DRAFTS", pictured)
    await mia.click(card, button_of(card, "do:send:"))
    return await anywhere(slack, lambda m: button_of(m, "do:approve:"))


async def _decisions(house: Running) -> int:
    async with house.house.store.read() as tx:
        return len(await tx.ledger.find(EventQuery(action="review.decided")))


@BY_BOTH
async def test_an_approval_that_comes_three_times_counts_once(slack_house: Running) -> None:
    review = await _review(slack_house)
    ana = slack_house.slack.person("U0ANA")
    await ana.click(review, button_of(review, "do:approve:"), copies=3)
    await _decided_once(slack_house)


@pytest.mark.parametrize("others", [("U0ANA", "U0ANA"), ("U0ANA", "U0BEN")])
async def test_of_two_clicks_at_once_one_counts(
    slack: FakeSlack, slack_town: SlackTown, others: tuple[str, str]
) -> None:
    async with running(slack, slack_town) as house:
        review = await _review(house)
        approve = button_of(review, "do:approve:")
        clicks = [slack.person(user).click(review, approve, stale=True) for user in others]
        await asyncio.gather(*clicks)
        await _decided_once(house)


async def _decided_once(house: Running) -> None:
    await house.slack.message("C0SOCIAL", pictured)
    await settled(house.slack, house)
    assert await _decisions(house) == 1
    assert len(house.slack.messages("C0SOCIAL")) == 1


@pytest.fixture
async def shared_town(tmp_path: Path) -> AsyncIterator[SlackTown]:
    """A town in a database, for two houses."""
    store = await open_store(f"sqlite:///{tmp_path / 'town.db'}")
    yield await make_slack_town(store=store)
    await store.close()


async def test_two_houses_with_two_sockets_each_make_one_job_of_each_command(
    slack: FakeSlack, shared_town: SlackTown, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        houses = []
        for name in ("one", "two"):
            inbox = await JournalInbox.open(tmp_path / name)
            stack.push_async_callback(inbox.close)
            replica = running(slack, shared_town, mode=Mode.SOCKET, inbox=inbox)
            houses.append(await stack.enter_async_context(replica))
        mia = slack.person("U0MIA")
        deeds = [
            mia.command("/imagine", f"a mug with a {thing}", channel="C0DRAFTS", copies=4)
            for thing in ("cat", "dog", "fox", "hen", "bee")
        ]
        receipts = await asyncio.gather(*deeds)
        assert all(receipt.acked for receipt in receipts)
        assert all(socket.sent for socket in slack.sockets.open), "each took some"
        await until(lambda: len([m for m in slack.messages("C0DRAFTS") if pictured(m)]) == 5)
        await settled(slack, *houses)
    assert len(await shared_town.jobs()) == 5
    assert len(slack.messages("C0DRAFTS")) == 5
