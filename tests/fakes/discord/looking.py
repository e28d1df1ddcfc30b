"""Looking at what stands in this Discord."""

from collections.abc import Callable

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.state import Json, Message
from tests.fakes.waiting import ENOUGH_S, until

GALLERY, BUTTON = 12, 2


def pictured(message: Message) -> bool:
    """Whether it shows pictures."""
    return any(part.get("type") == GALLERY for part in message.parts())


def alts(message: Message) -> list[str]:
    """What its pictures show, in words."""
    shown = [part for part in message.parts() if part.get("type") == GALLERY]
    return [item.get("description") or "" for part in shown for item in part["items"]]


def buttons(message: Message) -> list[Json]:
    """Its buttons that can be pressed."""
    found = [part for part in message.parts() if part.get("type") == BUTTON]
    return [part for part in found if not part.get("disabled")]


def button_of(message: Message, start: str) -> str:
    """The custom id of its first button that begins so; empty where there is none."""
    ids = [str(part.get("custom_id", "")) for part in buttons(message)]
    return next((found for found in ids if found.startswith(start)), "")


async def posted(
    discord: FakeDiscord,
    channel: str,
    test: Callable[[Message], object] = bool,
    *,
    within_s: float = ENOUGH_S,
) -> Message:
    """Wait for the newest message in a channel that passes the test."""
    found: list[Message] = []

    def there() -> bool:
        found[:] = [m for m in discord.messages(channel) if test(m)]
        return bool(found)

    await until(there, within_s)
    return found[-1]


async def anywhere(
    discord: FakeDiscord, test: Callable[[Message], object], *, within_s: float = ENOUGH_S
) -> Message:
    """Wait for the newest message of any channel that passes the test."""
    found: list[Message] = []

    def there() -> bool:
        found[:] = [m for m in discord.world.all_messages() if test(m)]
        return bool(found)

    await until(there, within_s)
    return max(found, key=lambda m: int(m.id))
