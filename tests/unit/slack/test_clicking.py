"""What people press in Slack: buttons go at once, every click counts once and gets an answer."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.modals.asking import ANSWER, Question, ask_view
from bot.chat.slack_chat.modals.reading import Origin
from bot.chat.slack_chat.understanding.clicking import FRESH_S, WRITTEN_AFTER_S
from bot.chat.slack_chat.understanding.understanding import RETELL_AFTER_S
from bot.chat.slack_chat.web import SlackRefused
from bot.core.assets import AssetQuery
from bot.core.cards import error_card
from bot.core.errors import ChatUnavailable, Conflict
from bot.core.ids import new_id
from bot.core.lives import OutboxState, ReviewState
from bot.core.messages import Actor, Card, ChannelRef, MessageRef
from bot.core.ports import Outgoing
from bot.core.reviewing import expire_overdue
from bot.core.reviews import Review
from tests.fakes.slack_desk import DRAFTS, TEAM, SlackDesk, make_desk
from tests.fakes.waiting import until

APPROVE, REJECT = "Approve", "Reject…"


async def asked(desk: SlackDesk) -> str:
    """The message of an open review in the working channel."""
    await desk.type("a red mug")
    job = desk.chat.cards[desk.message("job")]
    await desk.type(f"send {job.pictures[0].asset}")
    desk.chat.sent.clear()
    return desk.message("review")


async def review_of(desk: SlackDesk, message: str) -> Review:
    """The review that a message is about."""
    async with desk.town.house.store.read() as tx:
        return await tx.reviews.get(desk.chat.cards[message].subject.removeprefix("review:"))


async def events(desk: SlackDesk, action: str) -> int:
    """How often this stands in the ledger."""
    async with desk.town.house.store.read() as tx:
        return sum(event.action == action for event in await tx.ledger.recent(limit=1000))


def strips(desk: SlackDesk) -> list[dict[str, Any]]:
    """What was changed in place at once."""
    return [args for method, args in desk.webs.only.calls if method is Method.CHAT_UPDATE]


def reply_words(desk: SlackDesk, who: str) -> str:
    """All that was said to one person."""
    return " ".join(f"{card.title} {' '.join(card.lines)}" for card in desk.answers(who))


async def test_the_buttons_go_at_the_click_and_a_stamp_comes_in_their_place() -> None:
    desk = await make_desk()
    message = await asked(desk)
    await desk.press(APPROVE, "ana", on=message)
    [strip] = strips(desk)
    assert (strip["channel"], strip["ts"]) == (DRAFTS, message)
    assert [block["type"] for block in strip["blocks"]] == ["section", "section"]
    assert strip["text"]
    card = desk.chat.cards[message]
    assert card.buttons == ()
    assert card.stamp.startswith("Approved by Ana")
    assert desk.answers("ana") == []


async def test_a_double_click_makes_one_decision_and_is_answered() -> None:
    desk = await make_desk()
    message = await asked(desk)
    again = desk.pressed(APPROVE, "ana", on=message)
    await desk.press(APPROVE, "ana", on=message)
    await desk.work(again)
    assert await events(desk, "review.decided") == 1
    assert "Approved by Ana" in reply_words(desk, "ana")
    assert len(strips(desk)) == 1
    assert desk.chat.cards[message].stamp.startswith("Approved by Ana")


async def test_two_approvers_at_once_make_one_decision_and_both_see_it() -> None:
    desk = await make_desk()
    message = await asked(desk)
    clicks = [desk.pressed(APPROVE, who, on=message) for who in ("ana", "ben")]
    await asyncio.gather(*(desk.understanding.work(click) for click in clicks))
    await desk.town.settle()
    assert await events(desk, "review.decided") == 1
    assert len(desk.answers("ana")) + len(desk.answers("ben")) == 1
    assert desk.chat.cards[message].stamp.startswith("Approved by")
    assert len(desk.chat.posts) == 1


async def test_who_may_not_decide_is_told_so_and_the_buttons_stay() -> None:
    desk = await make_desk()
    message = await asked(desk)
    await desk.press(APPROVE, "mia", on=message)
    assert strips(desk) == []
    assert "can't approve" in reply_words(desk, "mia")
    assert len(desk.chat.cards[message].buttons) == 3
    [answer] = desk.chat.sent
    assert (answer.target.channel, answer.only_for) == (DRAFTS, "U0MIA")


async def test_a_stranger_who_presses_is_told_who_lets_them_in() -> None:
    desk = await make_desk()
    message = await asked(desk)
    await desk.press(APPROVE, "eve", on=message)
    assert "don't know you" in reply_words(desk, "eve")
    assert strips(desk) == []


async def test_a_click_after_the_deadline_is_told_so_and_the_card_shows_it() -> None:
    desk = await make_desk()
    message = await asked(desk)
    await desk.town.clock.advance(timedelta(days=8).total_seconds())
    assert await expire_overdue(desk.town.house) == 1
    await desk.press(APPROVE, "ana", on=message)
    assert "Expired on" in reply_words(desk, "ana")
    assert strips(desk) == []
    assert desk.chat.cards[message].buttons == ()


async def test_a_card_that_shows_what_is_over_is_told_anew() -> None:
    desk = await make_desk()
    message = await asked(desk)
    open_card = desk.chat.cards[message]
    await desk.press(APPROVE, "ana", on=message)
    desk.chat.cards[message] = open_card  # as a platform that showed an old state
    await desk.press(APPROVE, "ben", on=message)
    assert desk.chat.cards[message].stamp.startswith("Approved by Ana")


async def test_a_button_of_a_message_that_nobody_remembers_works_and_is_answered() -> None:
    desk = await make_desk()
    message = await asked(desk)
    await desk.press(APPROVE, "ana", on=message, message="0.9")
    assert (await review_of(desk, message)).state is ReviewState.DECIDED
    assert strips(desk) == []
    assert "Approved by Ana" in reply_words(desk, "ana")


@pytest.mark.parametrize(
    "action", ["", "approve", "approve:short", "dance:" + "0" * 22, "x" * 300, "link:;drop"]
)
async def test_a_button_that_is_not_ours_gets_an_answer(action: str) -> None:
    desk = await make_desk()
    await desk.do(Kind.ACTION, action=action, message="1.1")
    [card] = desk.answers()
    assert (card.kind, card.state) == ("error", "mistake")


async def test_a_button_of_a_thing_that_is_gone_gets_an_answer() -> None:
    desk = await make_desk()
    for verb in ("approve", "vary", "cancel", "settle", "use", "share", "reroll", "skip"):
        await desk.do(Kind.ACTION, action=f"{verb}:{new_id()}", message="1.1")
    assert [card.kind for card in desk.answers()] == ["error"] * 8


async def test_a_button_that_slack_will_not_take_away_is_as_good() -> None:
    desk = await make_desk()
    message = await asked(desk)
    desk.webs.only.errors = [SlackRefused("No such message.", code="message_not_found")]
    await desk.press(APPROVE, "ana", on=message)
    assert desk.chat.cards[message].stamp.startswith("Approved by Ana")


async def test_a_strip_whose_end_nobody_knows_is_put_right_afterwards() -> None:
    desk = await make_desk(strip_within_s=0.01)
    message = await asked(desk)
    desk.webs.only.hangs = True
    click = desk.pressed(APPROVE, "ana", on=message)
    working = asyncio.create_task(desk.understanding.work(click))
    await until(lambda: desk.town.clock.sleeping)
    await desk.town.settle()
    stamped = desk.chat.cards[message]
    assert stamped.stamp.startswith("Approved by Ana")
    desk.chat.cards[message] = replace(stamped, stamp="")  # the strip lands late
    await desk.town.clock.advance(RETELL_AFTER_S)
    await working
    await desk.town.settle()
    assert desk.chat.cards[message] == stamped


async def test_a_strip_that_waits_for_its_turn_is_left_out() -> None:
    desk = await make_desk()
    message = await asked(desk)
    desk.webs.only.errors = [ChatUnavailable("In a moment.", retry_after_s=9, queued=True)]
    await desk.press(APPROVE, "ana", on=message)
    sent = [m for m in desk.chat.sent if m.card.subject.startswith("review")]
    assert all(m.not_before is None for m in sent)


class RefusingDoor:
    """A door behind which somebody was faster."""

    async def dispatch(self, command: object, actor: Actor) -> Card:
        """Says so."""
        return error_card(Conflict("Someone else was faster."))


async def test_where_nothing_came_of_a_click_the_buttons_come_back() -> None:
    desk = await make_desk()
    message = await asked(desk)
    open_card = desk.chat.cards[message]
    desk.doorman.door = RefusingDoor()
    await desk.press(APPROVE, "ana", on=message)
    assert len(strips(desk)) == 1
    assert [m.card for m in desk.chat.sent if m.card.kind == "review"] == [open_card]
    assert "faster" in reply_words(desk, "ana")


async def test_cancelling_takes_the_buttons_of_a_running_job() -> None:
    desk = await make_desk()
    heard = desk.heard(Kind.COMMAND, text="a red mug", command="/imagine")
    await desk.understanding.work(heard)
    async with desk.town.house.store.read() as tx:
        [job] = await tx.jobs.unfinished()
    cancel = {"action": f"cancel:{job.id}", "message": "m1"}
    sender_told = desk.heard(Kind.ACTION, **cancel, blocks=json.dumps([{"type": "actions"}]))
    await desk.understanding.work(sender_told)  # its card is not sent yet: nobody knows it
    assert strips(desk) == []
    await desk.town.settle()
    assert desk.chat.cards[desk.message("job")].state == "cancelled"


async def test_making_more_of_a_picture_leaves_its_buttons_alone() -> None:
    desk = await make_desk()
    await desk.type("a red mug")
    message = desk.message("job")
    for label in ("Vary", "Vary strongly", "Upscale", "Re-roll"):
        await desk.press(label, on=message)
    assert strips(desk) == []
    assert desk.answers() == []
    async with desk.town.house.store.read() as tx:
        assert len({a.job for a in await tx.assets.find(AssetQuery(brand="acme"))}) == 5


async def test_sharing_from_the_direct_messages_asks_for_approval() -> None:
    desk = await make_desk()
    await desk.type("a red mug", channel="D0MIA")
    message = desk.message("job", "@U0MIA")
    await desk.press("Share", on=message)
    assert desk.chat.cards[desk.message("review")].buttons
    assert "Sent to approval" in desk.chat.cards[message].pictures[0].caption
    assert desk.chat.posts == {}


@pytest.mark.parametrize("emoji", ["white_check_mark", "+1::skin-tone-4", "ship_it"])
async def test_an_emoji_decides_under_the_same_rules(emoji: str) -> None:
    desk = await make_desk(approve_emoji=("ship_it",))
    message = await asked(desk)
    await desk.do(Kind.REACTION, "mia", message=message, emoji=emoji)
    assert "can't approve" in reply_words(desk, "mia")
    await desk.do(Kind.REACTION, "ana", message=message, emoji=emoji)
    assert desk.chat.cards[message].stamp.startswith("Approved by Ana")
    assert desk.answers("ana") == []


async def test_a_configured_emoji_rejects() -> None:
    desk = await make_desk(reject_emoji=("nope",))
    message = await asked(desk)
    await desk.do(Kind.REACTION, "ana", message=message, emoji="nope")
    assert desk.chat.cards[message].stamp.startswith("Rejected by Ana")


async def test_an_emoji_that_means_nothing_is_left_alone() -> None:
    desk = await make_desk()
    message = await asked(desk)
    await desk.do(Kind.REACTION, "ana", message=message, emoji="tada")
    await desk.do(Kind.REACTION, "ana", message="0.9", emoji="+1")
    assert desk.answers("ana") == []
    assert (await review_of(desk, message)).state is ReviewState.OPEN


async def written_down(desk: SlackDesk, message: str, ts: str) -> None:
    """The card of a message stands under that `ts` too."""
    sent = Outgoing(
        id=new_id(),
        target=ChannelRef(platform="slack", channel=DRAFTS, team=TEAM),
        card=desk.chat.cards[message],
        created_at=desk.town.clock.now(),
        state=OutboxState.SENT,
        sent=MessageRef(platform="slack", channel=DRAFTS, message=ts, team=TEAM),
    )
    async with desk.town.house.store.write() as tx:
        await tx.outbox.add(sent)


async def test_an_emoji_that_is_quicker_than_our_own_note_of_the_card_counts() -> None:
    desk = await make_desk()
    message = await asked(desk)
    clock = desk.town.clock
    quick = desk.heard(Kind.REACTION, "ana", message="9.5", emoji="+1", at=10.0)
    working = asyncio.create_task(desk.understanding.work(quick))
    await until(lambda: clock.sleeping)
    await written_down(desk, message, "9.5")
    await clock.advance(WRITTEN_AFTER_S)
    await working
    await desk.town.settle()
    assert (await review_of(desk, message)).state is ReviewState.DECIDED


async def test_an_emoji_on_an_old_message_of_nobodys_is_not_waited_for() -> None:
    desk = await make_desk()
    await desk.do(Kind.REACTION, "ana", message="9.5", emoji="+1", at=9.5 + FRESH_S)
    assert desk.answers("ana") == []


def answered(desk: SlackDesk, message: str, action: str, said: str, who: str) -> Heard:
    """The form for a reason, sent off."""
    origin = Origin(channel=DRAFTS, message=message)
    view = ask_view(Question(action=action, asks="reason", origin=origin))
    state = {ANSWER: {"said": {"type": "plain_text_input", "value": said}}}
    return desk.heard(
        Kind.SUBMIT,
        who,
        channel="",
        command="ask",
        metadata=view.private_metadata,
        state=json.dumps(state),
    )


async def test_a_rejection_with_its_reason_comes_from_a_form() -> None:
    desk = await make_desk()
    message = await asked(desk)
    action = f"reject:{(await review_of(desk, message)).id}"
    await desk.work(answered(desk, message, action, "too dark & grey", "ana"))
    assert desk.chat.cards[message].stamp.endswith(": too dark & grey")
    assert "too dark & grey" in reply_words(desk, "mia")
    assert desk.answers("ana") == []


@pytest.mark.parametrize("verb", ["reject", "change"])
async def test_the_buttons_go_at_once_where_a_form_brings_the_reason(verb: str) -> None:
    desk = await make_desk()
    message = await asked(desk)
    action = f"{verb}:{(await review_of(desk, message)).id}"
    await desk.work(answered(desk, message, action, "too dark", "ana"))
    [strip] = strips(desk)
    assert (strip["channel"], strip["ts"]) == (DRAFTS, message)
    assert "actions" not in [block["type"] for block in strip["blocks"]]
    assert "a red mug" in json.dumps(strip["blocks"])
    assert desk.chat.cards[message].stamp.endswith(": too dark")
    await desk.work(answered(desk, message, action, "too dark", "mia"))
    assert len(strips(desk)) == 1


async def test_a_form_that_is_refused_is_answered_where_it_was_asked_for() -> None:
    desk = await make_desk()
    message = await asked(desk)
    action = f"reject:{(await review_of(desk, message)).id}"
    await desk.work(answered(desk, message, action, "no", "mia"))
    [answer] = desk.chat.sent
    assert (answer.target.channel, answer.only_for) == (DRAFTS, "U0MIA")


async def test_a_reply_is_not_lost_where_the_same_click_comes_twice() -> None:
    desk = await make_desk()
    message = await asked(desk)
    click = await desk.press(APPROVE, "mia", on=message)
    await desk.work(click)
    assert len(desk.answers("mia")) == 1


async def test_what_is_decided_on_the_home_tab_is_told_to_who_keeps_it() -> None:
    desk = await make_desk()
    message = await asked(desk)
    on_page = {"view": "V0HOME", "channel": "", "message": "", "blocks": ""}
    await desk.press(APPROVE, "ana", on=message, **on_page)
    assert (await review_of(desk, message)).state is ReviewState.DECIDED
    assert [heard.user for heard in desk.told] == ["U0ANA"]
    await desk.press("Use", on=desk.message("job"))
    assert len(desk.told) == 1
