"""Whose kit holds for a line, and what is said to the one who gave a command, and where."""

from dataclasses import replace

import pytest

from bot.core.answering import answer_here, elsewhere, is_shared, kit_in_force, sent_to_you
from bot.core.cards import error_card, reply_card
from bot.core.commands import Approve, Cancel, Imagine, SendToApproval, Share, Vary
from bot.core.errors import NotFound
from bot.core.messages import Audience, Card
from brand.kit import Channel
from brand.templates import Brief
from tests.fakes.town import KIT

ID = "0" * 22
OTHER = replace(KIT, id="beta", channels=(Channel(name="#beta", audience="working"),))
THEIRS = replace(
    KIT,
    id="gamma",
    channels=(Channel(name="#g", audience="working", platform="slack", id="C1", team="T1"),),
)
JOB = Card(kind="job", title="a mug", subject=f"job:{ID}", status="Queued, 3rd in line. I'll wait.")
REVIEW = Card(
    kind="review", title="a mug", subject=f"review:{ID}", stamp="Approved by Ana", footer="Goes."
)
ASKED = replace(
    REVIEW,
    lines=("Mia asks for #social, by Mon 09 Mar 09:00 UTC", "Template product"),
    status="Brand check: palette 92 %",
    stamp="",
    footer="",
)
PRIVATE = Imagine(brief=Brief(words="a mug", private=True))
OPEN = Imagine(brief=Brief(words="a mug"))


def test_a_channels_own_brand_holds_in_it_else_the_chosen_one_else_the_first() -> None:
    kits = (KIT, OTHER)
    assert kit_in_force(kits, "local", "beta") is OTHER
    assert kit_in_force(kits, "local", "beta", chosen="acme") is OTHER
    assert kit_in_force(kits, "local", "@mia", chosen="beta") is OTHER
    assert kit_in_force(kits, "local", "@mia") is KIT


def test_a_channel_of_another_workspace_is_not_the_brands() -> None:
    kits = (KIT, THEIRS)
    assert kit_in_force(kits, "slack", "C1", "T1") is THEIRS
    assert kit_in_force(kits, "slack", "C1", "T2") is KIT


def test_only_a_request_that_is_not_private_is_seen_by_the_others() -> None:
    assert is_shared(OPEN)
    assert not is_shared(PRIVATE)
    assert not is_shared(Vary(asset=ID))


@pytest.mark.parametrize("command", [OPEN, Vary(asset=ID)])
def test_a_jobs_card_that_comes_by_itself_needs_no_answer(command: object) -> None:
    for audience in (Audience.REQUESTER, Audience.WORKING):
        assert answer_here(command, JOB, audience=audience) is None


def test_a_draft_that_stands_elsewhere_is_told_of() -> None:
    card = answer_here(OPEN, JOB, audience=Audience.PUBLIC, room_name="social", own="our DM")
    assert card is not None
    assert (card.title, card.lines) == (
        "Queued, 3rd in line",
        ("Drafts stay out of #social, which is public.",),
    )
    assert card.fix == "Follow it in our DM."
    asked = answer_here(PRIVATE, JOB, audience=Audience.WORKING)
    assert asked is not None
    assert asked.lines == ("You asked for it privately.",)


def test_private_cards_are_the_answer_themselves() -> None:
    for card in (reply_card("Done"), error_card(NotFound("Nothing."))):
        assert answer_here(Cancel(), card, audience=Audience.PUBLIC) is card


def test_a_button_is_answered_by_the_card_that_it_stands_on() -> None:
    approve = Approve(review=ID)
    here = Audience.WORKING
    assert answer_here(approve, REVIEW, audience=here, standing=REVIEW.subject) is None
    assert answer_here(Cancel(job=ID), JOB, audience=here, standing=JOB.subject) is None
    send = SendToApproval(asset=ID)
    assert answer_here(send, REVIEW, audience=here, standing=JOB.subject) is None


def test_a_typed_vote_is_told_what_came_of_it() -> None:
    card = answer_here(Approve(review=ID), REVIEW, audience=Audience.WORKING)
    assert card is not None
    assert (card.title, card.lines, card.private) == ("Approved by Ana", ("a mug", "Goes."), True)


def test_a_typed_cancel_is_told_what_came_of_it() -> None:
    gone = replace(JOB, status="Cancelled. Nothing was posted.")
    card = answer_here(Cancel(), gone, audience=Audience.REQUESTER)
    assert card is not None
    assert card.title == "Cancelled. Nothing was posted."


def test_an_unnamed_channel_is_this_one() -> None:
    assert elsewhere(JOB, "", Audience.PUBLIC).lines[0].startswith("Drafts stay out of this")
    assert "our DM" in sent_to_you(JOB, own="our DM").lines[0]


@pytest.mark.parametrize("command", [SendToApproval(asset=ID), Share(asset=ID)])
def test_who_asks_for_approval_is_told_where_and_until_when(command: object) -> None:
    answer = answer_here(command, ASKED, audience=Audience.WORKING)
    assert answer is not None
    assert answer.title == "Sent to approval"
    assert answer.lines == ("a mug", "Mia asks for #social, by Mon 09 Mar 09:00 UTC")


@pytest.mark.parametrize("command", [SendToApproval(asset=ID), Share(asset=ID)])
def test_a_button_that_asks_for_approval_changes_the_card_that_it_stands_on(
    command: object,
) -> None:
    assert answer_here(command, ASKED, audience=Audience.WORKING, standing=f"job:{ID}") is None


def test_the_first_of_several_votes_is_confirmed() -> None:
    lines = ("Mia asks for #social, by Mon 09 Mar 09:00 UTC · 1 of 2 approvals",)
    card = replace(ASKED, lines=lines)
    answer = answer_here(Approve(review=ID), card, audience=Audience.WORKING)
    assert answer is not None
    assert (answer.title, answer.lines) == ("Your vote counts", ("a mug", *lines))


def test_sharing_what_is_approved_says_what_becomes_of_it() -> None:
    card = reply_card("Shared", "Goes to #social now.")
    answer = answer_here(Share(asset=ID), card, audience=Audience.WORKING, standing=f"job:{ID}")
    assert answer is card
