"""After a lost connection: the emoji on open reviews are read anew."""

from dataclasses import replace

import pytest

from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.assets import AssetQuery
from bot.core.errors import ChatUnavailable, Unavailable
from bot.core.lives import ReviewState
from bot.core.reviews import Answer, Review
from brand.kit import Channel
from tests.fakes.discord_folk import ACME, DRAFTS, TWO_VOTES, DiscordFolk, gone, make_folk

YES, NO = "✅", "❌"


async def review_of(folk: DiscordFolk) -> Review:
    """The newest picture's review."""
    async with folk.town.house.store.read() as tx:
        [newest, *_] = await tx.assets.find(AssetQuery(brand="acme"))
        return (await tx.reviews.of_asset(newest.id))[0]


def unheard(folk: DiscordFolk, emoji: str, who: str, card: str, *, added: bool = True) -> None:
    """Put an emoji there, or take it away, of which nobody tells us."""
    folk.emoji(emoji, who, card, added=added)


async def test_a_vote_that_was_missed_counts_after_the_resync() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    unheard(folk, YES, "ana", card)
    await folk.resync()
    assert folk.chat.cards[card].stamp.startswith("Approved by Ana")


async def test_a_rejection_that_was_missed_counts() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    unheard(folk, NO, "ben", card)
    await folk.resync()
    assert (await review_of(folk)).outcome is Answer.REJECT


async def test_emoji_that_are_not_votes_are_not_asked_about() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    unheard(folk, "🎉", "ana", card)
    await folk.resync()
    assert "reactors" not in folk.rest.calls
    assert (await review_of(folk)).state is ReviewState.OPEN


async def test_an_emoji_that_was_taken_away_meanwhile_takes_its_vote_back() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    unheard(folk, YES, "ana", card, added=False)
    await folk.resync()
    assert (await review_of(folk)).votes == ()


async def test_a_mind_that_was_changed_meanwhile_counts_as_it_is_now() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    unheard(folk, NO, "ana", card)
    unheard(folk, YES, "ana", card, added=False)
    await folk.resync()
    assert (await review_of(folk)).outcome is Answer.REJECT


async def test_only_the_card_that_was_cleared_of_its_emoji_is_read_anew() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    unheard(folk, YES, "ana", card, added=False)
    folk.rest.calls.clear()
    await folk.work(Heard(did=Did.RESYNC, key="resync:1", message="77"))
    assert folk.rest.calls == []
    await folk.work(Heard(did=Did.RESYNC, key="resync:2", message=card))
    assert (await review_of(folk)).votes == ()


async def test_a_vote_that_comes_while_emoji_are_read_anew_stays() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    folk.rest.meanwhile = lambda: folk.react(YES, "ana", card)
    await folk.resync()
    assert len((await review_of(folk)).votes) == 1


async def test_a_vote_by_button_needs_no_emoji_to_stand() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.press("Approve", "ana", on=card)
    await folk.resync()
    assert [vote.name for vote in (await review_of(folk)).votes] == ["Ana"]


async def test_the_second_of_two_votes_decides_and_the_first_one_stays() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    unheard(folk, YES, "ben", card)
    await folk.resync()
    review = await review_of(folk)
    assert [vote.name for vote in review.votes] == ["Ana", "Ben"]
    assert review.outcome is Answer.APPROVE


@pytest.mark.parametrize("error", [10008, 50001])
async def test_what_cannot_be_read_takes_nothing_away(error: int) -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.react(YES, "ana", card)
    unheard(folk, YES, "ana", card, added=False)
    folk.rest.errors = [gone(error)]
    await folk.resync()
    assert len((await review_of(folk)).votes) == 1


async def test_one_card_that_cannot_be_read_leaves_the_others_theirs() -> None:
    folk = await make_folk()
    first = await folk.in_review()
    await folk.type("imagine", prompt="a blue cup on a chair")
    jobs = [m for m, c in folk.chat.cards.items() if c.kind == "job"]
    await folk.press("Send to approval for #social", on=jobs[-1])
    [second] = [m for m, c in folk.chat.cards.items() if c.kind == "review" and m != first]
    unheard(folk, YES, "ana", second)
    folk.rest.errors = [DiscordRefused("Missing Access", error=50001, status=403)]
    await folk.resync()
    assert folk.chat.cards[second].stamp.startswith("Approved by Ana")


async def test_where_discord_is_away_it_is_done_later_and_once() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    unheard(folk, YES, "ana", card)
    heard = Heard(did=Did.RESYNC, key="resync:1")
    folk.rest.errors = [ChatUnavailable("Discord is away.", retry_after_s=1)]
    with pytest.raises(Unavailable):
        await folk.understanding.work(heard)
    await folk.work(heard)
    await folk.work(heard)
    assert len((await review_of(folk)).votes) == 1


async def test_who_voted_by_an_emoji_speaks_with_their_roles() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    unheard(folk, YES, "ana", card)
    await folk.resync()
    [(_, actor)] = folk.doorman.told
    assert actor.groups == {"discord:7"}
    assert actor.place == "discord:500"
    assert actor.channel is not None
    assert actor.channel.channel == DRAFTS


async def test_a_refusal_is_not_repeated_at_every_resync() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    unheard(folk, YES, "mia", card)
    for _ in range(3):
        await folk.resync()
    assert len(folk.told("mia")) == 1


async def test_servers_that_are_not_listed_have_no_votes() -> None:
    folk = await make_folk(guilds=("77",))
    card = await folk.in_review()
    unheard(folk, YES, "ana", card)
    await folk.resync()
    assert (await review_of(folk)).votes == ()


async def test_over_reviews_are_not_read() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    await folk.press("Approve", "ana", on=card)
    folk.rest.calls.clear()
    await folk.resync()
    assert folk.rest.calls == []


async def test_a_reviews_cards_in_other_chats_are_none_of_discords_business() -> None:
    desk = Channel(name="#desk", audience="working", platform="local", id="desk")
    folk = await make_folk(replace(ACME, channels=(*ACME.channels, desk)))
    card = await folk.in_review()
    assert [shown.kind for shown in folk.town.chat.shown("desk")] == ["review"]
    unheard(folk, YES, "ana", card)
    await folk.resync()
    assert folk.rest.calls.count("emoji_on") == 1
    assert (await review_of(folk)).outcome is Answer.APPROVE
