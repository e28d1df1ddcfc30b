"""Who sees a draft in Discord: whoever asked, the reviewers, working channels; and marked."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.lives import JobState
from tests.fakes.chat_town import settled
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord.state import Attachment, Message, Version
from tests.fakes.discord_guard import leaks
from tests.fakes.discord_town import (
    DRAFTS,
    SOCIAL,
    TALK,
    DiscordTown,
    Running,
    discord_kit,
    make_discord_town,
    running,
)
from tests.fakes.waiting import until


def dms(house: Running, name: str) -> list[Message]:
    """What somebody was told in their direct messages."""
    return house.discord.messages(house.person(name).dm.id)


async def drawn(house: Running, channel: str, **options: object) -> Message:
    """The card, wherever it stands, of a picture that Mia asked for in this channel."""
    before = {message.id for message in house.discord.world.all_messages()}
    given = {"prompt": "a red mug", **options}
    asked = await house.person("mia").command("imagine", channel=channel, **given)
    await asked.answer()
    return await anywhere(house.discord, lambda m: m.id not in before and pictured(m))


async def test_a_draft_in_a_working_channel_or_its_thread_is_marked_as_one(
    discord_house: Running,
) -> None:
    thread = discord_house.discord.world.add_thread(DRAFTS, "mugs")
    for room in (DRAFTS, thread.id):
        card = await drawn(discord_house, room)
        assert card.channel == room
        assert "draft" in card.text.lower()
        await settled(discord_house.house)
        assert discord_house.discord.messages(room) == [card]
    assert dms(discord_house, "mia") == []


@pytest.mark.parametrize("above", [SOCIAL, TALK], ids=["public", "unknown to the kit"])
async def test_a_thread_of_a_channel_that_others_read_gets_no_drafts(
    discord_house: Running, above: str
) -> None:
    thread = discord_house.discord.world.add_thread(above, "mugs")
    card = await drawn(discord_house, thread.id)
    assert card.channel == discord_house.person("mia").dm.id
    assert "draft" in card.text.lower()
    await settled(discord_house.house)
    for room in (above, thread.id):
        assert discord_house.discord.messages(room) == []


async def test_a_working_channel_that_becomes_public_meanwhile_gets_no_drafts(
    discord_house: Running,
) -> None:
    discord, town, mia = discord_house.discord, discord_house.town, discord_house.person("mia")
    drawing = asyncio.Event()
    town.renderer.before_picture = lambda _: drawing.wait()
    await (await mia.command("imagine", prompt="a red mug", channel=DRAFTS)).answer()
    there = await posted(discord, DRAFTS)
    everybody_s = tuple(replace(channel, audience="public") for channel in town.kit.channels)
    await town.change_kit(replace(town.kit, channels=everybody_s))
    drawing.set()
    card = await anywhere(discord, pictured)
    assert card.channel == mia.dm.id
    await until(lambda: "Moved to direct messages" in there.text)
    await settled(discord_house.house)
    assert "mug" not in there.text
    assert not there.attachments
    assert discord.messages(DRAFTS) == [there]


async def test_whose_direct_messages_are_closed_knows_where_the_picture_is(
    discord_house: Running,
) -> None:
    discord, town, mia = discord_house.discord, discord_house.town, discord_house.person("mia")
    discord.world.users[mia.id].takes_dms = False
    asked = await mia.command("imagine", prompt="a secret mug", channel=SOCIAL)
    answer = await asked.answer()
    assert answer.only_for == mia.id
    assert "direct messages" in answer.text
    assert "house.test/gallery" in answer.text

    await settled(discord_house.house)
    [job] = await town.jobs()
    assert job.state is JobState.DONE
    assert discord.messages(SOCIAL) == []
    asset = await town.newest_asset()
    shown = await (await mia.command("show", id=asset.id, channel=SOCIAL)).answer()
    assert (shown.only_for, pictured(shown)) == (mia.id, True)


async def test_a_draft_that_moves_to_closed_direct_messages_leaves_word_where_it_is(
    discord_house: Running,
) -> None:
    discord, town, mia = discord_house.discord, discord_house.town, discord_house.person("mia")
    discord.world.users[mia.id].takes_dms = False
    drawing = asyncio.Event()
    town.renderer.before_picture = lambda _: drawing.wait()
    await (await mia.command("imagine", prompt="a secret mug", channel=DRAFTS)).answer()
    await posted(discord, DRAFTS)
    everybody_s = tuple(replace(channel, audience="public") for channel in town.kit.channels)
    await town.change_kit(replace(town.kit, channels=everybody_s))
    drawing.set()
    word = await posted(discord, DRAFTS, lambda m: "I can't write to Mia" in m.text)
    assert "house.test/gallery" in word.text
    assert "direct messages" in word.text
    await until(lambda: not any("secret" in m.text for m in discord.messages(DRAFTS)))
    await settled(discord_house.house)
    assert len(discord.messages(DRAFTS)) == 2


async def test_sharing_a_draft_asks_for_approval_and_sharing_what_is_approved_posts_it(
    discord_house: Running,
) -> None:
    discord, mia, rob = (discord_house.discord, *map(discord_house.person, ("mia", "rob")))
    card = await drawn(discord_house, mia.dm.id)
    await mia.click(card, button_of(card, "do:share:"))
    review = await anywhere(discord, lambda m: button_of(m, "do:approve:"))
    assert review.channel == DRAFTS
    await settled(discord_house.house)
    assert discord.messages(SOCIAL) == []
    discord.troubles.add(f"POST /channels/{SOCIAL}/messages", "refuse", status=403, code=50013)
    await rob.click(review, button_of(review, "do:approve:"))
    lines = {rob.dm.id, mia.dm.id}
    await until(
        lambda: lines <= {m.channel for m in discord.world.all_messages() if "Not posted" in m.text}
    )
    await settled(discord_house.house)
    assert discord.messages(SOCIAL) == []
    shared = await mia.click(card, button_of(card, "do:share:"))
    assert "Shared" in (await shared.answer()).text
    post = await posted(discord, SOCIAL)
    assert len(post.attachments) == 1
    again = await mia.click(card, button_of(card, "do:share:"))
    await again.answer()
    await settled(discord_house.house)
    assert discord.messages(SOCIAL) == [post]


async def test_a_file_for_one_s_own_use_is_for_that_person_alone_and_marked(
    discord_house: Running,
) -> None:
    mia = discord_house.person("mia")
    card = await drawn(discord_house, DRAFTS)
    used = await (await mia.click(card, button_of(card, "do:use:"))).answer()
    assert used.only_for == mia.id
    assert pictured(used)
    assert "draft" in used.text.lower()
    [asset] = [await discord_house.town.newest_asset()]
    shown = await (await mia.command("show", id=asset.id, channel=SOCIAL)).answer()
    assert shown.only_for == mia.id
    await settled(discord_house.house)
    assert discord_house.discord.messages(SOCIAL) == []


async def test_without_working_channels_reviews_come_to_the_approvers_alone(
    discord: FakeDiscord,
) -> None:
    kit = discord_kit()
    town = await make_discord_town(replace(kit, channels=kit.publish_channels))
    async with running(discord, town) as house:
        card = await drawn(house, SOCIAL)
        await house.person("mia").click(card, button_of(card, "do:send:"))
        await until(lambda: all(any(map(pictured, dms(house, who))) for who in ("rob", "ana")))
        await settled(house.house)
        assert discord.messages(SOCIAL) == []


async def test_the_guard_of_these_tests_sees_what_should_not_stand_in_public(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    world = discord.world
    file = Attachment(
        id=world.new_id(), filename="a.png", data=b"a", content_type="image/png", channel=SOCIAL
    )
    world.attachments[file.id] = file
    thread = world.add_thread(SOCIAL, "mugs")
    said = Message(id="1", channel=thread.id, author=world.app.id, at=0, attachments=[file.id])
    thread.messages["1"] = replace(said, attachments=[], deleted=True)
    assert await leaks(discord, discord_town) == []
    before = Version(content="", components=[], attachments=[file.id], at=0)
    thread.messages["1"].versions.append(before)
    assert await leaks(discord, discord_town) == ["a.png stood in mugs without an approval"]
    thread.parent = DRAFTS
    assert await leaks(discord, discord_town) == []
