"""Discord's deliveries of every odd shape: none breaks the connection, none is done, and whoever
waits for an answer gets one."""

import itertools
import json
import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.chat.discord_chat.heard import Heard, from_payload, to_payload
from bot.chat.discord_chat.incoming.intake import DiscordIntake
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.surfaces import COMMANDS, MENUS
from bot.core.payloads import Body, is_plain
from tests.fakes.town import make_town
from tests.hostile.score import Score, Taken

RANDOM = 400
_ID = re.compile("[0-9]{1,20}")
APP, GUILD, MIA = "1000000000000000001", "4000", "5001"
_COMMON: dict[str, Any] = {
    "id": "9001",
    "application_id": APP,
    "token": "aW50ZXJhY3Rpb24.t-1",
    "version": 1,
    "guild_id": GUILD,
    "channel_id": "4100",
    "channel": {"id": "4100", "type": 0, "name": "drafts"},
    "member": {
        "nick": "Mia",
        "roles": ["4200"],
        "user": {"id": MIA, "username": "mia", "global_name": "Mia M."},
    },
    "context": 0,
    "attachment_size_limit": 10_485_760,
}
COMMAND: dict[str, Any] = _COMMON | {
    "type": 2,
    "data": {
        "id": "1",
        "name": "imagine",
        "type": 1,
        "options": [{"name": "prompt", "type": 3, "value": "a red mug"}],
    },
}
WITH_PICTURE: dict[str, Any] = COMMAND | {
    "id": "9002",
    "data": {
        "id": "1",
        "name": "imagine",
        "type": 1,
        "options": [
            {"name": "prompt", "type": 3, "value": "a red mug"},
            {"name": "reference", "type": 11, "value": "7001"},
            {"name": "count", "type": 4, "value": 2},
            {"name": "private", "type": 5, "value": True},
        ],
        "resolved": {"attachments": {"7001": {"id": "7001", "url": "https://cdn/7001.png"}}},
    },
}
MENU: dict[str, Any] = _COMMON | {
    "id": "9003",
    "type": 2,
    "data": {
        "id": "2",
        "name": "Use as reference",
        "type": 3,
        "target_id": "8001",
        "resolved": {
            "messages": {
                "8001": {
                    "id": "8001",
                    "author": {"id": "5002"},
                    "attachments": [
                        {"id": "1", "url": "https://cdn/1.png", "content_type": "image/png"},
                        {"id": "2", "url": "https://cdn/2.txt", "content_type": "text/plain"},
                    ],
                }
            }
        },
    },
}
CLICK: dict[str, Any] = _COMMON | {
    "id": "9004",
    "type": 3,
    "data": {"custom_id": "do:approve:r1", "component_type": 2},
    "message": {"id": "8002", "author": {"id": APP}},
}
ASKS: dict[str, Any] = CLICK | {
    "id": "9005",
    "data": {"custom_id": "ask:reason:reject:r1", "component_type": 2},
}
TYPING: dict[str, Any] = _COMMON | {
    "id": "9006",
    "type": 4,
    "data": {
        "id": "1",
        "name": "imagine",
        "type": 1,
        "options": [
            {"name": "prompt", "type": 3, "value": "a mug"},
            {"name": "template", "type": 3, "value": "pro", "focused": True},
        ],
    },
}
SENT_OFF: dict[str, Any] = _COMMON | {
    "id": "9007",
    "type": 5,
    "data": {
        "custom_id": "form:reason:reject:r1",
        "components": [
            {"type": 18, "component": {"type": 4, "custom_id": "said", "value": "too dark"}}
        ],
    },
    "message": {"id": "8002", "author": {"id": APP}},
}
REACTION: dict[str, Any] = {
    "user_id": MIA,
    "channel_id": "4100",
    "message_id": "8002",
    "guild_id": GUILD,
    "message_author_id": APP,
    "member": _COMMON["member"],
    "emoji": {"id": None, "name": "✅"},
    "burst": False,
    "type": 0,
}
INTERACTIONS = {
    "command": COMMAND,
    "picture": WITH_PICTURE,
    "menu": MENU,
    "click": CLICK,
    "asks": ASKS,
    "typing": TYPING,
    "form": SENT_OFF,
}

ODD: tuple[tuple[str, Any], ...] = (
    ("null", None),
    ("a list", [1]),
    ("a text", "x"),
    ("a number", 7),
    ("yes", True),
    ("an object", {"a": {"b": []}}),
    ("a huge number", 10**400),
    ("infinity", float("inf")),
    ("NUL", "\0"),
    ("half a pair", "\ud800"),
    ("a long text", "ab" * 50_000),
    ("an address", "../../channels/1/messages"),
)


