"""A card that its channel refuses is told to its people on their direct lines."""

from dataclasses import replace

from bot.core.commands import Imagine, SendToApproval
from bot.core.errors import ChatUnavailable
from bot.core.messages import Card, ChannelRef
from bot.core.people import Identity
from bot.core.planning_telling import WEEK
from bot.core.policy import direct_line
from bot.core.sending import MAX_ATTEMPTS, Sender
from bot.core.telling import say
from bot.core.undelivered import INSTEAD
from brand.templates import Brief
from tests.fakes.town import WORKING, Town
from tests.scenario.conftest import candidate, newest_asset

RED_MUG = Imagine(brief=Brief(words="a red mug"))


async def test_who_asks_in_a_channel_that_takes_nothing_hears_it_and_gets_the_picture(
    town: Town,
) -> None:
    town.chat.gone = {"drafts"}
    await town.say(RED_MUG)
    await town.settle()
    (job,) = [card for card in town.chat.shown("@mia") if card.kind == "job"]
    assert (job.state, len(job.pictures)) == ("done", 1)
    (reason,) = [card for card in town.chat.shown("@mia") if card.kind == "reply"]
    assert reason.lines == ("There is no channel #drafts.", INSTEAD)
    assert reason.fix == "Correct the kit."


async def test_the_reason_is_said_once_for_each_thing(town: Town) -> None:
    town.chat.gone = {"drafts"}
    for _ in range(2):
        await town.say(RED_MUG)
        await town.settle()
    asset = await newest_asset(town)
    await town.say(SendToApproval(asset=asset.id, channel="#social"))
    await town.settle()
    told = [card.subject for card in town.chat.shown("@mia") if card.kind == "reply"]
    assert len(told) == len(set(told)) == 3  # two jobs, one review


async def test_a_review_that_its_channel_refuses_reaches_the_approvers(town: Town) -> None:
    asset = await candidate(town)
    await town.settle()
    town.chat.gone = {"drafts"}
    await town.say(SendToApproval(asset=asset.id, channel="#social"))
    await town.settle()
    for line in ("@ana", "@ben"):
        (card,) = town.chat.shown(line)
        assert (card.kind, bool(card.buttons)) == ("review", True)
    assert town.chat.shown("@ida") == []


async def test_who_waits_for_a_card_that_can_never_be_sent_hears_it(town: Town) -> None:
    await town.say(RED_MUG)
    for _ in range(MAX_ATTEMPTS):
        town.chat.before = [ChatUnavailable("Not now.", retry_after_s=1)]
        assert await Sender(town.house, "s").run_one()
        town.clock.jump(1)
    await town.settle()
    (reason,) = [card for card in town.chat.shown("@mia") if card.kind == "reply"]
    assert reason.lines == ("Not now.", INSTEAD)


async def test_a_direct_line_that_takes_nothing_is_not_told_of_itself(town: Town) -> None:
    town.chat.gone = {"drafts", "@mia"}
    await town.say(RED_MUG)
    await town.settle()
    assert not town.chat.cards
    async with town.house.store.read() as tx:
        counts = await tx.outbox.counts()
    assert set(counts) <= {"failed", "superseded"}


async def test_a_week_that_its_channel_refuses_reaches_the_managers(town: Town) -> None:
    card = Card(kind="list", title="The week at Acme", subject=f"{WEEK}acme:2026-03-09")
    async with town.house.store.write() as tx:
        await say(tx, card, WORKING, town.clock.now())
    town.chat.gone = {"drafts"}
    await town.settle()
    titles = [shown.title for shown in town.chat.shown("@ida")]
    assert sorted(titles) == ["Message not delivered", "The week at Acme"]
    assert town.chat.shown("@mia") == []


async def test_the_reason_comes_in_the_workspace_of_the_channel(town: Town) -> None:
    mia = town.people["mia"]
    accounts = tuple(Identity(platform="local", user="mia", team=team) for team in ("T1", "T2"))
    asked_in = ChannelRef(platform="local", channel="drafts", team="T2")
    async with town.house.store.write() as tx:
        await tx.people.update(replace(mia, identities=accounts), was=mia)
    town.chat.gone = {"drafts"}
    await town.say(RED_MUG, where=asked_in)
    await town.settle()
    async with town.house.store.read() as tx:
        (job,) = await tx.jobs.recent(limit=5)
        lines = {
            team: await tx.outbox.message_of(f"job:{job.id}", direct_line("local", "mia", team))
            for team in ("T1", "T2")
        }
    assert (lines["T1"], bool(lines["T2"])) == (None, True)
