"""From a slash command to the post: the card, progress, the picture, a button, an emoji."""

from tests.fakes.chat_town import settled
from tests.fakes.discord.looking import alts, anywhere, button_of, pictured, posted
from tests.fakes.discord.state import COMPONENTS_V2, Message
from tests.fakes.discord_town import DRAFTS, SOCIAL, Running
from tests.fakes.easel import Easel
from tests.fakes.waiting import until


def under_review(message: Message) -> bool:
    """Whether it is a review that can be decided."""
    return bool(button_of(message, "do:approve:"))


async def test_a_command_becomes_a_picture_that_is_approved_and_posted(
    discord_house: Running,
) -> None:
    discord, mia, rob = (
        discord_house.discord,
        discord_house.person("mia"),
        discord_house.person("rob"),
    )
    easel = Easel(discord_house)
    asked = await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
    assert (asked.acked, asked.ephemeral) == (True, True)
    assert "Queued" in (await asked.answer()).text
    queued = await posted(discord, DRAFTS)
    easel.let_go()
    card = await posted(discord, DRAFTS, pictured)
    assert card is queued
    assert card.flags & COMPONENTS_V2
    assert all(alts(card))
    assert discord.messages(DRAFTS) == [card], "one message, which changed in place"
    assert card.versions, "it was queued before it was done"

    sent = await mia.click(card, button_of(card, "do:send:"))
    assert sent.acked
    await sent.answer()
    review = await anywhere(discord, under_review)
    await settled(discord_house.house)
    assert discord.messages(SOCIAL) == []
    rob.react(review, "✅")
    post = await posted(discord, SOCIAL)
    assert post.attachments
    assert not post.components
    await until(lambda: "Approved by Rob" in review.text and not button_of(review, "do:"))
    await settled(discord_house.house)
    assert discord.messages(SOCIAL) == [post]
