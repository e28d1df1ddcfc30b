"""What people press, choose in a message's menu or send off: one command, one answer."""

from dataclasses import replace

import pytest

from bot.chat.discord_chat.heard import Did
from bot.chat.discord_chat.surfaces import APPROVE, DETAILS, USE_AS_REFERENCE
from bot.core.actions import action
from bot.core.assets import Asset, AssetQuery
from bot.core.commands import Approve
from bot.core.lives import AssetState, ReviewState
from bot.core.reviews import Review
from tests.fakes.discord_folk import (
    DRAFTS,
    SOCIAL,
    THREAD,
    TWO_VOTES,
    DiscordFolk,
    make_folk,
)
from tests.fakes.uploads import png

WORDS = "a red mug on a table"


async def assets(folk: DiscordFolk) -> list[Asset]:
    """All pictures, newest first."""
    async with folk.town.house.store.read() as tx:
        return list(await tx.assets.find(AssetQuery(brand="acme")))


async def review_of(folk: DiscordFolk) -> Review:
    """The newest picture's review."""
    [newest, *_] = await assets(folk)
    async with folk.town.house.store.read() as tx:
        return (await tx.reviews.of_asset(newest.id))[0]


async def test_a_button_of_a_picture_makes_the_next_one_and_is_answered() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    heard = await folk.press("Vary strongly", on=folk.message("job"))
    assert len(await assets(folk)) == 2
    answer = folk.answers()[-1]
    assert answer.reply_to == heard.token
    assert answer.card.lines == ("The card is in this channel.",)


async def test_a_button_that_decides_stamps_the_card_and_says_so() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    await folk.press("Approve", "ana", on=card)
    assert folk.chat.cards[card].stamp.startswith("Approved by Ana")
    [answer] = folk.answers("ana")
    assert answer.card.title.startswith("Approved by Ana")


async def test_the_first_of_two_votes_is_answered_as_one() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.press("Approve", "ana", on=card)
    [answer] = folk.answers("ana")
    assert answer.card.title == "Your vote counts"


async def test_double_clicks_decide_once_and_the_second_is_told_what_stands() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    first, second = (folk.pressed("Approve", who, on=card) for who in ("ana", "ben"))
    await folk.work(first)
    await folk.work(second)
    assert len((await review_of(folk)).votes) == 1
    [refused] = folk.answers("ben")
    assert refused.card.lines[0].startswith("Approved by Ana")


async def test_a_click_on_what_is_over_brings_the_card_up_to_date() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    late = folk.pressed("Approve", "ben", on=card)
    await folk.press("Approve", "ana", on=card)
    stale = replace(folk.chat.cards[card], stamp="")
    folk.chat.cards[card] = stale
    await folk.work(late)
    assert folk.chat.cards[card].stamp.startswith("Approved by Ana")


async def test_whoever_may_not_is_refused_and_the_card_stays() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    before = folk.chat.cards[card]
    await folk.press("Approve", "mia", on=card)
    [refused] = folk.answers()
    assert refused.card.kind == "error"
    assert folk.chat.cards[card] == before


async def test_a_button_that_is_not_ours_is_answered_too() -> None:
    folk = await make_folk()
    await folk.work(folk.heard(Did.ACTION, action="unknown", message="77", of_us=True))
    [answer] = folk.answers()
    assert answer.card.lines[0] == "This button isn't one of ours."


async def test_a_reason_that_a_form_asked_for_reaches_the_requester() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    review = await review_of(folk)
    sent = f"reason:{action('reject', review.id)}"
    heard = folk.heard(Did.SUBMIT, "ana", message=card, of_us=True, action=sent, said="too dark")
    await folk.work(heard)
    assert folk.chat.cards[card].stamp.endswith(": too dark")
    assert folk.answers("ana")[0].card.title.endswith(": too dark")


async def test_new_words_make_a_new_picture() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    [asset] = await assets(folk)
    sent = f"words:{action('edit', asset.id)}"
    await folk.work(folk.heard(Did.SUBMIT, action=sent, said="a blue cup on a chair"))
    newest = (await assets(folk))[0]
    assert newest.words == "a blue cup on a chair"
    assert newest.spec.seed == asset.spec.seed


async def test_a_form_for_a_picture_that_starts_from_one_of_ours() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    [asset] = await assets(folk)
    heard = folk.heard(Did.SUBMIT, action=f"reference:reference:{asset.id}")
    await folk.work(replace(heard, options=(("prompt", "the same in blue"),)))
    newest = (await assets(folk))[0]
    assert newest.words == "the same in blue"
    assert newest.spec.init is not None


async def test_a_refused_form_gives_back_what_was_typed() -> None:
    folk = await make_folk()
    options = (("prompt", WORDS), ("aspect", "7:1"))
    await folk.work(folk.heard(Did.SUBMIT, action="imagine", options=options))
    [answer] = folk.answers()
    assert answer.card.kind == "error"
    assert answer.card.lines[-1] == f"What you asked for: `/imagine --ar 7:1 {WORDS}`"


