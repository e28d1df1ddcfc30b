"""Asking for pictures in Discord: options, flags, suggestions, audiences, what a picture offers."""

import pytest

from tests.fakes.chat_town import settled
from tests.fakes.discord.looking import alts, button_of, buttons, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import DRAFTS, SOCIAL, TALK, Running
from tests.fakes.waiting import until


async def drawn(house: Running, channel: str = DRAFTS, **options: object) -> Message:
    """The card of what Mia asked for, with its pictures."""
    before = {message.id for message in house.discord.messages(channel)}
    given = {"prompt": "a red mug", **options}
    receipt = await house.person("mia").command("imagine", channel=channel, **given)
    assert receipt.acked
    return await posted(house.discord, channel, lambda m: pictured(m) and m.id not in before)


def dms(house: Running, name: str) -> list[Message]:
    """What somebody was told in their direct messages."""
    return house.discord.messages(house.person(name).dm.id)


async def test_options_and_flags_are_what_is_made(discord_house: Running) -> None:
    card = await drawn(discord_house, prompt="a red mug --no handle", count=3, seed=42)
    assert len(alts(card)) == 3
    [job] = await discord_house.town.jobs()
    assert (job.brief.n, job.brief.seed, job.brief.negative) == (3, 42, "handle")


async def test_an_unknown_flag_is_explained_to_the_one_who_typed_it(
    discord_house: Running,
) -> None:
    mia = discord_house.person("mia")
    receipt = await mia.command("imagine", channel=DRAFTS, prompt="a mug --stylise 3")
    answer = await receipt.answer()
    assert answer.only_for == mia.id
    assert "--styli" in answer.text
    assert discord_house.discord.messages(DRAFTS) == []
    assert await discord_house.town.jobs() == []


async def test_what_fits_is_suggested_while_they_type(discord_house: Running) -> None:
    mia, eve = discord_house.person("mia"), discord_house.person("eve")
    for typed, wanted in (("", {"product", "poster", "plain"}), ("post", {"poster"})):
        receipt = await mia.type("imagine", "template", typed, channel=DRAFTS)
        assert wanted <= set(receipt.choices.values())
    assert list((await mia.type("imagine", "brand", channel=DRAFTS)).choices.values()) == ["acme"]
    assert (await eve.type("imagine", "template", "p", channel=DRAFTS)).acked


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("queue", {}, ""),
        ("find", {"words": "mug"}, ""),
        ("usage", {}, ""),
        ("schedule", {}, ""),
        ("brand", {}, "product"),
        ("help", {}, "/imagine"),
    ],
)
async def test_every_command_is_answered_in_private(
    discord_house: Running, command: str, options: dict[str, str], words: str
) -> None:
    receipt = await discord_house.person("mia").command(command, channel=DRAFTS, **options)
    answer = await receipt.answer()
    assert receipt.ephemeral
    assert answer.text
    assert words in answer.text
    assert discord_house.discord.messages(DRAFTS) == []


