"""One job on two platforms: asked in one, approved in the other; one person in both is one."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.lives import ReviewState
from bot.core.reviews import Review
from tests.fakes.chat_town import settled
from tests.fakes.discord.looking import button_of, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import DRAFTS, SOCIAL
from tests.fakes.slack.looking import button_of as slack_button
from tests.fakes.slack.looking import pictured as shown
from tests.fakes.slack.state import Message as SlackMessage
from tests.fakes.two_towns import SLACK_DRAFTS, TWO, Both, both_towns
from tests.fakes.waiting import until

YES = "✅"
TWO_VOTES = replace(TWO, review=replace(TWO.review, quorum=2))


@pytest.fixture
async def both() -> AsyncIterator[Both]:
    """One vote decides."""
    async with both_towns() as found:
        yield found


@pytest.fixture
async def both_of_two() -> AsyncIterator[Both]:
    """Two votes decide."""
    async with both_towns(TWO_VOTES) as found:
        yield found


async def reviews(both: Both) -> tuple[SlackMessage, Message]:
    """The open review's cards, in Slack and in Discord."""
    here = await both.slack.message(SLACK_DRAFTS, lambda m: bool(slack_button(m, "do:approve:")))
    return here, await posted(both.discord, DRAFTS, lambda m: button_of(m, "do:approve:"))


async def asked_in_slack(both: Both, name: str = "mia") -> tuple[SlackMessage, ...]:
    """Somebody's job card and the review's card, both in Slack."""
    person = both.in_slack(name)
    await person.command("/imagine", "a red mug", channel=SLACK_DRAFTS)
    card = await both.slack.message(SLACK_DRAFTS, shown)
    await person.click(card, slack_button(card, "do:send:"))
    return card, (await reviews(both))[0]


async def review_of(both: Both) -> Review:
    """The review of the newest picture."""
    return await both.town.review_of((await both.town.newest_asset()).id)


async def voters(both: Both) -> list[str]:
    """Who has voted on it, and where."""
    return [f"{vote.name} {vote.platform}" for vote in (await review_of(both)).votes]


async def refusal(both: Both, name: str, line: str) -> str:
    """What Slack shows to somebody alone after they typed this."""
    person = both.in_slack(name)
    before = len(person.ephemerals())
    await person.command("/imagine", line, channel=SLACK_DRAFTS)
    await until(lambda: len(person.ephemerals()) > before)
    return person.ephemerals()[-1].text


async def test_asked_in_slack_it_is_approved_by_emoji_in_discord_and_all_cards_of_both_say_so(
    both: Both,
) -> None:
    job, in_slack = await asked_in_slack(both)
    _, in_discord = await reviews(both)
    both.in_discord("rob").react(in_discord, YES)
    post = await posted(both.discord, SOCIAL)
    assert post.attachments
    await until(lambda: "Posted to #social" in in_slack.text + str(in_slack.blocks))
    await until(lambda: "Posted to #social" in in_discord.text)
    page = f"https://house.test/pictures/{(await both.town.newest_asset()).id}"
    await until(lambda: page in str(job.blocks))
    for card in (str(in_slack.blocks), in_discord.text):
        assert "Approved by Rob" in card
        assert page in card
    assert "Approved by Rob" in str(job.blocks)
    assert not slack_button(in_slack, "do:")
    assert not button_of(in_discord, "do:")
    await settled(both.house)
    assert both.discord.messages(SOCIAL) == [post]
    assert both.slack.messages("C0SOCIAL") == []
    assert len(await both.town.jobs()) == 1
    assert await voters(both) == ["Rob discord"]


async def test_asked_in_discord_it_is_approved_in_slack(both: Both) -> None:
    await both.link("mia")
    mia = both.in_discord("mia")
    await (await mia.command("imagine", prompt="a red mug", channel=DRAFTS)).answer()
    job = await posted(both.discord, DRAFTS, pictured)
    sent = await mia.click(job, button_of(job, "do:send:"))
    await sent.answer()
    in_slack, in_discord = await reviews(both)
    await both.in_slack("ben").click(in_slack, slack_button(in_slack, "do:approve:"))
    post = await posted(both.discord, SOCIAL)
    page = f"https://house.test/pictures/{(await both.town.newest_asset()).id}"
    for card in (job, in_discord):
        await until(lambda card=card: "Approved by Ben" in card.text and page in card.text)
    await until(lambda: page in str(in_slack.blocks))
    await settled(both.house)
    assert both.discord.messages(SOCIAL) == [post]
    assert await voters(both) == ["Ben slack"]
    (only,) = await both.town.jobs()
    assert only.requester == both.town.people["mia"].id


async def test_approved_by_button_in_discord_it_is_posted_where_it_was_asked_in_slack(
    both: Both,
) -> None:
    mia = both.in_slack("mia")
    await mia.command("/imagine", "a red mug", channel=SLACK_DRAFTS)
    card = await both.slack.message(SLACK_DRAFTS, shown)
    asset = (await both.town.newest_asset()).id
    await mia.command("/imagine", f"/send {asset} #news", channel=SLACK_DRAFTS)
    _, in_discord = await reviews(both)
    approve = button_of(in_discord, "do:approve:")
    answer = await (await both.in_discord("rob").click(in_discord, approve)).answer()
    assert "Approved by Rob" in answer.text
    await both.slack.message("C0SOCIAL", shown)
    await until(lambda: "Posted to #news" in in_discord.text)
    await until(lambda: "Approved by Rob" in str(card.blocks))
    await settled(both.house)
    assert both.discord.messages(SOCIAL) == []


