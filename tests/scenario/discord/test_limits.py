"""What Discord limits, refuses and loses: everything arrives once, and nobody waits for nothing."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.lives import JobState
from brand.kit import Channel
from brand.kit_rules import MIB
from brand.provenance import SMALLER
from brand.spec import sha256_hex
from tests.fakes.chat_town import settled
from tests.fakes.discord.access import SEND_MESSAGES, VIEW_CHANNEL, deny
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import (
    DRAFTS,
    GUILD,
    SOCIAL,
    DiscordTown,
    Running,
    discord_kit,
    make_discord_town,
    running,
)
from tests.fakes.large import LargeStudio
from tests.fakes.waiting import until

CALLS = (
    f"POST /channels/{DRAFTS}/messages",
    f"POST /channels/{SOCIAL}/messages",
    "PATCH /channels/*/messages/*",
    "PATCH /webhooks/*",
    "POST /users/@me/channels",
    "GET /channels/*/messages/*/reactions/*",
    "PUT /channels/*/reactions/*",
)
"""Every kind of call that the way of a picture takes."""
SURE = tuple(what for what in CALLS if SOCIAL not in what)
"""Without the post: where nobody knows whether it stands, it waits for a person (test_posting)."""
SLOW = pytest.mark.deep
"""discord.py waits for seconds before it tries again."""


def dms(house: Running, name: str) -> str:
    """What somebody reads in their direct messages."""
    room = house.person(name).dm.id
    return "\n".join(message.text for message in house.discord.messages(room))


async def whole_way(house: Running) -> Message:
    """Mia asks, in public and in the working channel, and Rob approves by an emoji: the post."""
    discord, mia = house.discord, house.person("mia")
    await mia.command("imagine", prompt="a teal mug", channel=SOCIAL)
    await until(lambda: "Done" in dms(house, "mia"))
    await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
    card = await posted(discord, DRAFTS, pictured)
    await mia.click(card, button_of(card, "do:send:"))
    review = await anywhere(discord, lambda m: button_of(m, "do:approve:"))
    house.person("rob").react(review, "✅")
    post = await posted(discord, SOCIAL)
    await until(lambda: "Approved by Rob" in review.text)
    return post


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("429", False),
        ("global", False),
        pytest.param("html502", True, marks=SLOW),
        pytest.param("html502", False, marks=SLOW),
        ("lost", True),
        pytest.param("cut", False, marks=SLOW),
    ],
)
async def test_whatever_is_limited_breaks_or_is_lost_once_everything_stands_once(
    discord: FakeDiscord, discord_town: DiscordTown, kind: str, kept: bool
) -> None:
    async with running(discord, discord_town) as house:
        troubles = [
            discord.troubles.add(what, kind, kept=kept, retry_after=0.05)
            for what in (CALLS if kind != "cut" else SURE)
        ]
        post = await whole_way(house)
        await until(lambda: all(trouble.done for trouble in troubles))
        await settled(house.house)
        assert discord.messages(SOCIAL) == [post]
        assert len(discord.messages(DRAFTS)) == 2, "the job's card and the review's"


async def test_a_channel_that_refuses_is_not_asked_over_and_over_and_who_asked_hears_why(
    discord_house: Running,
) -> None:
    discord = discord_house.discord
    deny(discord.world.channels[DRAFTS], discord.world.app.id, SEND_MESSAGES)
    await discord_house.person("mia").command("imagine", prompt="a red mug", channel=DRAFTS)
    await until(lambda: "Done" in dms(discord_house, "mia"))
    await until(lambda: "lacks a permission" in dms(discord_house, "mia"))
    assert "Send Messages" in dms(discord_house, "mia")
    await settled(discord_house.house)
    refused = [call for call in discord.calls("*") if call.status in (401, 403, 404)]
    assert {call.code for call in refused} == {50013}
    assert len(refused) <= 4, "once for each thing there was to say"


async def test_a_channel_that_is_deleted_meanwhile_is_told_of_and_the_picture_comes_directly(
    discord_house: Running,
) -> None:
    discord, mia = discord_house.discord, discord_house.person("mia")
    drawing = asyncio.Event()
    discord_house.renderer.before_picture = lambda _: drawing.wait()
    await (await mia.command("imagine", prompt="a red mug", channel=DRAFTS)).answer()
    await posted(discord, DRAFTS)
    discord.world.remove_channel(DRAFTS)
    drawing.set()
    await until(lambda: any(map(pictured, discord.messages(mia.dm.id))))
    await until(lambda: "no channel #drafts any more" in dms(discord_house, "mia"))
    await settled(discord_house.house)
    asked = [c for c in discord.calls(f"* /channels/{DRAFTS}/messages*") if c.code == 10003]
    assert len(asked) <= 6, "a change and a new card for each thing there was to say"


async def test_a_card_that_a_moderator_deletes_comes_again_when_it_changes(
    discord_house: Running,
) -> None:
    discord, mia = discord_house.discord, discord_house.person("mia")
    await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
    card = await posted(discord, DRAFTS, pictured)
    mia.delete(card)
    asset = await discord_house.town.newest_asset()
    await mia.command("housestyle", line=f"send {asset.id}", channel=DRAFTS)
    await posted(discord, DRAFTS, lambda m: button_of(m, "do:approve:"))
    anew = await posted(discord, DRAFTS, lambda m: "Sent to approval" in m.text)
    assert anew.id != card.id
    await until(lambda: len(discord.messages(DRAFTS)) == 2)


async def test_words_that_automod_blocks_are_told_to_who_asked_and_the_picture_comes_directly(
    discord_house: Running,
) -> None:
    discord, mia = discord_house.discord, discord_house.person("mia")
    discord.world.guilds[GUILD].blocked_words.append("grue")
    await mia.command("imagine", prompt="a grue", channel=DRAFTS)
    await until(lambda: "Done" in dms(discord_house, "mia"))
    await until(lambda: "AutoMod" in dms(discord_house, "mia"))
    await settled(discord_house.house)
    assert discord.messages(DRAFTS) == []
    asked = await mia.command("find", words="grue", channel=DRAFTS)
    answer = await asked.answer()
    assert answer.only_for == mia.id
    assert "AutoMod" in answer.text


async def test_a_dead_webhook_is_asked_once_and_the_answer_comes_directly(
    discord_house: Running,
) -> None:
    discord, mia = discord_house.discord, discord_house.person("mia")
    discord.troubles.add("PATCH /webhooks/*", "refuse", status=401, code=50027, times=None)
    receipt = await mia.command("help", channel=DRAFTS)
    helped = await posted(discord, mia.dm.id)
    assert "/imagine" in helped.text
    assert len(discord.calls(f"* /webhooks/*/{receipt.interaction.token}/*")) == 1
    await mia.command("queue", channel=DRAFTS)
    queue = await posted(discord, mia.dm.id, lambda m: m.id != helped.id)
    assert "queue" in queue.text.lower()
    await settled(discord_house.house)
    assert discord.messages(DRAFTS) == []


def large_town_kit(max_mb: int) -> tuple[Channel, ...]:
    """#social takes files of so many MB."""
    social, drafts = discord_kit().channels
    return (replace(social, max_mb=max_mb), drafts)


