"""What keeps people in Discord from something: a clear no for them alone, and whose rule it is."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.commands import BlockPerson, SetBudget, SetRole
from bot.core.messages import Actor
from brand.kit import AccessRule, Limits
from tests.fakes.chat_town import said, settled
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import (
    DRAFTS,
    GUILD,
    SOCIAL,
    TALK,
    USERS,
    DiscordTown,
    Running,
    discord_kit,
    make_discord_town,
    running,
)
from tests.fakes.waiting import until

ASK = {"prompt": "a red mug"}
DESIGN = "1300000000000000001"
"""A role of the guild."""


async def town_with(**kit: object) -> DiscordTown:
    """With these parts of the kit."""
    return await make_discord_town(replace(discord_kit(), **kit))  # type: ignore[arg-type]


def rule(name: str, **more: object) -> AccessRule:
    """A rule of the kit about Discord."""
    return AccessRule(name=name, platform="discord", **more)  # type: ignore[arg-type]


def give_role(discord: FakeDiscord, *names: str) -> None:
    """These people are designers from now on."""
    discord.world.guilds[GUILD].roles.setdefault(
        DESIGN, replace(discord.world.guilds[GUILD].roles[GUILD], id=DESIGN, name="design")
    )
    for name in names:
        discord.world.join(GUILD, USERS[name], DESIGN)


async def asked(house: Running, who: str, channel: str = DRAFTS, **options: object) -> Message:
    """The private answer to a wish for a picture."""
    receipt = await house.person(who).command("imagine", channel=channel, **{**ASK, **options})
    answer = await receipt.answer()
    assert answer.only_for in (house.person(who).id, ""), "for them alone"
    return answer


async def refused(house: Running, who: str, channel: str = DRAFTS) -> str:
    """What they read; nobody else reads anything, and nothing is made."""
    await said(house.house)  # the cards of earlier wishes too
    before = len(await house.town.jobs())
    shown = len(house.discord.messages(channel)) if channel else 0
    answer = await asked(house, who, channel)
    assert not channel or answer.only_for == house.person(who).id
    await said(house.house)
    assert len(await house.town.jobs()) == before
    assert not channel or len(house.discord.messages(channel)) == shown
    return answer.text


async def as_admin(house: Running, command: object) -> None:
    """Ida does it, in the portal for all that Discord knows."""
    assert house.house.door is not None
    ida = Actor(platform="discord", user=USERS["ida"], name="Ida")
    card = await house.house.door.dispatch(command, ida)  # type: ignore[arg-type]
    assert card.kind != "error", card


async def test_who_lacks_a_role_of_the_guild_is_told_which_rule_it_is_and_whose(
    discord: FakeDiscord,
) -> None:
    town = await town_with(access=(rule("designers ask", roles=(DESIGN,)),))
    give_role(discord, "ana")
    async with running(discord, town) as house:
        text = await refused(house, "mia")
        for words in ("another role", "designers ask", "Acme", "@\u200bbrand"):
            assert words.replace("\u200b", "") in text.replace("\u200b", "")
        assert "direct message doesn't tell" in await refused(house, "ana", "")
        assert "Queued" in (await asked(house, "ana")).text
        give_role(discord, "mia")
        assert "Queued" in (await asked(house, "mia")).text, "roles count as they are now"


async def test_a_channel_where_nothing_may_be_asked_says_so_and_others_take_it(
    discord: FakeDiscord,
) -> None:
    town = await town_with(access=(rule("not in public", channels=("#social", TALK)),))
    async with running(discord, town) as house:
        thread = discord.world.add_thread(SOCIAL, "mugs")
        for channel in (SOCIAL, TALK, thread.id):
            text = await refused(house, "mia", channel)
            assert "Nobody can ask for pictures of Acme in this channel" in text
            assert "not in public" in text
        assert "Queued" in (await asked(house, "mia")).text
        await house.person("mia").command("imagine", **ASK)
        await until(lambda: any(map(pictured, discord.messages(house.person("mia").dm.id))))


async def test_a_rule_about_approving_holds_for_button_menu_and_emoji(
    discord: FakeDiscord,
) -> None:
    town = await town_with(access=(rule("leads approve", roles=(DESIGN,), may=("approve",)),))
    give_role(discord, "ana")
    async with running(discord, town) as house:
        mia, rob = house.person("mia"), house.person("rob")
        await mia.command("imagine", channel=DRAFTS, **ASK)
        card = await posted(discord, DRAFTS, pictured)
        await mia.click(card, button_of(card, "do:send:"))
        review = await anywhere(discord, lambda m: button_of(m, "do:approve:"))
        await said(house.house)  # by its menu only a card is known whose sending is on record
        pressed = await rob.click(review, button_of(review, "do:approve:"))
        chosen = await rob.menu("Approve", review)
        for receipt in (pressed, chosen):
            answer = await receipt.answer()
            assert answer.only_for == rob.id
            assert "leads approve" in answer.text
        rob.react(review, "✅")
        await until(lambda: any("leads approve" in m.text for m in discord.messages(rob.dm.id)))
        await settled(house.house)
        assert discord.messages(SOCIAL) == []
        house.person("ana").react(review, "✅")
        await posted(discord, SOCIAL)


async def test_as_many_requests_at_once_as_the_kit_allows_for_a_person_and_for_a_guild(
    discord: FakeDiscord,
) -> None:
    town = await town_with(limits=Limits(open_jobs_person=1, open_jobs_place=2))
    drawing = asyncio.Event()
    town.renderer.before_picture = lambda _: drawing.wait()
    async with running(discord, town) as house:
        for who in ("mia", "ana"):
            assert "Queued" in (await asked(house, who)).text
        text = await refused(house, "mia")
        assert "1 request for pictures of Acme" in text
        assert "open_jobs_person" in text
        assert "brand can raise the limit" in text
        await as_admin(house, SetRole(person="Rob", role="requester"))
        text = await refused(house, "rob")
        assert "2 requests for pictures of Acme" in text
        assert "open_jobs_place" in text
        assert "Queued" in (await asked(house, "rob", "")).text, "direct messages are no guild"
        drawing.set()
        await until(lambda: sum(map(pictured, discord.messages(DRAFTS))) == 2)
        assert "Queued" in (await asked(house, "mia")).text


@pytest.mark.parametrize(
    ("scope", "key", "words"),
    [
        ("person", "Mia", "personal"),
        ("role", f"discord:{DESIGN}", DESIGN),
        ("place", f"discord:{GUILD}", GUILD),
    ],
)
async def test_a_used_up_budget_of_a_person_a_role_or_a_guild_holds_the_job_and_says_which(
    discord: FakeDiscord, discord_town: DiscordTown, scope: str, key: str, words: str
) -> None:
    give_role(discord, "mia")
    async with running(discord, discord_town) as house:
        budget = SetBudget(scope=scope, key=key, brand="acme", pictures=1, daily=True)
        await as_admin(house, budget)
        await asked(house, "mia")
        await posted(discord, DRAFTS, pictured)
        answer = await asked(house, "mia")
        held = await posted(discord, DRAFTS, lambda m: "used up" in m.text)
        assert not pictured(held)
        assert words in held.text
        assert answer.only_for == house.person("mia").id
        elsewhere = {"person": None, "role": "ana", "place": ""}[scope]
        if elsewhere is not None:  # whom the limit isn't about
            who, channel = (elsewhere, DRAFTS) if elsewhere else ("mia", "")
            assert "used up" not in (await asked(house, who, channel)).text


async def test_who_is_on_the_block_list_reads_why_whatever_they_do(
    discord_house: Running,
) -> None:
    discord, mia = discord_house.discord, discord_house.person("mia")
    await asked(discord_house, "mia")
    card = await posted(discord, DRAFTS, pictured)
    ida = discord_house.person("ida")
    line = "people block Mia too many @everyone jokes"
    done = await (await ida.command("housestyle", line=line, channel=DRAFTS)).answer()
    assert "Mia is on the block list" in done.text
    receipts = [
        await mia.command("imagine", channel=DRAFTS, **ASK),
        await mia.command("queue", channel=DRAFTS),
        await mia.click(card, button_of(card, "do:reroll:")),
        await mia.menu("Details", card),
    ]
    for receipt in receipts:
        answer = await receipt.answer()
        assert answer.only_for == mia.id
        assert "block list" in answer.text
        assert "jokes" in answer.text
        assert "admin" in answer.text
    assert len(await discord_house.town.jobs()) == 1
    await as_admin(discord_house, BlockPerson(person="Mia", blocked=False))
    assert "Queued" in (await asked(discord_house, "mia")).text
