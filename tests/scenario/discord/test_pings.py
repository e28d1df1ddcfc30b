"""Nobody is pinged by what somebody wrote, by whatever door it came in."""

from dataclasses import replace

import pytest

from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord.sending import pinged
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import DRAFTS, GUILD, SOCIAL, USERS, Running
from tests.fakes.waiting import until

PINGS = (
    f"@everyone <@{USERS['rob']}> <@&{GUILD}>",
    f"`@here` ||@everyone|| \\<@!{USERS['rob']}> **@here**",
)
"""Each by every door below: more than forty attempts."""
NOBODY: tuple[list[str], list[str], bool] = ([], [], False)


async def drawn(house: Running, **options: object) -> Message:
    """The card of what Mia asks for."""
    before = {message.id for message in house.discord.messages(DRAFTS)}
    await house.person("mia").command("imagine", channel=DRAFTS, **options)
    return await posted(house.discord, DRAFTS, lambda m: m.id not in before and pictured(m))


async def rename(house: Running, name: str, *, to: str) -> None:
    """Somebody calls themselves so, here and in Discord."""
    house.discord.world.users[USERS[name]].username = to
    async with house.town.store.write() as tx:
        member = await tx.people.by_identity("discord", USERS[name], "")
        if member is not None:
            await tx.people.update(replace(member, name=to), was=member)


async def of_template(house: Running, words: str) -> None:
    """Fill a template's variables with it."""
    mia = house.person("mia")
    opened = await mia.command("imagine", channel=DRAFTS, template="poster")
    assert opened.modal is not None
    fields = {field: words for field, made in opened.modal.fields().items() if made["type"] == 4}
    await mia.submit(opened.modal, **fields)


async def decided(house: Running, card: Message, words: str) -> None:
    """One review with it as a reason, and one with it as the caption of a post."""
    discord, mia, rob = house.discord, house.person("mia"), house.person("rob")
    asset = card_asset(card)
    await mia.command("housestyle", channel=DRAFTS, line=f"send {asset} #social {words}")
    first = await anywhere(discord, lambda m: button_of(m, "do:approve:"))
    await rob.click(first, button_of(first, "do:approve:"))
    await posted(discord, SOCIAL)
    other = await drawn(house, prompt="a teal mug")
    await mia.click(other, button_of(other, "do:send:"))
    review = await anywhere(discord, lambda m: m.id != first.id and button_of(m, "do:approve:"))
    asked = await rob.click(review, button_of(review, "ask:reason:reject:"))
    assert asked.modal is not None
    [field] = asked.modal.fields()
    await rob.submit(asked.modal, **{field: words})
    await until(lambda: "Rejected by" in review.text)


def card_asset(card: Message) -> str:
    """The id of its picture."""
    return button_of(card, "do:use:").rpartition(":")[2]


@pytest.mark.parametrize("words", PINGS)
async def test_what_somebody_writes_pings_nobody_by_whatever_door(
    discord_house: Running, words: str
) -> None:
    discord, mia, eve = (discord_house.discord, *map(discord_house.person, ("mia", "eve")))
    world = discord.world
    for name in ("mia", "eve", "rob"):
        await rename(discord_house, name, to=f"{name} {words}")
    picture = await drawn(discord_house, prompt=f"a mug {words}", negative=words)
    data = world.attachments[picture.attachments[0]].data
    file = mia.attach(data, f"{words}.png")
    bringing = await mia.command(
        "imagine", channel=DRAFTS, prompt=f"a {words} mug --no {words}", reference=file
    )
    assert (await bringing.answer()).text
    await of_template(discord_house, words)
    await decided(discord_house, picture, words)
    for who, command, options in (
        (mia, "link", {"code": words}),
        (eve, "link", {"code": words}),
        (eve, "imagine", {"prompt": words}),
        (mia, "find", {"words": words}),
        (mia, "show", {"id": words}),
        (mia, "help", {"about": words}),
        (mia, "imagine", {"prompt": f"mug --{words} {words}"}),
    ):
        receipt = await who.command(command, channel=DRAFTS, **options)
        assert (await receipt.answer()).text
    said = [m for channel in world.channels.values() for m in channel.messages.values()]
    assert len(said) > 12
    for message in said:
        assert (message.mentions, message.mention_roles, message.mention_everyone) == NOBODY
        shown = "\n".join((message.text, *alts_and_labels(message)))
        assert pinged(world, shown, None) == NOBODY, "even if Discord were not told so"
    assert sum("here" in m.text or "everyone" in m.text for m in said) > 9, "it was repeated"


def alts_and_labels(message: Message) -> list[str]:
    """What else is read on it."""
    parts = list(message.parts())
    shown = [str(part.get(word, "")) for part in parts for word in ("label", "placeholder")]
    items = [item for part in parts if part.get("type") == 12 for item in part["items"]]
    return shown + [str(item.get("description") or "") for item in items]
