"""A DiscordIntake on a house in memory, with a desk that the test drives and acknowledgements that
it can hold up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bot.chat.discord_chat.heard import Heard
from bot.chat.discord_chat.incoming.intake import DiscordIntake
from bot.chat.discord_chat.options import DiscordOptions
from bot.core.payloads import Body
from bot.core.ports import Inbox
from tests.fakes.slack_intake import WatchedInbox
from tests.fakes.town import Town, make_town


@dataclass
class Desk:
    """Does what is heard once its gate is open, and answers from memory (see AtAck)."""

    heard: list[Heard] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Closed, work waits."""
    slow: Callable[[Heard], bool] = bool
    """What waits there: all."""
    opens: dict[str, Any] | None = None
    """The form that every command, menu and asking button opens."""
    trips: bool = False
    """Whether it stumbles over a bug."""
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    """For which choices, and for which forms."""

    async def work(self, heard: Heard) -> None:
        """See DiscordIntake."""
        if self.slow(heard):
            await self.gate.wait()
        self.heard.append(heard)

    def choices(self, *about: Any) -> list[tuple[str, str]]:
        """See AtAck."""
        if self.trips:
            raise ZeroDivisionError
        self.asked.append(about)
        return [(f"{about[5]} {about[6]}", "acme")]

    def form(self, custom_id: str, heard: Heard) -> dict[str, Any] | None:
        """See AtAck."""
        if self.trips:
            raise ZeroDivisionError
        self.asked.append((custom_id, heard))
        return self.opens

    def form_for(self, heard: Heard) -> dict[str, Any] | None:
        """See AtAck."""
        if self.trips:
            raise ZeroDivisionError
        self.asked.append((heard,))
        return self.opens


@dataclass
class HeldAcks:
    """Acking that waits while its gate is closed, and that Discord takes or does not."""

    given: list[tuple[str, Any]] = field(default_factory=list)
    """(kind, what was said) of each, when it was begun."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    taken: bool = True

    async def later(self, interaction: Body) -> bool:
        """See Acking."""
        return await self._give("later", "")

    async def nothing(self, interaction: Body) -> bool:
        """See Acking."""
        return await self._give("nothing", "")

    async def says(self, interaction: Body, text: str) -> bool:
        """See Acking."""
        return await self._give("says", text)

    async def form(self, interaction: Body, form: Mapping[str, Any]) -> bool:
        """See Acking."""
        return await self._give("form", form)

    async def choices(self, interaction: Body, choices: Sequence[tuple[str, str]]) -> bool:
        """See Acking."""
        return await self._give("choices", list(choices))

    async def _give(self, kind: str, said: object) -> bool:
        self.given.append((kind, said))
        await self.gate.wait()
        return self.taken


@dataclass(frozen=True, kw_only=True)
class Taking:
    """What takes Discord's deliveries in, in this process."""

    town: Town
    desk: Desk
    acks: HeldAcks
    inbox: WatchedInbox
    options: DiscordOptions
    intake: DiscordIntake

    async def taken(self, interaction: dict[str, Any]) -> tuple[str, Any]:
        """Take it in; its acknowledgement."""
        await self.intake.taken(interaction, self.acks)
        return self.acks.given[-1]


@asynccontextmanager
async def taking(*, inbox: Inbox | None = None, **chosen: Any) -> AsyncIterator[Taking]:
    """Take in while the block runs. Its gates are open."""
    town, desk, watched, acks = await make_town(), Desk(), WatchedInbox(), HeldAcks()
    house = replace(town.house, inbox=inbox or watched)
    options = DiscordOptions(
        **{"token": "t", "base_url": "http://house.test", "api_base_url": "http://127.0.0.1:9"}
        | chosen
    )
    intake = DiscordIntake(house, forms=desk, work=desk.work, options=options)
    desk.gate.set()
    acks.gate.set()
    try:
        yield Taking(town=town, desk=desk, acks=acks, inbox=watched, options=options, intake=intake)
    finally:
        desk.gate.set()
        acks.gate.set()
        await intake.finish(5)