async def test_who_linked_both_accounts_may_not_approve_their_own_request_in_the_other_chat(
    both: Both,
) -> None:
    await both.link("ana")
    await asked_in_slack(both, "ana")
    _, card = await reviews(both)
    ana = both.in_discord("ana")
    pressed = await ana.click(card, button_of(card, "do:approve:"))
    assert "own" in (await pressed.answer()).text
    told = len(both.discord.messages(ana.dm.id))
    ana.react(card, YES)
    await until(lambda: len(both.discord.messages(ana.dm.id)) > told)
    assert "own" in both.discord.messages(ana.dm.id)[-1].text
    review = await review_of(both)
    assert (review.state, review.votes) == (ReviewState.OPEN, ())


async def test_who_asked_in_slack_reads_there_why_it_was_rejected_in_discord(both: Both) -> None:
    await both.link("mia")
    _, in_slack = await asked_in_slack(both)
    _, in_discord = await reviews(both)
    rob = both.in_discord("rob")
    asked = await rob.click(in_discord, button_of(in_discord, "ask:reason:reject:"))
    assert asked.modal is not None
    (reason,) = asked.modal.fields()
    await rob.submit(asked.modal, **{reason: "too dark"})
    told = await both.slack.message(both.in_slack("mia").dm.id, lambda m: "Reason" in m.text)
    assert "Rob rejected your picture" in told.text
    assert "too dark" in told.text
    await until(lambda: "Rejected by Rob" in str(in_slack.blocks))
    await settled(both.house)
    in_line = both.discord.messages(both.in_discord("mia").dm.id)
    assert not any("rejected your picture" in message.text for message in in_line)


async def test_an_account_that_is_not_linked_yet_is_a_stranger_there(both: Both) -> None:
    stranger = both.in_discord("ana")
    asked = await stranger.command("imagine", prompt="a red mug", channel=DRAFTS)
    assert "don't know you" in (await asked.answer()).text
    assert await both.town.jobs() == []
    await both.link("ana")
    asked = await stranger.command("imagine", prompt="a red mug", channel=DRAFTS)
    assert "Queued" in (await asked.answer()).text


async def test_a_budget_is_the_person_s_wherever_they_ask(both: Both) -> None:
    await both.link("mia")
    set_it = await refusal(both, "ida", "/budget person Mia --pictures 2 --brand acme")
    assert "2 pictures" in set_it
    mia = both.in_slack("mia")
    await mia.command("/imagine", "a red mug", channel=SLACK_DRAFTS)
    await both.slack.message(SLACK_DRAFTS, shown)
    for _ in range(2):
        asked = await both.in_discord("mia").command("imagine", prompt="a mug", channel=DRAFTS)
        answer = (await asked.answer()).text
    assert "used up (2 of 2 pictures)" in answer
    assert [bool(job.hold) for job in await both.town.jobs()] == [True, False, False]


async def test_who_is_blocked_in_one_chat_is_blocked_in_both(both: Both) -> None:
    await both.link("mia")
    assert "block list" in await refusal(both, "ida", "/people block Mia spam in #drafts")
    asked = await both.in_discord("mia").command("imagine", prompt="a mug", channel=DRAFTS)
    assert "spam in #drafts" in (await asked.answer()).text
    assert "spam in #drafts" in await refusal(both, "mia", "a mug")
    assert await both.town.jobs() == []


async def test_two_votes_from_two_platforms_decide(both_of_two: Both) -> None:
    both = both_of_two
    _, in_slack = await asked_in_slack(both)
    _, in_discord = await reviews(both)
    await both.in_slack("ben").click(in_slack, slack_button(in_slack, "do:approve:"))
    await until(lambda: "1 of 2" in in_discord.text)
    await settled(both.house)
    assert both.discord.messages(SOCIAL) == []
    both.in_discord("rob").react(in_discord, YES)
    await posted(both.discord, SOCIAL)
    await until(lambda: "Ben and Rob" in in_discord.text.replace(", ", " and "))
    assert await voters(both) == ["Ben slack", "Rob discord"]


async def test_a_vote_in_slack_and_an_emoji_in_discord_of_one_person_count_once(
    both_of_two: Both,
) -> None:
    both = both_of_two
    await both.link("ana")
    _, in_slack = await asked_in_slack(both)
    _, in_discord = await reviews(both)
    await both.in_slack("ana").click(in_slack, slack_button(in_slack, "do:approve:"))
    await until(lambda: "1 of 2" in in_discord.text)
    ana = both.in_discord("ana")
    ana.react(in_discord, YES)
    pressed = await ana.click(in_discord, button_of(in_discord, "do:approve:"))
    assert "voted" in (await pressed.answer()).text
    ana.unreact(in_discord, YES)
    await (await ana.command("queue", channel=DRAFTS)).answer()  # heard after the emoji
    await settled(both.house)
    both.in_discord("rob").react(in_discord, YES)
    await posted(both.discord, SOCIAL)
    assert await voters(both) == ["Ana slack", "Rob discord"]
