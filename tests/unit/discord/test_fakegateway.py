"""Unmodified discord.py at the fake's gateway: it connects, resumes, starts anew, and gives up."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
import yarl

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.gateway import Session
from tests.fakes.discord.people import Person
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import DRAFTS, USERS, founded
from tests.fakes.waiting import ENOUGH_S, until

INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)
QUEUE = {"id": "77", "name": "queue", "type": 1, "description": "What waits", "options": []}


class Noting:
    """What every client here does: note what it hears, and wait for nothing at an identify."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.interactions: list[int] = []
        self.reactions: list[tuple[str, int]] = []
        self.messages: list[str] = []
        self.resumed = 0

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Two identifies need no five seconds between them here."""

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.interactions.append(interaction.id)
        await interaction.response.defer(ephemeral=True, thinking=True)

    async def on_raw_reaction_add(self, told: discord.RawReactionActionEvent) -> None:
        self.reactions.append((f"+{told.emoji}", told.user_id))

    async def on_raw_reaction_remove(self, told: discord.RawReactionActionEvent) -> None:
        self.reactions.append((f"-{told.emoji}", told.user_id))

    async def on_message(self, message: discord.Message) -> None:
        self.messages.append(message.content)

    async def on_resumed(self) -> None:
        self.resumed += 1


class One(Noting, discord.Client):
    """All guilds on one connection."""


class Sharded(Noting, discord.AutoShardedClient):
    """Guilds shared among connections."""


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    """A Discord with the guild, towards which discord.py is pointed."""
    async with founded() as made:
        monkeypatch.setattr(discord.http.Route, "BASE", made.api_url)
        monkeypatch.setattr(
            discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(made.gateway_url)
        )
        made.world.app.commands.append(QUEUE)
        yield made
        assert made.violations == []


@contextlib.asynccontextmanager
async def at_work(fake: FakeDiscord, client: One | Sharded) -> AsyncIterator[None]:
    """A client that is connected."""
    others, shards = len(fake.gateway.connected()), client.shard_count or 1
    running = asyncio.create_task(client.start(fake.token))
    try:
        await until(lambda: running.done() or len(fake.gateway.connected()) == others + shards)
        yield
    finally:
        await client.close()
        await running


def mia(fake: FakeDiscord) -> Person:
    return Person(fake.world, USERS["mia"])


def sessions(fake: FakeDiscord) -> list[Session]:
    return list(fake.gateway.sessions.values())


def card(fake: FakeDiscord) -> Message:
    """A message of Rob's in the drafts."""
    return Person(fake.world, USERS["rob"]).say("look", channel=DRAFTS)


async def test_it_connects_and_hears_a_command_which_it_acknowledges(fake: FakeDiscord) -> None:
    async with at_work(fake, client := One(intents=INTENTS)):
        receipt = await mia(fake).command("queue", channel=DRAFTS)
    assert client.interactions == [int(receipt.interaction.id)]
    assert (receipt.acked, receipt.type, receipt.ephemeral) == (True, 5, True)
    assert [guild.name for guild in client.guilds] == ["Acme"]


@pytest.mark.parametrize("code", [4000, 1001, 1012])
async def test_after_a_lost_connection_it_resumes_and_hears_all_that_it_missed(
    fake: FakeDiscord, code: int
) -> None:
    async with at_work(fake, client := One(intents=INTENTS)):
        message = card(fake)
        await fake.gateway.drop(code)
        mia(fake).react(message, "✅")
        mia(fake).unreact(message, "✅")
        late = await mia(fake).command("queue", channel=DRAFTS)
        await until(lambda: client.resumed and len(client.reactions) == 2)
    assert client.reactions == [("+✅", int(USERS["mia"])), ("-✅", int(USERS["mia"]))]
    assert client.interactions == [int(late.interaction.id)]
    assert late.acked
    assert (fake.gateway.identifies, fake.gateway.resumes) == (1, 1)
    assert fake.gateway.replayed >= 2


