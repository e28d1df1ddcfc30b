"""What people of the Discord town do, and look at, again and again in scenarios."""

from bot.core.health import Finding, examine
from bot.core.house import House
from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import DRAFTS, Running


async def drawn(house: Running, words: str = "a red mug", *, channel: str = DRAFTS) -> Message:
    """The card of a picture that Mia asked for."""
    before = {message.id for message in house.discord.messages(channel)}
    await house.person("mia").command("imagine", prompt=words, channel=channel)
    return await posted(house.discord, channel, lambda m: pictured(m) and m.id not in before)


async def in_review(house: Running, words: str = "a red mug") -> Message:
    """The card of a review that Mia asked for."""
    before = {message.id for message in house.discord.world.all_messages()}
    card = await drawn(house, words)
    await house.person("mia").click(card, button_of(card, "do:send:"))
    return await anywhere(
        house.discord, lambda m: m.id not in before and button_of(m, "do:approve:")
    )


def told(house: Running, name: str) -> str:
    """All that somebody reads in their direct messages."""
    dm = house.person(name).dm
    return "\n".join(message.text for message in house.discord.messages(dm.id))


async def on_health_page(house: House) -> Finding:
    """How the line to Discord is, for people and probes."""
    report = await examine(house, None)
    assert report.ready
    return next(each for each in report.findings if each.name == "discord")