def odd_payloads(payload: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The payload with every place of it in turn holding something odd, or nothing."""
    numbers = itertools.count(int(payload.get("id", 0)) * 1000)
    for path in _places(payload):
        fresh = dict(payload) | {"id": str(next(numbers))}
        yield f"without {'.'.join(path)}", _with(fresh, path, None, drop=True)
        for name, value in ODD:
            fresh["id"] = str(next(numbers))
            yield f"{name} at {'.'.join(path)}", _with(fresh, path, value)
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    yield "5,000 lists", dict(payload) | {"data": {"options": deep}}


def _places(thing: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    inner = (
        thing.items()
        if isinstance(thing, dict)
        else enumerate(thing)
        if isinstance(thing, list)
        else ()
    )
    for name, value in inner:
        yield (*above, str(name))
        yield from _places(value, (*above, str(name)))


def _with(
    payload: Mapping[str, Any], path: tuple[str, ...], value: object, *, drop: bool = False
) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(payload))
    at: Any = copied
    for name in path[:-1]:
        at = at[int(name)] if isinstance(at, list) else at[name]
    last: Any = int(path[-1]) if isinstance(at, list) else path[-1]
    if drop:
        del at[last]
    else:
        at[last] = value
    return copied


class Forms:
    """Suggests nothing, and opens an empty form where a button asks."""

    def choices(self, *_: object) -> list[tuple[str, str]]:
        """None."""
        return []

    def form(self, custom_id: str, heard: Heard) -> dict[str, Any] | None:
        """One without fields."""
        return {"custom_id": f"form:{custom_id[4:]}", "title": "Why?", "components": []}

    def form_for(self, heard: Heard) -> dict[str, Any] | None:
        """None."""
        return None


class Answers:
    """Acks that only count."""

    def __init__(self) -> None:
        self.given: list[str] = []

    async def later(self, interaction: Body) -> bool:
        """See Acking."""
        self.given.append("later")
        return True

    async def nothing(self, interaction: Body) -> bool:
        """See Acking."""
        self.given.append("nothing")
        return True

    async def says(self, interaction: Body, text: str) -> bool:
        """See Acking."""
        self.given.append(text)
        return True

    async def form(self, interaction: Body, form: Mapping[str, Any]) -> bool:
        """See Acking."""
        self.given.append("form")
        return True

    async def choices(self, interaction: Body, choices: Sequence[tuple[str, str]]) -> bool:
        """See Acking."""
        self.given.append("choices")
        return True


@dataclass(frozen=True, kw_only=True)
class Doorstep:
    """A house that listens for Discord, and what got through to its work."""

    intake: DiscordIntake
    answers: Answers
    heard: list[Heard]


@asynccontextmanager
async def doorstep() -> AsyncIterator[Doorstep]:
    """A house on memory; no server belongs to it."""
    town = await make_town()
    heard: list[Heard] = []

    async def work(said: Heard) -> None:
        heard.append(said)

    options = DiscordOptions(token="t", base_url="http://house.test", guilds=(GUILD,))
    intake = DiscordIntake(town.house, forms=Forms(), work=work, options=options)
    yield Doorstep(intake=intake, answers=Answers(), heard=heard)
    await intake.finish(5)


async def run() -> Score:
    """Try them all."""
    score, rng = Score(), random.Random(6)
    async with doorstep() as step:
        for kind, payload in INTERACTIONS.items():
            for name, odd in odd_payloads(payload):
                with score.attempt(f"{name}, {kind}"):
                    await _taken(step, odd)
        for name, odd in odd_payloads(REACTION):
            for added in (True, False):
                with score.attempt(f"{name}, reaction"):
                    await step.intake.reacted(odd, own=APP, added=added)
        for number in range(RANDOM):
            with score.attempt(f"random {number}"):
                await _taken(step, _shuffled(rng))
        for name, stranger in _from_elsewhere():
            with score.attempt(name):
                await _taken(step, stranger)
                await step.intake.finish(5)
                if any(one.guild != GUILD for one in step.heard if one.guild):
                    raise Taken("a server that is not allowed was heard")
        await step.intake.finish(5)
        with score.attempt("what was heard"):
            _look_at(step.heard)
        with score.attempt("what Discord sends"):
            before = len(step.heard)
            await _taken(step, COMMAND | {"id": "9999"})
            await step.intake.finish(5)
            if len(step.heard) != before + 1:
                raise Taken("nothing is let in, so nothing above was tried")
    return score


async def _taken(step: Doorstep, payload: dict[str, Any]) -> None:
    before = len(step.answers.given)
    await step.intake.taken(payload, step.answers)
    given = step.answers.given[before:]
    if any(answer.startswith("Something went wrong") for answer in given):
        raise RuntimeError(given[0])
    named, token = payload.get("id"), payload.get("token")
    waits = isinstance(named, str) and _ID.fullmatch(named) and token in (_COMMON["token"], "x")
    if len(given) != bool(waits):
        raise Taken(f"{len(given)} answers were given")


def _shuffled(rng: random.Random) -> dict[str, Any]:
    """Parts of several kinds in one."""
    parts = rng.sample(list(INTERACTIONS.values()), 3)
    mixed = {name: rng.choice(parts).get(name) for part in parts for name in part}
    mixed["id"] = str(rng.randrange(10**9))
    mixed["token"] = _COMMON["token"]
    mixed["type"] = rng.choice([0, 1, 2, 3, 4, 5, 6, 99])
    return mixed


def _from_elsewhere() -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, payload in INTERACTIONS.items():
        yield f"{kind} of another server", payload | {"guild_id": "6666", "id": "9100"}


def _look_at(heard: Sequence[Heard]) -> None:
    """Whatever got through is ours, and can be kept."""
    for one in heard:
        kept = json.loads(json.dumps(to_payload(one), allow_nan=False))
        if from_payload(kept) != one or not is_plain(kept):
            raise Taken(f"{one.did} can't be kept")
        if not one.user.isdigit() or (one.command and one.command not in (*COMMANDS, *MENUS)):
            raise Taken(f"{one.did} of {one.user!r}: {one.command!r}")
