"""Approving in Discord, by button and by emoji: one decision, and an answer to every vote."""

import asyncio
from dataclasses import replace

from bot.core.lives import ReviewState
from bot.core.reviews import Review
from tests.fakes.chat_town import settled
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import (
    DRAFTS,
    GUILD,
    SOCIAL,
    USERS,
    DiscordTown,
    Running,
    discord_kit,
    make_discord_town,
    options_for,
    running,
)
from tests.fakes.waiting import until

YES, NO = "✅", "❌"


async def in_review(house: Running, *, channel: str = DRAFTS) -> Message:
    """The card of a review that Mia asked for."""
    mia = house.person("mia")
    await mia.command("imagine", prompt="a red mug", channel=channel)
    card = await posted(house.discord, channel, pictured)
    await mia.click(card, button_of(card, "do:send:"))
    return await anywhere(house.discord, lambda m: button_of(m, "do:approve:"))


async def review_of(town: DiscordTown) -> Review:
    """The review of the newest picture."""
    return await town.review_of((await town.newest_asset()).id)


async def decided(town: DiscordTown) -> Review:
    """It, once it is decided."""

    async def over() -> bool:
        return (await review_of(town)).state is ReviewState.DECIDED

    await until(over)
    return await review_of(town)


async def decisions(house: Running) -> int:
    """How many of them the ledger has."""
    async with house.house.store.read() as tx:
        return sum(e.action == "review.decided" for e in await tx.ledger.recent(limit=1000))


def stamped(card: Message) -> bool:
    """Whether a card shows what was decided, without buttons."""
    return "Approved by" in card.text and not button_of(card, "do:")


def told(house: Running, name: str, words: str) -> bool:
    """Whether somebody was told this in their direct messages."""
    dm = house.person(name).dm
    return any(words in message.text for message in house.discord.messages(dm.id))


async def test_double_clicks_and_two_approvers_make_one_decision(discord_house: Running) -> None:
    discord, rob, ana = (discord_house.discord, *map(discord_house.person, ("rob", "ana")))
    card = await in_review(discord_house)
    approve = button_of(card, "do:approve:")
    pressed = await asyncio.gather(*(who.click(card, approve) for who in (rob, rob, ana)))
    assert all(receipt.acked and receipt.ephemeral for receipt in pressed)
    await decided(discord_house.town)
    await until(lambda: stamped(card))
    for receipt in pressed:
        assert (await receipt.answer()).text, "everybody is answered"
    post = await posted(discord, SOCIAL)
    await settled(discord_house.house)
    assert await decisions(discord_house) == 1
    assert discord.messages(SOCIAL) == [post]


async def test_an_emoji_decides_and_the_app_s_own_do_not(discord_house: Running) -> None:
    discord = discord_house.discord
    card = await in_review(discord_house)
    await until(lambda: {r.name for r in card.reactions} == {YES, NO})
    bot = discord.world.add_user("another bot", bot=True)
    discord.world.join(GUILD, bot.id)
    discord.person(bot.id).react(card, YES)
    rob = discord_house.person("rob")
    rob.react(card, "🎉")
    await (await rob.command("queue", channel=DRAFTS)).answer()  # heard after the emoji
    await settled(discord_house.house)
    assert (await review_of(discord_house.town)).state is ReviewState.OPEN
    rob.react(card, YES)
    await decided(discord_house.town)
    await until(lambda: stamped(card))
    assert await decisions(discord_house) == 1


async def test_who_may_not_decide_is_told_so_in_private(discord_house: Running) -> None:
    mia, eve = discord_house.person("mia"), discord_house.person("eve")
    card = await in_review(discord_house)
    pressed = await mia.click(card, button_of(card, "do:approve:"))
    assert "can't approve" in (await pressed.answer()).text
    eve.react(card, YES)
    await until(lambda: discord_house.discord.messages(eve.dm.id))
    assert (await review_of(discord_house.town)).state is ReviewState.OPEN
    assert button_of(card, "do:approve:")


