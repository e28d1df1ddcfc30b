"""Emoji in Discord: what stands on a card counts, however often and in which order it is told."""

import asyncio
from dataclasses import replace

import pytest

from bot.chat.discord_chat.heard import Did
from bot.chat.discord_chat.rest import DiscordRefused
from bot.chat.discord_chat.understanding.reacting import WRITTEN_AFTER_S
from bot.core.assets import AssetQuery
from bot.core.commands import Approve, Cancel, DeleteCard, TakeBack
from bot.core.errors import ChatUnavailable, Unavailable
from bot.core.lives import ReviewState
from bot.core.reviews import Answer, Review
from brand.kit_access import AccessRule
from tests.fakes.discord_folk import (
    ACCOUNTS,
    ACME,
    DRAFTS,
    THREAD,
    TWO_VOTES,
    DiscordFolk,
    gone,
    make_folk,
)
from tests.fakes.town import START
from tests.fakes.waiting import until

WORDS = "a red mug on a table"
YES, NO, MAIL = "✅", "❌", "✉️"


async def review_of(folk: DiscordFolk) -> Review:
    """The newest picture's review."""
    async with folk.town.house.store.read() as tx:
        [newest, *_] = await tx.assets.find(AssetQuery(brand="acme"))
        return (await tx.reviews.of_asset(newest.id))[0]


def said(folk: DiscordFolk) -> list[type]:
    """What the door was told."""
    return [type(command) for command, _ in folk.doorman.told]


@pytest.mark.parametrize("emoji", ["✅", "✔️", "✔", "👍", "👍🏽"])
async def test_an_approvers_emoji_approves_and_the_card_is_stamped(emoji: str) -> None:
    folk = await make_folk()
    card = await folk.in_review()
    await folk.react(emoji, "ana", card)
    assert folk.chat.cards[card].stamp.startswith("Approved by Ana")
    assert folk.told("ana") == []


@pytest.mark.parametrize("emoji", ["❌", "🚫"])
async def test_a_cross_rejects_without_a_reason(emoji: str) -> None:
    folk = await make_folk()
    card = await folk.in_review()
    await folk.react(emoji, "ana", card)
    assert folk.chat.cards[card].stamp.startswith("Rejected by Ana")


@pytest.mark.parametrize("chosen", ["shipit", ":shipit:", "<:shipit:42>", "<a:shipit:42>"])
async def test_emoji_that_an_administrator_chose_vote_too(chosen: str) -> None:
    folk = await make_folk(approve_emoji=("🚀", chosen), reject_emoji=("nope",))
    card = await folk.in_review()
    folk.rest.standing[(DRAFTS, card, "shipit:42")] = [ACCOUNTS["ana"]]
    heard = folk.emoji("shipit", "ana", card, emoji_id="42")
    await folk.work(heard)
    assert (await review_of(folk)).outcome is Answer.APPROVE


async def test_any_other_emoji_means_nothing() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    for emoji in ("🎉", "shipit"):
        await folk.react(emoji, "ana", card)
    assert said(folk) == []
    assert folk.rest.calls == []


async def test_two_replicas_that_hear_of_it_vote_once_and_say_nothing() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    await folk.work(folk.heard(Did.REACTED, "ana", message=card, emoji=YES, of_us=True, token=""))
    assert len((await review_of(folk)).votes) == 1
    assert folk.told("ana") == []
    assert said(folk) == [Approve]


async def test_what_was_taken_away_before_we_looked_does_not_count() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    put = folk.emoji(YES, "ana", card)
    taken = folk.emoji(YES, "ana", card, added=False)
    await folk.work(taken)
    await folk.work(put)
    assert (await review_of(folk)).state is ReviewState.OPEN
    assert said(folk) == []


async def test_what_is_put_back_before_we_looked_counts() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    taken = folk.emoji(YES, "ana", card, added=False)
    put = folk.emoji(YES, "ana", card)
    await folk.work(put)
    await folk.work(taken)
    assert [vote.name for vote in (await review_of(folk)).votes] == ["Ana"]


async def test_an_emoji_that_is_taken_away_takes_the_vote_back_while_it_is_open() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    await folk.react(YES, "ana", card, added=False)
    assert (await review_of(folk)).votes == ()
    await folk.react(YES, "ana", card)
    assert len((await review_of(folk)).votes) == 1


