"""What a person sees in this Slack: pictures, buttons, messages wherever they are."""

from collections import Counter
from collections.abc import Callable

from tests.fakes.slack.answers import actions_of
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.state import Message, View
from tests.fakes.waiting import ENOUGH_S, until


def pictured(message: Message) -> bool:
    """Whether a message shows or shares a picture."""
    shown = any(block["type"] == "image" for block in message.blocks)
    return shown or bool(message.files)


def button_of(where: Message | View, start: str) -> str:
    """The action id that starts so; empty where there is none."""
    return next((action for action in actions_of(where) if action.startswith(start)), "")


async def anywhere(
    slack: FakeSlack, test: Callable[[Message], object], *, within_s: float = ENOUGH_S
) -> Message:
    """Wait for the newest message, of any channel and workspace, that passes the test."""
    found: list[Message] = []

    def there() -> bool:
        found[:] = [m for m in slack.world.all_messages() if test(m)]
        return bool(found)

    await until(there, within_s)
    return max(found, key=lambda message: float(message.ts))


def files_in(slack: FakeSlack, channel: str) -> set[str]:
    """Ids of the files that were ever to be seen in a channel, in a block or shared."""
    files = slack.world.files.values()
    return {file.id for file in files if channel in file.shown or channel in file.shares}


def doubled(slack: FakeSlack) -> list[str]:
    """Own ids (of the metadata) that stand on more than one message."""
    counted = Counter(message.id for message in slack.world.all_messages() if message.id)
    return [own for own, times in counted.items() if times > 1]


def everywhere(slack: FakeSlack) -> str:
    """All that stands anywhere, for a test that failed to find something."""
    lines = [
        f"{m.channel} {m.ts} {'for ' + m.only_for if m.only_for else ''} {m.text!r} {actions_of(m)}"
        for space in slack.world.workspaces.values()
        for channel in space.channels.values()
        for m in [*channel.live(), *channel.ephemerals]
    ]
    return "\n".join(lines)