async def test_whose_direct_messages_are_closed_learns_of_a_refused_emoji_in_the_channel(
    discord_house: Running,
) -> None:
    eve = discord_house.person("eve")
    card = await in_review(discord_house)
    discord_house.discord.world.users[USERS["eve"]].takes_dms = False
    eve.react(card, YES)
    said = await posted(discord_house.discord, DRAFTS, lambda m: "private answer" in m.text)
    assert "can't do" not in said.text
    assert not said.mention_everyone


async def test_a_reason_is_asked_for_and_reaches_the_one_who_asked(discord_house: Running) -> None:
    rob = discord_house.person("rob")
    card = await in_review(discord_house)
    asked = await rob.click(card, button_of(card, "ask:reason:reject:"))
    assert asked.modal is not None
    [field] = asked.modal.fields()
    sent = await rob.submit(asked.modal, **{field: "too dark @everyone"})
    assert sent.acked
    await until(lambda: "Rejected by Rob" in card.text and not button_of(card, "do:"))
    await until(lambda: told(discord_house, "mia", "too dark"))
    assert not any(m.mention_everyone for m in discord_house.discord.world.all_messages())


async def test_the_other_emoji_rejects(discord_house: Running) -> None:
    card = await in_review(discord_house)
    discord_house.person("rob").react(card, NO)
    await decided(discord_house.town)
    await until(lambda: "Rejected by Rob" in card.text)
    await settled(discord_house.house)
    assert discord_house.discord.messages(SOCIAL) == []


async def test_an_emoji_that_is_taken_away_is_a_vote_taken_back(discord: FakeDiscord) -> None:
    kit = discord_kit()
    town = await make_discord_town(replace(kit, review=replace(kit.review, quorum=2)))
    async with running(discord, town) as house:
        card, rob = await in_review(house), house.person("rob")

        async def votes() -> int:
            return len((await review_of(town)).votes)

        rob.react(card, YES)
        await until(lambda: "1 of 2" in card.text)
        rob.unreact(card, YES)
        await until(lambda: "0 of 2" in card.text)
        assert await votes() == 0
        house.person("ana").react(card, YES)
        await until(lambda: "1 of 2" in card.text)
        assert (await review_of(town)).state is ReviewState.OPEN
        rob.react(card, YES)
        await decided(town)


async def test_a_card_from_before_a_restart_still_answers(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    options = options_for(discord, approve_emoji=("ship_it",))
    async with running(discord, discord_town, options=options) as house:
        card = await in_review(house)
        approve = button_of(card, "do:approve:")
    async with running(discord, discord_town, options=options) as house:
        house.person("ana").react(card, "ship_it:4711")
        await until(lambda: stamped(card))
        late = await house.person("rob").click(card, approve, stale=True)
        assert "Approved by Ana" in (await late.answer()).text
        assert await decisions(house) == 1


async def test_an_emoji_of_the_time_without_us_counts_when_we_are_back(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    async with running(discord, discord_town) as house:
        card = await in_review(house)
    discord.gateway.forget()
    house.person("rob").react(card, YES)
    async with running(discord, discord_town):
        await until(lambda: stamped(card))


async def test_a_review_in_a_thread_is_decided_there(discord_house: Running) -> None:
    thread = discord_house.discord.world.add_thread(DRAFTS, "mugs")
    card = await in_review(discord_house, channel=thread.id)
    discord_house.person("rob").react(card, YES)
    await until(lambda: stamped(card))


async def test_two_replicas_decide_once(discord: FakeDiscord, discord_town: DiscordTown) -> None:
    async with running(discord, discord_town) as house, running(discord, discord_town):
        card = await in_review(house)
        house.person("rob").react(card, YES)
        await until(lambda: stamped(card))
        await posted(discord, SOCIAL)
        await settled(house.house)
        assert await decisions(house) == 1
        assert len(discord.messages(DRAFTS)) == 2, "the job's card and the review's"
    assert len(discord.messages(SOCIAL)) == 1
