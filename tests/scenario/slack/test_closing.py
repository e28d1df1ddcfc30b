"""The house ends what it began, also where it ends of a failure."""

import asyncio

import pytest

from bot.chat.slack_chat.manifest import manifest
from bot.chat.slack_chat.options import Mode
from bot.chat.slack_chat.wiring import SlackParts, listening, open_slack
from bot.core.cards import reply_card
from bot.core.house import House
from bot.core.messages import Actor, Card
from storage.memory_blobs import MemoryInbox
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack_town import PUBLIC_URL, SlackTown, options_for
from tests.fakes.waiting import until


class SlowDoor:
    """Takes a while over a command."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.ended = asyncio.Event(), asyncio.Event(), False

    async def dispatch(self, command: object, actor: Actor) -> Card:
        """See the port."""
        self.begun.set()
        await self.go_on.wait()
        self.ended = True
        return reply_card("Done")


class Failed(Exception):
    """What the process ends of."""


async def fail_in_the_middle(
    slack: FakeSlack, parts: SlackParts, house: House, door: SlowDoor
) -> None:
    """A command is in hand and still takes a while when the house fails."""
    async with listening(parts, house, door):
        slack.configure(manifest(PUBLIC_URL, mode=Mode.SOCKET, distributed=False), at="")
        await until(lambda: len(slack.sockets.open) == parts.options.sockets)
        await slack.person("U0MIA").command("/imagine", "a mug", channel="C0DRAFTS")
        await door.begun.wait()
        asyncio.get_running_loop().call_later(0.2, door.go_on.set)
        raise Failed


async def test_what_is_in_hand_is_done_before_a_house_that_fails_closes(
    slack: FakeSlack, slack_town: SlackTown
) -> None:
    door, options = SlowDoor(), options_for(slack, Mode.SOCKET)
    at = {"store": slack_town.store, "blobs": slack_town.blobs, "clock": slack_town.clock}
    async with open_slack(options, **at) as parts:  # type: ignore[arg-type]
        house = House(
            **at,  # type: ignore[arg-type]
            renderer=slack_town.renderer,
            studio=slack_town.studio,
            signals=slack_town.signals,
            inbox=MemoryInbox(),
            timeline=slack_town.store.timeline,
            chats={"slack": parts.chat},
        )
        with pytest.raises(Failed):
            await fail_in_the_middle(slack, parts, house, door)
        assert door.ended