async def test_told_to_reconnect_it_resumes(fake: FakeDiscord) -> None:
    async with at_work(fake, client := One(intents=INTENTS)):
        await fake.gateway.reconnect()
        await until(lambda: client.resumed)
        assert (await mia(fake).command("queue", channel=DRAFTS)).acked
    assert fake.gateway.identifies == 1


async def test_with_a_void_session_it_identifies_anew(fake: FakeDiscord) -> None:
    async with at_work(fake, client := One(intents=INTENTS)):
        await fake.gateway.invalidate()
        await until(lambda: fake.gateway.identifies == 2 and fake.gateway.connected())
        assert (await mia(fake).command("queue", channel=DRAFTS)).acked
    assert client.resumed == 0


async def test_a_session_that_was_forgotten_while_it_was_away_is_not_resumed(
    fake: FakeDiscord,
) -> None:
    async with at_work(fake, One(intents=INTENTS)):
        fake.gateway.forget()
        await fake.gateway.drop()
        await until(lambda: fake.gateway.identifies == 2 and fake.gateway.connected())
    assert fake.gateway.resumes == 0


async def test_a_token_that_is_no_longer_good_ends_it(fake: FakeDiscord) -> None:
    client = One(intents=INTENTS)
    await client.login(fake.token)
    fake.world.app.token = "another"
    with pytest.raises(discord.ConnectionClosed) as found:
        async with asyncio.timeout(ENOUGH_S):
            await client.connect()
    assert found.value.code == 4004
    await client.close()


async def test_an_intent_that_was_not_granted_ends_it(fake: FakeDiscord) -> None:
    client = One(intents=discord.Intents(message_content=True))
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with asyncio.timeout(ENOUGH_S):
            await client.start(fake.token)
    await client.close()


async def test_two_shards_share_what_happens_and_each_resumes(fake: FakeDiscord) -> None:
    async with at_work(fake, client := Sharded(intents=INTENTS, shard_count=2)):
        assert [s.shard for s in fake.gateway.connected()] == [0, 1]
        there = await mia(fake).command("queue", channel=DRAFTS)
        alone = await mia(fake).command("queue")
        assert client.interactions == [int(r.interaction.id) for r in (there, alone)]
        await fake.gateway.drop()
        mia(fake).react(card(fake), "✅")
        await until(lambda: client.resumed == 2 and client.reactions)
    assert fake.gateway.identifies == 2
    told = {s.shard: [json.loads(frame)["t"] for frame in s.log] for s in sessions(fake)}
    assert "MESSAGE_REACTION_ADD" in told[1], "of the guild"
    assert "GUILD_CREATE" not in told[0]
    assert [told[n].count("INTERACTION_CREATE") for n in (0, 1)] == [1, 1]


async def test_what_was_not_asked_for_is_not_told(fake: FakeDiscord) -> None:
    quiet = discord.Intents(guilds=True, guild_messages=True)
    async with at_work(fake, client := One(intents=quiet)):
        mia(fake).react(card(fake), "✅")
        await until(lambda: client.messages)
        assert (await mia(fake).command("queue", channel=DRAFTS)).acked
    assert client.reactions == []
    assert client.messages == [""], "it may not read what others write"


async def test_two_clients_hear_the_same_and_one_answers(fake: FakeDiscord) -> None:
    first, second = One(intents=INTENTS), One(intents=INTENTS)
    async with at_work(fake, first), at_work(fake, second):
        await mia(fake).command("queue", channel=DRAFTS)
        await until(lambda: first.interactions == second.interactions != [])


async def test_an_app_that_says_nothing_in_time_is_noted(fake: FakeDiscord) -> None:
    person = mia(fake)
    person.wait_s = 0.01
    receipt = await person.command("queue", channel=DRAFTS)
    assert not receipt.acked
    assert fake.violations == ["The application did not respond to 2 queue"]
    fake.violations.clear()
