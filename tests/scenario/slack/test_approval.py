"""Approving in Slack, by HTTP and by sockets: one decision, and an answer to every click."""

import asyncio
from dataclasses import replace

from bot.chat.slack_chat.options import Mode
from bot.core.lives import ReviewState
from bot.core.reviews import Review
from tests.fakes.chat_town import settled
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import anywhere, button_of, pictured
from tests.fakes.slack.state import Message
from tests.fakes.slack_town import Running, SlackTown, options_for, running
from tests.fakes.town import START
from tests.fakes.waiting import until


async def in_review(house: Running) -> Message:
    """The card of a review that Mia asked for."""
    slack, mia = house.slack, house.slack.person("U0MIA")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    card = await slack.message("C0DRAFTS", pictured)
    await mia.click(card, button_of(card, "do:send:"))
    return await anywhere(slack, lambda m: button_of(m, "do:approve:"))


async def decided(house: Running) -> Review:
    """The review of the newest picture, once it is decided."""

    async def review() -> Review:
        return await house.town.review_of((await house.town.newest_asset()).id)

    async def over() -> bool:
        return (await review()).state is ReviewState.DECIDED

    await until(over)
    return await review()


async def decisions(house: Running) -> int:
    """How many of them the ledger has."""
    async with house.house.store.read() as tx:
        return sum(e.action == "review.decided" for e in await tx.ledger.recent(limit=1000))


def stamped(card: Message) -> bool:
    """Whether a card shows what was decided, without buttons."""
    return "Approved by" in card.text and not button_of(card, "do:")


async def test_double_clicks_and_two_approvers_make_one_decision(slack_house: Running) -> None:
    slack = slack_house.slack
    ana, ben = slack.person("U0ANA"), slack.person("U0BEN")
    card = await in_review(slack_house)
    approve = button_of(card, "do:approve:")
    await asyncio.gather(
        ana.click(card, approve, copies=2), ana.click(card, approve), ben.click(card, approve)
    )
    await decided(slack_house)
    await until(lambda: stamped(card))
    await until(lambda: ana.ephemerals() and (ben.ephemerals() or "Ben" in card.text))
    posted = await slack.message("C0SOCIAL", pictured)
    await slack.delivery.idle()
    await settled(slack_house.house)
    assert await decisions(slack_house) == 1
    assert slack.messages("C0SOCIAL") == [posted]


async def test_who_may_not_decide_is_told_and_the_buttons_stay(slack_house: Running) -> None:
    card = await in_review(slack_house)
    mia = slack_house.slack.person("U0MIA")
    await mia.click(card, button_of(card, "do:approve:"))
    await until(lambda: mia.ephemerals())
    assert "can't approve" in mia.ephemerals()[-1].text
    await settled(slack_house.house)
    assert button_of(card, "do:approve:")
    assert slack_house.slack.messages("C0SOCIAL") == []


async def test_a_reason_is_asked_for_and_reaches_the_one_who_asked(slack_house: Running) -> None:
    slack, ana, mia = slack_house.slack, *map(slack_house.slack.person, ("U0ANA", "U0MIA"))
    card = await in_review(slack_house)
    await ana.click(card, button_of(card, "do:reject:"))
    form = await slack.form(ana, "ask")
    await ana.submit(form, {"said": "too dark <!channel>"})
    await until(lambda: "Rejected by Ana" in card.text and not button_of(card, "do:"))
    told = await slack.message(mia.dm.id, lambda m: "too dark" in m.text)
    assert "<!channel>" not in told.text


async def test_an_emoji_decides(slack_house: Running) -> None:
    card = await in_review(slack_house)
    await slack_house.slack.person("U0ANA").react(card, "+1::skin-tone-3", copies=2)
    await decided(slack_house)
    await until(lambda: stamped(card))
    await slack_house.slack.delivery.idle()
    await settled(slack_house.house)
    assert await decisions(slack_house) == 1


async def test_a_card_from_before_a_restart_still_answers(
    slack: FakeSlack, slack_town: SlackTown
) -> None:
    options = replace(options_for(slack, Mode.SOCKET), approve_emoji=("ship_it",))
    async with running(slack, slack_town, options=options, mode=Mode.SOCKET) as house:
        card = await in_review(house)
        approve = button_of(card, "do:approve:")
    async with running(slack, slack_town, options=options, mode=Mode.SOCKET) as house:
        await slack.person("U0ANA").react(card, "ship_it")
        await until(lambda: stamped(card))
        ben = slack.person("U0BEN")
        await ben.click(card, approve, stale=True)
        await until(lambda: ben.ephemerals())
        assert "Approved by Ana" in ben.ephemerals()[-1].text
        assert await decisions(house) == 1


async def test_an_approver_reads_the_words_that_approving_would_post(slack_house: Running) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    await slack.message("C0DRAFTS", pictured)
    send = f"/send {(await slack_house.town.newest_asset()).id} #social"
    await mia.command("/imagine", f"{send} So cheap!", channel="C0DRAFTS")
    await until(lambda: any("tone rule 4" in note.text for note in mia.ephemerals()))
    await mia.command("/imagine", f"{send} Our rivals are crooks", channel="C0DRAFTS")
    card = await anywhere(slack, lambda m: button_of(m, "do:approve:"))
    assert "Our rivals are crooks" in str(card.blocks)
    await slack.person("U0ANA").click(card, button_of(card, "do:approve:"))
    post = await slack.message("C0SOCIAL", pictured)
    assert "Our rivals are crooks" in post.text


async def test_a_card_in_a_channel_that_left_the_kit_keeps_the_decision_alone(
    slack_house: Running,
) -> None:
    town = slack_house.town
    card = await in_review(slack_house)
    async with town.store.write() as tx:
        left = replace(town.kit, version="2", channels=town.kit.channels[:1])
        await tx.kits.put(left, source="", at=START)
    await slack_house.slack.person("U0ANA").click(card, button_of(card, "do:approve:"))
    await decided(slack_house)
    await until(lambda: stamped(card))
    assert not pictured(card)
    assert "mug" not in str(card.blocks)
