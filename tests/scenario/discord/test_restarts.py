"""The house goes away and comes back: what stands in Discord still answers, by the rules of now."""

import asyncio
from dataclasses import replace

from bot.core.lives import ReviewState
from bot.core.people import ANY_BRAND, Role
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.interactions import ASKS
from tests.fakes.discord.looking import button_of, buttons, pictured, posted
from tests.fakes.discord_deeds import drawn, in_review, told
from tests.fakes.discord_town import DRAFTS, DiscordTown, running
from tests.fakes.waiting import until


async def change_roles(town: DiscordTown, name: str, *roles: Role) -> None:
    """From now on somebody has these roles, in every brand."""
    async with town.store.write() as tx:
        was = await tx.people.get(town.people[name].id)
        new = replace(was, roles=tuple((ANY_BRAND, role) for role in roles))
        await tx.people.update(new, was=was)


async def test_every_button_of_an_old_card_still_answers(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    async with running(discord, discord_town) as house:
        card = await drawn(house)
        ids = [str(part["custom_id"]) for part in buttons(card) if "custom_id" in part]
    assert ids
    assert all(len(custom_id) <= 100 for custom_id in ids)
    async with running(discord, discord_town) as house:
        mia = house.person("mia")
        pressed = await asyncio.gather(*(mia.click(card, each, stale=True) for each in ids))
        for custom_id, receipt in zip(ids, pressed, strict=True):
            assert receipt.acked, custom_id
            if receipt.type == ASKS:
                assert receipt.modal is not None
            else:
                assert (await receipt.answer()).text, custom_id
        await until(lambda: sum(map(pictured, discord.messages(DRAFTS))) > 1)


async def test_a_form_that_was_open_over_a_restart_is_taken(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    async with running(discord, discord_town) as house:
        card = await drawn(house)
        opened = await house.person("mia").click(card, button_of(card, "ask:words:"))
        review = await in_review(house, "a bowl")
        reason = await house.person("rob").click(review, button_of(review, "ask:reason:reject:"))
    async with running(discord, discord_town) as house:
        await house.person("mia").submit(opened.modal, said="a blue mug")
        await posted(discord, DRAFTS, lambda m: pictured(m) and "a blue mug" in m.text)
        await house.person("rob").submit(reason.modal, said="too dark")
        await until(lambda: "Rejected by Rob" in review.text)


async def test_rights_are_asked_for_anew_at_every_click_on_an_old_card(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    async with running(discord, discord_town) as house:
        review = await in_review(house)
        approve = button_of(review, "do:approve:")
        reason = await house.person("rob").click(review, button_of(review, "ask:reason:reject:"))
    await change_roles(discord_town, "rob", Role.REQUESTER)
    await change_roles(discord_town, "mia")
    async with running(discord, discord_town) as house:
        mia, rob, ana = map(house.person, ("mia", "rob", "ana"))
        assert "can't approve" in (await (await rob.click(review, approve)).answer()).text
        sent = await rob.submit(reason.modal, said="too dark")
        assert "can't" in (await sent.answer()).text
        rob.react(review, "✅")
        await until(lambda: "can't approve" in told(house, "rob"))
        again = await mia.command("imagine", prompt="a mug", channel=DRAFTS)
        assert "Queued" not in (await again.answer()).text
        found = await discord_town.review_of((await discord_town.newest_asset()).id)
        assert (found.state, found.votes) == (ReviewState.OPEN, ())
        await (await ana.click(review, approve)).answer()
        await until(lambda: "Approved by Ana" in review.text)


async def test_state_is_looked_at_anew_at_a_click_on_an_old_card(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    async with running(discord, discord_town) as house:
        review = await in_review(house)
        approve = button_of(review, "do:approve:")
        await house.person("rob").click(review, approve)
        await until(lambda: "Approved by Rob" in review.text)
    async with running(discord, discord_town) as house:
        for name in ("rob", "ana"):
            late = await house.person(name).click(review, approve, stale=True)
            assert "Approved by Rob" in (await late.answer()).text
        found = await discord_town.review_of((await discord_town.newest_asset()).id)
        assert len(found.votes) == 1
