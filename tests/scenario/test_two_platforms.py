"""One job on two platforms: asked in Slack, approved in Discord; one person in both is one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.chat.discord_chat import wiring as discord_wiring
from bot.chat.slack_chat import wiring as slack_wiring
from bot.chat.slack_chat.manifest import manifest
from bot.chat.slack_chat.options import Mode
from bot.core.crew import RenderingCrew
from bot.core.dispatch import Dispatch
from bot.core.house import House
from bot.core.lives import ReviewState
from bot.core.people import Identity
from bot.core.publishing import Publisher
from bot.core.sending import Sender
from brand.kit import Channel
from storage.memory_blobs import MemoryInbox
from tests.fakes import discord_town, slack_town
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import anywhere, button_of, posted
from tests.fakes.discord.people import Person
from tests.fakes.discord_town import DRAFTS, SOCIAL, USERS, DiscordTown
from tests.fakes.loops import Runs, looping
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import button_of as slack_button
from tests.fakes.slack.looking import pictured
from tests.fakes.town import KIT
from tests.fakes.waiting import until

TWO = replace(
    KIT,
    channels=(
        Channel(name="#social", audience="public", platform="discord", id=SOCIAL),
        Channel(name="#reviews", audience="working", platform="discord", id=DRAFTS),
        Channel(name="#drafts", audience="working", platform="slack", id="C0DRAFTS"),
    ),
)


@dataclass
class Both:
    """A house in front of both platforms."""

    town: DiscordTown
    slack: FakeSlack
    discord: FakeDiscord

    def in_discord(self, name: str) -> Person:
        """Somebody, as they are there."""
        return self.discord.person(USERS[name])


@pytest.fixture
async def both() -> AsyncIterator[Both]:
    """Mia and Ana are known by both of their accounts, Rob by that in Discord."""
    town = await discord_town.make_discord_town(TWO)
    async with town.store.write() as tx:
        for name in ("mia", "ana"):
            person = town.people[name]
            account = Identity(platform="slack", user=f"U0{name.upper()}", team="T1")
            known = replace(person, identities=(*person.identities, account))
            town.people[name] = await tx.people.update(known, was=person)
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack(rates=0))
        discord = await stack.enter_async_context(discord_town.founded(rates=10.0))
        await stack.enter_async_context(_at_work(town, slack, discord))
        yield Both(town, slack, discord)
    assert slack.violations == discord.violations == []


@asynccontextmanager
async def _at_work(
    town: DiscordTown, slack: FakeSlack, discord: FakeDiscord
) -> AsyncIterator[None]:
    """The real adapters of both, and the loops of a worker."""
    mine: dict[str, Any] = {"store": town.store, "blobs": town.blobs, "clock": town.clock}
    options = slack_town.options_for(slack, Mode.SOCKET)
    there = discord_town.options_for(discord)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        one = await enter(slack_wiring.open_slack(options, **mine))
        two = await enter(discord_wiring.open_discord(there, **mine))
        house = House(
            **mine,
            renderer=town.renderer,
            studio=town.studio,
            signals=town.signals,
            inbox=MemoryInbox(),
            timeline=town.store.timeline,
            chats={"slack": one.chat, "discord": two.chat},
            base_url=options.base_url,
        )
        door = Dispatch(house)
        house = replace(house, door=door)
        loops: list[Runs] = [RenderingCrew(house, "worker"), Publisher(house, "publisher")]
        loops += [Sender(house, "sender-1"), Sender(house, "sender-2")]
        await enter(looping([*loops, one.painter(house), two.painter(house)]))
        await enter(slack_wiring.listening(one, house, door))
        await enter(discord_wiring.listening(two, house, door))
        slack.configure(manifest(options.base_url, mode=options.mode, distributed=False))
        await until(lambda: slack.sockets.open and discord.gateway.connected())
        await until(lambda: discord.world.app.commands)
        yield


async def test_asked_in_slack_it_is_approved_in_discord_and_posted_there(both: Both) -> None:
    mia = both.slack.person("U0MIA")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    card = await both.slack.message("C0DRAFTS", pictured)
    await mia.click(card, slack_button(card, "do:send:"))
    review = await anywhere(both.discord, lambda m: button_of(m, "do:approve:"))
    both.in_discord("rob").react(review, "✅")
    post = await posted(both.discord, SOCIAL)
    assert post.attachments
    await until(lambda: "Approved by Rob" in review.text)
    await until(lambda: any("Approved by Rob" in m.text for m in both.slack.messages("C0DRAFTS")))
    assert both.discord.messages(SOCIAL) == [post]
    assert len(await both.town.jobs()) == 1


async def test_who_asked_in_slack_can_t_approve_it_in_discord(both: Both) -> None:
    ana = both.slack.person("U0ANA")
    await ana.command("/imagine", "a red mug", channel="C0DRAFTS")
    card = await both.slack.message("C0DRAFTS", pictured)
    await ana.click(card, slack_button(card, "do:send:"))
    review = await anywhere(both.discord, lambda m: button_of(m, "do:approve:"))
    same = both.in_discord("ana")
    pressed = await same.click(review, button_of(review, "do:approve:"))
    assert "own" in (await pressed.answer()).text
    asset = (await both.town.newest_asset()).id
    assert (await both.town.review_of(asset)).state is ReviewState.OPEN