async def test_drafts_stay_with_the_one_who_asked_where_others_look_on(
    discord_house: Running,
) -> None:
    for channel in (SOCIAL, TALK):
        mia = discord_house.person("mia")
        count = len(dms(discord_house, "mia"))
        await mia.command("imagine", channel=channel, prompt="a red mug")
        await until(lambda count=count: sum(map(pictured, dms(discord_house, "mia"))) > count // 2)
        await settled(discord_house.house)
        assert not any(map(pictured, discord_house.discord.messages(channel)))
    shown = [message for message in dms(discord_house, "mia") if pictured(message)]
    assert all("draft" in message.text for message in shown)


async def test_private_drafts_are_nobody_else_s(discord_house: Running) -> None:
    mia = discord_house.person("mia")
    await mia.command("imagine", channel=DRAFTS, prompt="a red mug", private=True)
    await until(lambda: any(map(pictured, dms(discord_house, "mia"))))
    await settled(discord_house.house)
    assert discord_house.discord.messages(DRAFTS) == []


async def test_in_the_conversation_of_two_it_is_drawn_there(discord_house: Running) -> None:
    mia = discord_house.person("mia")
    assert (await mia.command("imagine", prompt="a red mug")).acked
    await until(lambda: any(map(pictured, dms(discord_house, "mia"))))


async def test_every_button_of_a_picture_is_answered(discord_house: Running) -> None:
    mia, card = discord_house.person("mia"), await drawn(discord_house)
    ids = [str(part["custom_id"]) for part in buttons(card) if "custom_id" in part]
    assert {part.split(":")[1] for part in ids if part.startswith("do:")} >= {
        "use",
        "vary",
        "upscale",
        "reroll",
        "send",
    }
    for custom_id in ids:
        pressed = await mia.click(card, custom_id, stale=True)
        if custom_id.startswith("ask:"):
            assert pressed.modal is not None, custom_id
        else:
            assert (await pressed.answer()).text, custom_id


async def test_one_of_several_pictures_is_shown_to_who_presses_it_with_all_its_buttons(
    discord_house: Running,
) -> None:
    mia, card = discord_house.person("mia"), await drawn(discord_house, count=4)
    for _ in range(2):  # as often as they like
        shown = await (await mia.click(card, "Picture 4…")).answer()
        assert pictured(shown)
        assert {part["label"] for part in buttons(shown)} >= {"Use", "Vary", "Upscale", "Re-roll"}
    again = await mia.click(shown, button_of(shown, "do:reroll:"))
    assert (await again.answer()).text
    asked = await mia.click(shown, button_of(shown, "ask:words:"))
    assert asked.modal is not None


async def test_other_words_are_asked_for_and_drawn(discord_house: Running) -> None:
    mia, card = discord_house.person("mia"), await drawn(discord_house)
    asked = await mia.click(card, button_of(card, "ask:words:"))
    assert asked.modal is not None
    [field] = asked.modal.fields()
    await mia.submit(asked.modal, **{field: "a blue mug"})
    await posted(discord_house.discord, DRAFTS, lambda m: pictured(m) and "blue" in m.text)


async def test_an_envelope_brings_the_recipe_and_a_cross_takes_the_card_away(
    discord_house: Running,
) -> None:
    mia, eve = discord_house.person("mia"), discord_house.person("eve")
    card = await drawn(discord_house, seed=42)
    mia.react(card, "✉️")
    await until(lambda: any("42" in message.text for message in dms(discord_house, "mia")))
    eve.react(card, "❌")
    await (await eve.command("help", channel=DRAFTS)).answer()  # heard after the emoji
    await settled(discord_house.house)
    assert not card.deleted
    mia.react(card, "❌")
    await until(lambda: card.deleted)


async def test_a_reference_is_fetched_at_once_and_gone_into(discord_house: Running) -> None:
    mia, card = discord_house.person("mia"), await drawn(discord_house)
    picture = discord_house.discord.world.attachments[card.attachments[0]]
    file = mia.attach(picture.data, "mug.png")
    again = await drawn(discord_house, prompt="a teal mug --iw 2", reference=file)
    assert again.id != card.id
    job = max(await discord_house.town.jobs(), key=lambda job: job.created_at)
    assert job.brief.reference


async def test_the_menus_of_a_message_are_answered(discord_house: Running) -> None:
    mia, card = discord_house.person("mia"), await drawn(discord_house, seed=42)
    details = await mia.menu("Details", card)
    assert "42" in (await details.answer()).text
    used = await mia.menu("Use as reference", card)
    assert used.modal is not None or (await used.answer()).text
    approved = await mia.menu("Approve", card)
    assert (await approved.answer()).text


async def test_a_stranger_is_told_how_to_become_a_member(discord_house: Running) -> None:
    eve = discord_house.person("eve")
    receipt = await eve.command("imagine", channel=DRAFTS, prompt="a red mug")
    assert (await receipt.answer()).only_for == eve.id
    assert discord_house.discord.messages(DRAFTS) == []
    assert await discord_house.town.jobs() == []