async def test_a_vote_by_button_stays_whatever_happens_to_emoji() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.press("Approve", "ana", on=card)
    await folk.react(YES, "ana", card)
    await folk.react(YES, "ana", card, added=False)
    assert len((await review_of(folk)).votes) == 1


async def test_a_decision_stands_whatever_is_taken_away_afterwards() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    await folk.react(YES, "ana", card, added=False)
    assert (await review_of(folk)).state is ReviewState.DECIDED
    assert TakeBack not in said(folk)
    assert folk.told("ana") == []


async def test_a_cross_that_is_taken_away_leaves_a_yes() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    await folk.react(NO, "ana", card)
    await folk.react(NO, "ana", card, added=False)
    assert [vote.answer for vote in (await review_of(folk)).votes] == [Answer.APPROVE]
    assert folk.told("ana") == []


async def test_one_of_two_approving_emoji_that_goes_leaves_the_vote() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    await folk.react("👍", "ana", card)
    await folk.react("👍", "ana", card, added=False)
    assert len((await review_of(folk)).votes) == 1
    await folk.react(YES, "ana", card, added=False)
    assert (await review_of(folk)).votes == ()


async def test_a_cross_beside_a_yes_counts_once_the_yes_is_gone() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    await folk.react(NO, "ana", card)
    assert (await review_of(folk)).state is ReviewState.OPEN
    await folk.react(YES, "ana", card, added=False)
    assert (await review_of(folk)).outcome is Answer.REJECT


async def test_an_emoji_that_is_put_back_while_its_vote_is_taken_back_counts() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    folk.rest.meanwhile = lambda: folk.react(YES, "ana", card)
    await folk.react(YES, "ana", card, added=False)
    assert len((await review_of(folk)).votes) == 1


async def test_an_emoji_that_is_back_when_we_hear_it_went_speaks_with_its_givers_roles() -> None:
    rule = AccessRule(name="approvers", platform="discord", roles=("7",), may=("approve",))
    folk = await make_folk(replace(ACME, access=(rule,)))
    card = await folk.in_review()
    there = folk.emoji(YES, "ana", card, roles=("7",))
    await folk.work(replace(there, did=Did.UNREACTED, roles=()))
    assert folk.told("ana") == []
    assert (await review_of(folk)).outcome is Answer.APPROVE


async def test_a_refused_vote_is_told_once_in_the_direct_messages() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    for _ in range(2):
        await folk.react(YES, "mia", card)
    [refusal] = folk.told("mia")
    assert "can't approve" in refusal.lines[0]
    await folk.react(YES, "eve", card)
    [stranger] = folk.told("eve")
    assert "I don't know you yet" in stranger.lines[0]


async def test_whoever_comes_too_late_is_told_what_stands() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    await folk.react(YES, "ben", card)
    [refusal] = folk.told("ben")
    assert refusal.lines[0].startswith("Approved by Ana")


async def test_nobody_approves_their_own_request_by_an_emoji() -> None:
    folk = await make_folk()
    card = await folk.in_review("ana")
    await folk.react(YES, "ana", card)
    assert folk.told("ana")[0].lines[0] == "Nobody approves their own request."
    assert (await review_of(folk)).votes == ()


async def test_a_card_in_a_thread_is_known_by_the_thread() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.COMMAND, command="imagine", thread=THREAD)
    await folk.work(replace(heard, options=(("prompt", WORDS),)))
    job = folk.message("job")
    assert folk.emoji(NO, "mia", job).channel == THREAD
    await folk.react(NO, "mia", job)
    assert folk.rest.deleted == [(THREAD, job)]


async def test_where_discord_shows_no_reactions_the_event_has_to_do() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    folk.rest.errors = [DiscordRefused("Missing Access", error=50001, status=403)]
    await folk.react(YES, "ana", card)
    assert (await review_of(folk)).outcome is Answer.APPROVE


async def test_a_message_that_is_gone_has_no_votes() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    folk.rest.errors = [gone()]
    await folk.react(YES, "ana", card)
    assert said(folk) == []


async def test_where_discord_is_away_it_is_looked_at_later() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    folk.rest.errors = [ChatUnavailable("Discord is away.", retry_after_s=1)]
    heard = folk.emoji(YES, "ana", card)
    with pytest.raises(Unavailable):
        await folk.understanding.work(heard)
    await folk.work(heard)
    assert (await review_of(folk)).outcome is Answer.APPROVE


