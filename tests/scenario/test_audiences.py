"""A channel that becomes public while something is under way gets no drafts from then on."""

from dataclasses import replace

import pytest

from bot.core.commands import Imagine, SendToApproval
from bot.core.live import LiveProgress
from bot.core.messages import Card, PictureRef
from bot.core.progressing import tell_progress
from bot.core.sending import Sender
from brand.templates import Brief
from tests.fakes.clock import START
from tests.fakes.town import Town
from tests.scenario.conftest import candidate

PREVIEW = PictureRef(asset="", blob="f" * 64, alt="so far", width=64, height=64)


async def make_public(town: Town) -> None:
    """The kit now says that everybody reads #drafts."""
    channels = tuple(replace(channel, audience="public") for channel in town.kit.channels)
    async with town.house.store.write() as tx:
        kit = replace(town.kit, version="2", channels=channels)
        await tx.kits.put(kit, source="", at=START)


async def send_all(town: Town) -> None:
    sender = Sender(town.house, "s1")
    while await sender.run_one():
        pass


def says_nothing(card: Card) -> bool:
    """Whether it holds neither the picture nor a word of it."""
    return not (card.pictures or card.preview or card.buttons or "mug" in repr(card))


@pytest.mark.parametrize("sent_before", [True, False], ids=["stood there", "still to be sent"])
async def test_a_draft_goes_to_the_requester_once_its_channel_is_public(
    town: Town, sent_before: bool
) -> None:
    await town.say(Imagine(brief=Brief(words="a red mug")))
    if sent_before:
        await send_all(town)
    await make_public(town)
    await town.settle()
    [there] = town.chat.shown("drafts")
    assert there.title == "Moved to direct messages"
    assert says_nothing(there)
    [card] = town.chat.shown("@mia")
    assert (card.state, len(card.pictures)) == ("done", 1)
    assert "Share" in {button.label for button in card.pictures[0].buttons}, "as in one's own line"


async def test_a_draft_of_who_has_left_is_shown_nowhere(town: Town) -> None:
    await town.say(Imagine(brief=Brief(words="a red mug")))
    await send_all(town)
    mia = town.people["mia"]
    async with town.house.store.write() as tx:
        await tx.people.update(replace(mia, active=False), was=mia)
    await make_public(town)
    await town.settle()
    assert [says_nothing(card) for card in town.chat.cards.values()] == [True]


async def test_a_preview_is_not_shown_in_a_channel_that_is_public_now(town: Town) -> None:
    card = await town.say(Imagine(brief=Brief(words="a red mug")))
    async with town.house.store.write() as tx:
        job = await tx.jobs.claim("w1", now=town.clock.now(), lease=town.house.lease)
    assert job is not None
    town.house.live.put(job.id, LiveProgress(fraction=0.5))
    await tell_progress(town.house, job.id, PREVIEW)
    await send_all(town)
    assert [shown.preview for shown in town.chat.shown("drafts")] == [PREVIEW]
    await make_public(town)
    assert await tell_progress(town.house, job.id, PREVIEW)
    await send_all(town)
    assert all(map(says_nothing, town.chat.shown("drafts")))
    [line] = town.chat.shown("@mia")
    assert (line.subject, line.preview) == (card.subject, PREVIEW)


async def test_what_comes_of_a_finished_draft_is_not_told_in_public(town: Town) -> None:
    asset = await candidate(town)
    assert not says_nothing(town.chat.shown("drafts")[0])
    await make_public(town)
    await town.say(SendToApproval(asset=asset.id))
    await town.settle()
    assert all(map(says_nothing, town.chat.shown("drafts")))
    [told] = town.chat.shown("@mia")
    assert told.pictures[0].caption.startswith("Sent to approval")
