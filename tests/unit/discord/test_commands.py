"""Discord is told the commands when they change, and what it is told keeps its rules."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.chat.discord_chat.commands import AGAIN_S, digest, payloads, sync, until_told
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.rest import DiscordRefused
from bot.chat.discord_chat.surfaces import COMMANDS, MENUS
from bot.core.errors import Unavailable
from bot.core.watching import Unwatched
from storage.memory import MemoryStore
from tests.fakes.clock import DrivenClock
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.waiting import until

LISTED, PUT = "GET /applications/*/commands", "PUT /applications/*/commands"


@dataclass(kw_only=True)
class Syncing:
    """A house that tells Discord its commands."""

    discord: FakeDiscord
    options: DiscordOptions
    rest: DiscordRest
    store: MemoryStore

    async def sync(self) -> bool:
        """As at a start."""
        return await sync(self.rest, self.store, DrivenClock(), self.options)

    def asked(self, what: str) -> int:
        """How often Discord was asked that."""
        return len(self.discord.calls(what))


@pytest.fixture
async def house() -> AsyncIterator[Syncing]:
    """With a Discord that is left without a complaint."""
    async with FakeDiscord() as discord:
        options = DiscordOptions(
            token=discord.token,
            base_url="http://house.test",
            api_base_url=discord.api_url,
            gateway_url=discord.gateway_url,
        )
        async with DiscordRest(options, watch=Unwatched()) as rest:
            yield Syncing(discord=discord, options=options, rest=rest, store=MemoryStore())
        assert discord.violations == []


class _Away(MemoryStore):
    """Records that are away at first."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 1

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        """Raises Unavailable once."""
        if self.away:
            self.away -= 1
            raise Unavailable("The database is away.")
        async with super().read() as tx:
            yield tx


async def test_commands_are_told_once_the_records_are_back(house: Syncing) -> None:
    clock = DrivenClock()
    telling = asyncio.create_task(until_told(house.rest, _Away(), clock, house.options))
    await until(lambda: clock.sleeping or telling.done())
    assert not telling.done()
    assert house.asked(PUT) == 0
    await clock.advance(AGAIN_S)
    await telling
    assert house.asked(PUT) == 1


async def test_discord_is_told_once(house: Syncing) -> None:
    assert await house.sync()
    names = {one["name"] for one in house.discord.world.app.commands}
    assert names == {*COMMANDS, *MENUS}
    assert not await house.sync()
    assert (house.asked(LISTED), house.asked(PUT)) == (1, 1)


async def test_a_house_that_is_set_up_again_sees_that_discord_has_them(house: Syncing) -> None:
    await house.sync()
    house.store = MemoryStore()
    assert not await house.sync()
    assert (house.asked(LISTED), house.asked(PUT)) == (2, 1)


async def test_a_set_that_has_changed_is_told_as_a_whole(house: Syncing) -> None:
    await house.sync()
    house.discord.world.app.commands[0]["description"] = "An older word"
    house.discord.world.app.commands.pop()
    house.store = MemoryStore()
    assert await house.sync()
    assert digest(house.discord.world.app.commands) == digest(payloads())


async def test_another_server_than_the_one_that_was_told_is_told_too(house: Syncing) -> None:
    await house.sync()
    async with FakeDiscord() as other:
        options = DiscordOptions(
            token=other.token, base_url="http://house.test", api_base_url=other.api_url
        )
        async with DiscordRest(options, watch=Unwatched()) as rest:
            assert await sync(rest, house.store, DrivenClock(), options)
        assert other.violations == []


async def test_a_set_that_was_refused_is_not_remembered(house: Syncing) -> None:
    house.discord.troubles.add(PUT, "refuse", status=403, code=50001)
    with pytest.raises(DiscordRefused):
        await house.sync()
    assert await house.sync()


def test_the_order_of_the_commands_and_what_discord_adds_change_nothing() -> None:
    kept = [one | {"id": "1", "version": "2", "nsfw": False} for one in reversed(payloads())]
    assert digest(kept) == digest(payloads())


def test_every_change_that_people_would_see_is_one() -> None:
    before = digest(payloads())
    for change in ("description", "name"):
        other = copy.deepcopy(payloads())
        other[0][change] = "another"
        assert digest(other) != before
        other = copy.deepcopy(payloads())
        other[0]["options"][0][change] = "another"
        assert digest(other) != before
    other = copy.deepcopy(payloads())
    other[0]["options"][0]["required"] = True
    assert digest(other) != before
    other = copy.deepcopy(payloads())
    other[0]["contexts"] = [0]
    assert digest(other) != before
    other = copy.deepcopy(payloads())
    other[0]["options"].reverse()
    assert digest(other) != before
    assert digest(payloads()[1:]) != before


@pytest.mark.parametrize("command", payloads(), ids=lambda one: str(one["name"]))
def test_a_command_keeps_within_discord_s_limits(command: dict[str, object]) -> None:
    assert command["contexts"] == [0, 1]
    assert command["integration_types"] == [0]
    assert command["default_member_permissions"] is None
    assert 1 <= len(str(command["name"])) <= 32
    if command["type"] == 3:
        assert "description" not in command
        return
    assert 1 <= len(str(command["description"])) <= 100
    options = command["options"]
    assert isinstance(options, list)
    assert len(options) <= 25
    required = [one["required"] for one in options]
    assert required == sorted(required, reverse=True), "those that are needed come first"
    for option in options:
        assert 1 <= len(option["name"]) <= 32
        assert 1 <= len(option["description"]) <= 100
        assert not (option.get("autocomplete") and option.get("choices"))
