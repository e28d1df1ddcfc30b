"""What goes out with a picture is judged with it, and by the kit."""

import pytest

from bot.core.commands import Approve, SendToApproval, Share
from tests.fakes.town import Town
from tests.scenario.conftest import candidate, in_review

WORDS = "Our rivals are crooks"


@pytest.mark.parametrize("command", [SendToApproval, Share])
async def test_an_approver_reads_the_words_that_go_out(
    town: Town, command: type[SendToApproval | Share]
) -> None:
    asset = await candidate(town)
    said = f"Posted with: “{WORDS}”"
    assert said in (await town.say(command(asset=asset.id, caption=WORDS))).lines
    await town.settle()
    [card] = [card for card in town.chat.shown("drafts") if card.kind == "review"]
    assert said in card.lines
    await town.say(Approve(review=card.subject.removeprefix("review:")), "ana")
    async with town.house.store.read() as tx:
        [post] = await tx.publications.of_asset(asset.id)
    assert post.caption == WORDS


async def test_without_a_caption_the_words_that_were_asked_for_are_shown(town: Town) -> None:
    await in_review(town)
    [card] = [card for card in town.chat.shown("drafts") if card.kind == "review"]
    assert "Posted with: “a red mug”" in card.lines


@pytest.mark.parametrize("command", [SendToApproval, Share])
@pytest.mark.parametrize("caption", ["Mugs, so cheap!", "a ｃｈｅａｐ one"])
async def test_a_caption_with_a_banned_word_is_refused_with_its_rule(
    town: Town, command: type[SendToApproval | Share], caption: str
) -> None:
    asset = await candidate(town)
    card = await town.say(command(asset=asset.id, caption=caption))
    assert card.kind == "error"
    said = repr(card)
    assert "'cheap' (tone rule 4)" in said
    assert "affordable" in said
    async with town.house.store.read() as tx:
        assert not await tx.reviews.of_asset(asset.id)


async def test_a_caption_too_long_to_be_read_on_the_card_is_refused(town: Town) -> None:
    asset = await candidate(town)
    card = await town.say(SendToApproval(asset=asset.id, caption="x" * 1001))
    assert "1,001 characters" in repr(card)


async def test_what_is_approved_is_not_shared_with_other_words(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    card = await town.say(Share(asset=review.asset, caption=WORDS))
    assert (card.kind, card.lines) == (
        "error",
        ("This picture was approved with “a red mug”, so that is what goes out with it.",),
    )
