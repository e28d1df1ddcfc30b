"""One house before a Slack and a Discord at once: the real adapters of both on one store.

    async with both_towns() as both:
        await both.in_slack("mia").command("/imagine", "a red mug", channel=SLACK_DRAFTS)
        review = await anywhere(both.discord, under_review)

Mia and Ana ask, Ana and Ben approve, Ida is an admin, all known by their Slack account alone; Rob
approves in Discord. All of them have a Discord account that nobody knows before they `link` it.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.chat.discord_chat import wiring as discord_wiring
from bot.chat.slack_chat import wiring as slack_wiring
from bot.chat.slack_chat.manifest import manifest
from bot.chat.slack_chat.options import Mode
from bot.core.house import House
from bot.core.people import Identity, Role
from brand.kit import BrandKit, Channel
from storage.memory import MemoryStore
from tests.fakes import discord_town, slack_town
from tests.fakes.chat_town import PUBLIC_URL, ChatTown, at_work
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.people import Person as DiscordPerson
from tests.fakes.discord_guard import leaks
from tests.fakes.discord_town import DRAFTS, SOCIAL, USERS
from tests.fakes.slack.answers import actions_of
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import button_of
from tests.fakes.slack.people import Person as SlackPerson
from tests.fakes.town import KIT
from tests.fakes.waiting import until

SLACK_DRAFTS = "C0DRAFTS"
USERS_OF_SLACK = {name: user for name, (user, *_) in slack_town.MEMBERS.items()}
CODE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")
TWO = replace(
    KIT,
    channels=(
        Channel(name="#social", audience="public", platform="discord", id=SOCIAL),
        Channel(name="#news", audience="public", platform="slack", id="C0SOCIAL"),
        Channel(name="#reviews", audience="working", platform="discord", id=DRAFTS),
        Channel(name="#drafts", audience="working", platform="slack", id=SLACK_DRAFTS),
    ),
)
"""Drafts and reviews stand in a channel of each platform; the first public one is in Discord."""


@dataclass
class Both:
    """The house's town, and both platforms."""

    town: ChatTown
    house: House
    slack: FakeSlack
    discord: FakeDiscord

    def in_slack(self, name: str) -> SlackPerson:
        """Somebody, as they are there."""
        return self.slack.person(USERS_OF_SLACK[name])

    def in_discord(self, name: str) -> DiscordPerson:
        """Somebody, as they are there."""
        return self.discord.person(USERS[name])

    async def link(self, name: str) -> None:
        """As people do it: a code by Slack, typed in Discord, confirmed in Slack."""
        there, here = self.in_slack(name), self.in_discord(name)
        await there.command("/imagine", "/link", channel=SLACK_DRAFTS)
        await until(lambda: any(CODE.search(m.text) for m in there.ephemerals()))
        code = next(found[0] for m in there.ephemerals() if (found := CODE.search(m.text)))
        claimed = await (await here.command("link", code=code)).answer()
        assert "One more step" in claimed.text
        question = await self.slack.message(there.dm.id, lambda m: bool(button_of(m, "do:link:")))
        (yes,) = [action for action in actions_of(question) if action.endswith(":yes")]
        await there.click(question, yes)
        told = self.discord.messages
        await until(lambda: any("here from now on" in m.text for m in told(here.dm.id)))


@asynccontextmanager
async def both_towns(kit: BrandKit = TWO) -> AsyncIterator[Both]:
    """A replica at work before both. Neither platform may be wronged, nothing unapproved public."""
    town = ChatTown(store=MemoryStore(), kit=kit)
    members: dict[str, tuple[Identity, Any]] = {
        name: (slack_town.account(user), roles)
        for name, (user, *roles) in slack_town.MEMBERS.items()
    }
    await town.settle(members | {"rob": (discord_town.account("rob"), (Role.APPROVER,))})
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack(rates=0))
        discord = await stack.enter_async_context(discord_town.founded(rates=10.0))
        house = await stack.enter_async_context(_replica(town, slack, discord))
        yield Both(town, house, slack, discord)
    assert slack.violations == discord.violations == []
    assert await leaks(discord, town) == []


@asynccontextmanager
async def _replica(town: ChatTown, slack: FakeSlack, discord: FakeDiscord) -> AsyncIterator[House]:
    mine: dict[str, Any] = {"store": town.store, "blobs": town.blobs, "clock": town.clock}
    options = slack_town.options_for(slack, Mode.SOCKET)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        one = await enter(slack_wiring.open_slack(options, **mine))
        two = await enter(discord_wiring.open_discord(discord_town.options_for(discord), **mine))
        house, door = town.house(one.chat, two.chat)
        await enter(at_work(house, one.painter(house), two.painter(house), senders=3))
        await enter(slack_wiring.listening(one, house, door))
        await enter(discord_wiring.listening(two, house, door))
        slack.configure(manifest(PUBLIC_URL, mode=options.mode, distributed=False))
        await until(lambda: slack.sockets.open and discord.gateway.connected())
        await until(lambda: discord.world.app.commands)
        yield house