async def test_an_emoji_that_is_quicker_than_our_note_of_the_card_counts() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    job = folk.message("job")
    await folk.understanding.work(folk.pressed("Send to approval for #social", on=job))
    cards = folk.chat.next_id, str(int(folk.chat.next_id) + 1)
    at = START.timestamp() + 1
    early = []
    for card in cards:
        folk.rest.standing[(DRAFTS, card, YES)] = [ACCOUNTS["ana"]]
        heard = folk.heard(Did.REACTED, "ana", message=card, emoji=YES, of_us=True, at=at)
        early.append(asyncio.create_task(folk.understanding.work(heard)))
    await until(lambda: folk.town.clock.sleeping == len(cards))
    await folk.send_all()
    assert folk.message("review") in cards
    await folk.town.clock.advance(WRITTEN_AFTER_S)
    await asyncio.gather(*early)
    assert said(folk).count(Approve) == 1


async def test_a_letter_brings_the_recipe_by_direct_message_once() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    for _ in range(2):
        await folk.react(MAIL, "mia", folk.message("job"))
    [recipe] = folk.told("mia")
    assert recipe.title == f"Recipe: {WORDS}"
    assert {"seed", "model", "recipe", "class"} <= {field.label for field in recipe.fields}
    assert recipe.hint.startswith(f"/imagine {WORDS}")
    assert recipe.pictures


async def test_strangers_letters_and_crosses_on_pictures_are_nobodys_business() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    folk.doorman.told.clear()
    for emoji in (MAIL, NO):
        await folk.react(emoji, "eve", folk.message("job"))
    assert (said(folk), folk.told("eve"), folk.rest.deleted) == ([], [], [])


async def test_a_cross_deletes_the_card_of_whoever_asked_or_looks_after_the_brand() -> None:
    for who in ("mia", "ana", "ida"):
        folk = await make_folk()
        await folk.type("imagine", prompt=WORDS)
        card = folk.message("job")
        await folk.react(NO, who, card)
        assert folk.rest.deleted == [(DRAFTS, card)]
        assert folk.told(who) == []


async def test_a_card_that_was_deleted_does_not_come_back_with_its_pictures_fate() -> None:
    folk = await make_folk()
    review = await folk.in_review()
    job = folk.message("job")
    await folk.react(NO, "mia", job)
    folk.chat.sent.clear()
    await folk.react(YES, "ana", review)
    assert (await review_of(folk)).outcome is Answer.APPROVE
    assert {one.card.kind for one in folk.chat.sent} == {"review"}


async def test_a_cross_on_somebody_elses_card_deletes_nothing() -> None:
    folk = await make_folk()
    await folk.type("imagine", "ana", prompt=WORDS)
    await folk.react(NO, "mia", folk.message("job"))
    assert folk.rest.deleted == []
    assert folk.told("mia")[0].lines[0] == "This belongs to someone else."


async def test_a_cross_on_what_is_being_made_cancels_it_and_a_second_one_deletes() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.COMMAND, command="imagine", options=(("prompt", WORDS),))
    await folk.understanding.work(heard)
    await folk.send_all()
    card = folk.message("job")
    await folk.react(NO, "mia", card)
    assert folk.chat.cards[card].state == "cancelled"
    assert folk.rest.deleted == []
    await folk.react(NO, "mia", card, added=False)
    await folk.react(NO, "mia", card)
    assert folk.rest.deleted == [(DRAFTS, card)]


async def test_who_hears_of_a_cross_twice_deletes_once() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    card = folk.message("job")
    for _ in range(2):
        await folk.react(NO, "mia", card)
    async with folk.town.house.store.read() as tx:
        events = [e for e in await tx.ledger.recent() if e.action == "card.deleted"]
    assert len(events) == 1
    assert DeleteCard in said(folk)
    assert Cancel not in said(folk)


async def test_a_cross_that_is_gone_before_we_looked_deletes_nothing() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    card = folk.message("job")
    put = folk.emoji(NO, "mia", card)
    folk.emoji(NO, "mia", card, added=False)
    await folk.work(put)
    assert folk.rest.deleted == []