async def test_a_file_that_is_too_large_goes_out_as_the_smaller_one_that_approvers_saw(
    discord: FakeDiscord,
) -> None:
    kit = replace(discord_kit(), channels=large_town_kit(1))
    town = await make_discord_town(kit)
    town.studio = LargeStudio(kit)
    async with running(discord, town) as house:
        mia, rob = house.person("mia"), house.person("rob")
        await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
        card = await posted(discord, DRAFTS, pictured)
        await mia.click(card, button_of(card, "do:send:"))
        review = await anywhere(discord, lambda m: button_of(m, "do:approve:"))
        asset = await town.newest_asset()
        small = asset.rendition(SMALLER)
        assert small is not None
        assert small.bytes <= MIB
        [seen] = [discord.world.attachments[file] for file in review.attachments]
        assert sha256_hex(seen.data) == small.file_hash
        assert small.file_hash in (await town.review_of(asset.id)).rendition_hashes
        assert "smaller file" in review.text
        discord.world.guilds[GUILD].file_limit = MIB
        await rob.click(review, button_of(review, "do:approve:"))
        post = await posted(discord, SOCIAL)
        [out] = [discord.world.attachments[file] for file in post.attachments]
        assert sha256_hex(out.data) == small.file_hash


async def test_a_file_that_was_changed_in_the_archive_is_not_posted(
    discord_house: Running,
) -> None:
    discord, town, mia = discord_house.discord, discord_house.town, discord_house.person("mia")
    await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
    card = await posted(discord, DRAFTS, pictured)
    await mia.click(card, button_of(card, "do:send:"))
    review = await anywhere(discord, lambda m: button_of(m, "do:approve:"))
    asset = await town.newest_asset()
    kept = town.blobs._blobs  # type: ignore[attr-defined]
    for rendition in asset.renditions:
        kept[rendition.file_hash] = kept[rendition.file_hash] + b"!"
    await discord_house.person("rob").click(review, button_of(review, "do:approve:"))
    await until(lambda: "Not posted to #social" in dms(discord_house, "mia"))
    await settled(discord_house.house)
    assert discord.messages(SOCIAL) == []


async def test_the_longest_words_stand_within_discord_s_limits(discord_house: Running) -> None:
    discord, mia = discord_house.discord, discord_house.person("mia")
    words = ("*_@1<" * 400)[:1900]
    receipt = await mia.command("imagine", prompt=words, channel=DRAFTS)
    await receipt.answer()
    card = await posted(discord, DRAFTS, pictured)
    sent = await mia.click(card, button_of(card, "do:send:"))
    assert "caption" in (await sent.answer()).text
    asset = await discord_house.town.newest_asset()
    line = f"share {asset.id} --caption {'*' * 1000}"
    await (await mia.command("housestyle", line=line, channel=DRAFTS)).answer()
    [job] = await discord_house.town.jobs()
    assert job.state is JobState.DONE
    assert discord.violations == []


async def test_a_channel_that_can_t_be_seen_is_told_with_the_missing_permission(
    discord_house: Running,
) -> None:
    discord, mia, rob = (discord_house.discord, *map(discord_house.person, ("mia", "rob")))
    await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
    card = await posted(discord, DRAFTS, pictured)
    await mia.click(card, button_of(card, "do:send:"))
    review = await anywhere(discord, lambda m: button_of(m, "do:approve:"))
    deny(discord.world.channels[SOCIAL], discord.world.app.id, VIEW_CHANNEL)
    await rob.click(review, button_of(review, "do:approve:"))
    await until(lambda: all("View Channel" in dms(discord_house, who) for who in ("mia", "rob")))
    await settled(discord_house.house)
    assert len(discord.calls(f"POST /channels/{SOCIAL}/messages")) == 1