async def test_refused_words_and_reasons_come_back_too() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    review = await review_of(folk)
    sent = f"reason:{action('reject', review.id)}"
    await folk.work(folk.heard(Did.SUBMIT, "mia", message=card, action=sent, said="too dark"))
    [answer] = folk.answers()
    assert answer.card.kind == "error"
    assert answer.card.lines[-1] == "What you wrote: `too dark`"


@pytest.mark.parametrize("kind", ["job", "review"])
async def test_details_of_a_card_are_its_recipe(kind: str) -> None:
    folk = await make_folk()
    await folk.in_review()
    await folk.choose(DETAILS, on=folk.message(kind))
    [answer] = folk.answers()
    [asset] = await assets(folk)
    facts = {field.label: field.value for field in answer.card.fields}
    assert facts["seed"] == str(asset.spec.seed)
    assert facts["recipe"] == asset.spec.hash


async def test_details_of_a_post_are_the_recipe_of_its_picture() -> None:
    folk = await make_folk()
    card = await folk.in_review()
    await folk.press("Approve", "ana", on=card)
    await folk.town.settle()
    [(post, _)] = folk.chat.posts.items()
    url = f"https://cdn.discordapp.com/attachments/1/2/hs-{post}.png?ex=1&is=2"
    heard = folk.heard(Did.MENU, channel=SOCIAL, command=DETAILS, message="88", of_us=True)
    await folk.work(replace(heard, files=(url,)))
    assert folk.answers()[-1].card.title == f"Recipe: {WORDS}"
    await folk.work(replace(heard, key="other", files=(url,), of_us=False))
    assert folk.answers()[-1].card.kind == "error"


async def test_details_of_anything_else_are_none() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.MENU, command=DETAILS, message="99")
    await folk.work(heard)
    assert "no picture in that message" in folk.answers()[0].card.lines[0]


async def test_approve_in_the_menu_of_a_review_or_of_its_jobs_card() -> None:
    folk = await make_folk(TWO_VOTES)
    card = await folk.in_review()
    await folk.choose(APPROVE, "ana", on=card)
    await folk.choose(APPROVE, "ben", on=folk.message("job"))
    review = await review_of(folk)
    assert review.state is ReviewState.DECIDED
    assert (await assets(folk))[0].state is AssetState.APPROVED


async def test_approve_in_the_menu_of_a_draft_says_that_nothing_waits() -> None:
    folk = await make_folk()
    await folk.type("imagine", "mia", prompt=WORDS)
    await folk.choose(APPROVE, "ana", on=folk.message("job"))
    [answer] = folk.answers("ana")
    assert answer.card.lines[0] == "No picture there waits for approval."
    assert not any(isinstance(command, Approve) for command, _ in folk.doorman.told)


async def test_a_picture_chosen_as_reference_is_kept_for_the_form_that_follows() -> None:
    folk = await make_folk()
    url = "https://cdn.discordapp.com/attachments/1/2/mug.png?ex=1"
    folk.rest.files[url] = png()
    menu = folk.heard(Did.MENU, command=USE_AS_REFERENCE, message="66", files=(url,), acked=False)
    await folk.work(menu)
    assert folk.answers() == []
    options = (("prompt", "the same in blue"),)
    await folk.work(folk.heard(Did.SUBMIT, action="imagine:66", options=options))
    [asset] = await assets(folk)
    assert asset.spec.init is not None


async def test_strangers_choose_nothing() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.MENU, "eve", command=USE_AS_REFERENCE, message="66", files=("x",))
    await folk.work(heard)
    [answer] = folk.answers("eve")
    assert "I don't know you yet" in answer.card.lines[0]


@pytest.mark.parametrize("who", ["eve", "ben"])
async def test_for_whom_no_form_opens_is_told_why(who: str) -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=WORDS)
    await folk.press("Use as reference", who, on=folk.message("job"))
    await folk.work(folk.heard(Did.MENU, who, command=USE_AS_REFERENCE, message="66"))
    why = "I don't know you yet" if who == "eve" else "You can't ask for pictures"
    assert [why in answer.card.lines[0] for answer in folk.answers(who)] == [True, True]


async def test_who_has_a_role_of_which_forms_do_not_know_yet_is_told_to_choose_again() -> None:
    folk = await make_folk()
    await folk.work(folk.heard(Did.MENU, command=USE_AS_REFERENCE, message="66"))
    [answer] = folk.answers()
    assert answer.card.fix == "Choose *Use as reference* once more."


async def test_a_click_in_a_thread_stays_in_the_thread() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.COMMAND, command="imagine", thread=THREAD)
    await folk.work(replace(heard, options=(("prompt", WORDS),)))
    folk.chat.sent.clear()
    await folk.press("Re-roll", on=folk.message("job"))
    assert {(one.channel, one.thread) for one in folk.targets()} == {(DRAFTS, THREAD)}
