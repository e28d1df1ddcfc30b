"""Whoever sits at the terminal can read and write the data folder, and so acts as its owner."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bot.cli.console import checked
from bot.core.messages import Actor

if TYPE_CHECKING:
    from bot.core.caller import Caller
    from bot.core.commands import Command
    from bot.core.house import House
    from bot.core.messages import Card
    from bot.core.people import Person
    from bot.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class AtTerminal:
    """An open house and who speaks to it."""

    house: "House"
    owner: "Person"
    actor: Actor

    @property
    def caller(self) -> "Caller":
        """The owner as use cases know them, for what is no command."""
        from bot.core.caller import Caller

        return Caller(person=self.owner, actor=self.actor)

    async def say(self, command: "Command") -> "Card":
        """Through the one door. Raises CommandFailed where the answer is an error."""
        door = self.house.door
        if door is None:
            raise RuntimeError("The composition root left the house without its door.")
        return checked(await door.dispatch(command, self.actor))


@asynccontextmanager
async def at_terminal(
    settings: "Settings", *, generation: bool = False
) -> AsyncIterator[AtTerminal]:
    """Open the house for one command. It may stand beside a process that serves."""
    from bot.app import LOCAL, OWNER, open_house, owner_of
    from bot.core.policy import direct_line

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with open_house(settings, generation=generation) as house:
        async with house.store.write() as tx:
            owner = await owner_of(tx, house.clock.now())
        line = direct_line(LOCAL, OWNER)
        actor = Actor(platform=LOCAL, user=OWNER, name=owner.name, person=owner.id, channel=line)
        yield AtTerminal(house=house, owner=owner, actor=actor)


def run_async(work: Callable[[], Awaitable[T]]) -> T:
    """Run to the end; Ctrl-C and a termination signal cancel it, so that it can clean up."""

    async def main() -> T:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work()

    return asyncio.run(main())
