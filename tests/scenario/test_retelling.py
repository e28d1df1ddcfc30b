"""A card whose buttons were taken away stands as it should be again."""

from dataclasses import replace

from bot.core.commands import Approve
from bot.core.errors import ChatAmbiguous
from bot.core.ids import new_id
from bot.core.messages import ChannelRef
from bot.core.publishing import Publisher
from bot.core.retelling import retell
from tests.fakes.town import PUBLIC, WORKING, Town
from tests.scenario.conftest import candidate, in_review


async def test_the_standing_card_of_a_review_is_told_again_in_place(town: Town) -> None:
    review = await in_review(town)
    [(message, card)] = [(m, c) for m, c in town.chat.cards.items() if c.kind == "review"]
    town.chat.cards[message] = replace(card, buttons=())
    assert await retell(town.house, f"review:{review.id}", WORKING)
    await town.settle()
    assert town.chat.cards[message] == card


async def test_a_decided_review_is_told_with_its_stamp(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    await town.settle()
    assert await retell(town.house, f"review:{review.id}", WORKING)
    await town.settle()
    [card] = [card for card in town.chat.shown("drafts") if card.kind == "review"]
    assert card.stamp.startswith("Approved by Ana")


async def test_drafts_are_told_to_no_public_channel(town: Town) -> None:
    asset = await candidate(town)
    assert not await retell(town.house, f"job:{asset.job}", PUBLIC)
    await town.settle()
    assert town.chat.shown("social") == []


async def test_there_is_nothing_to_tell_of_what_is_not_there(town: Town) -> None:
    for subject in (f"job:{new_id()}", f"review:{new_id()}", "week:acme", ""):
        assert not await retell(town.house, subject, WORKING)


async def test_the_question_about_a_doubtful_post_is_asked_again(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    town.chat.before = [ChatAmbiguous("The line broke.")]
    assert await Publisher(town.house, "p1").run_one()
    await town.settle()
    line = ChannelRef(platform="local", channel="@ana")
    [question] = [c for c in town.chat.shown("@ana") if c.subject.startswith("publication")]
    assert await retell(town.house, question.subject, line)
    await town.settle()
    [again] = [c for c in town.chat.shown("@ana") if c.subject.startswith("publication")]
    assert again == question


async def test_a_card_where_drafts_may_not_stand_any_more_keeps_the_decision_alone(
    town: Town,
) -> None:
    review = await in_review(town)
    async with town.house.store.write() as tx:
        left = replace(town.kit, version="2", channels=town.kit.channels[:1])
        await tx.kits.put(left, source="", at=town.clock.now())
    await town.say(Approve(review=review.id), "ana")
    assert await retell(town.house, f"review:{review.id}", WORKING)
    await town.settle()
    [card] = [c for c in town.chat.shown("drafts") if c.subject.startswith("review:")]
    assert card.title.startswith("Approved by Ana")
    assert not card.pictures
    assert "mug" not in repr(card)
