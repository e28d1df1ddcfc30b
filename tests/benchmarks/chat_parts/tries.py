"""People who do their deeds at their times, and again what was not acknowledged."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TYPED = "typed.jsonl"
"""Where the tries stand, in the folder of a run."""
AGAIN_S = 1.0
"""After which a person does anew what was not acknowledged."""
GIVES_UP = 60
"""Tries after which a person gives up; that deed is lost."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the chat said of one try."""

    trigger: str
    """What its delivery's id ends with, after a colon; as no other try's."""
    acked: bool
    ms: float
    """Until its acknowledgement."""
    error: str = ""
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Try(Said):
    """One time that a deed was done. `ms` counts from when it was due."""

    deed: int


async def do_all(
    count: int, seconds: float, do: Callable[[int, int], Awaitable[Said]], log: Path
) -> None:
    """Deeds at even times, whether or not earlier ones were acknowledged; `do` has the number of
    the deed and of the try. Returns when the last one is acknowledged or given up."""
    clock = asyncio.get_running_loop().time
    start, pace = clock(), seconds / count

    async def one(number: int, due: float) -> None:
        for attempt in range(GIVES_UP):
            await asyncio.sleep(max(0.0, due - clock()))
            late = clock() - due
            said = await do(number, attempt)
            tried = Try(**(asdict(said) | {"deed": number, "ms": late * 1000 + said.ms}))
            lines.write(json.dumps(asdict(tried)) + "\n")
            lines.flush()
            if tried.acked:
                return
            due = clock() + AGAIN_S

    with log.open("a") as lines:
        await asyncio.gather(*(one(number, start + number * pace) for number in range(count)))


def done(log: Path) -> list[Try]:
    """Every try that has ended, acknowledged or not."""
    if not log.exists():
        return []
    whole = log.read_text().rpartition("\n")[0]
    return [Try(**json.loads(line)) for line in whole.splitlines()]


async def conversed(facts: dict[str, Any], typing: Callable[[], Awaitable[None]]) -> None:
    """The process of a chat with the one who started it: says its facts, types when told a line,
    says `typed`, returns when its input ends."""
    _say(json.dumps(facts))
    await asyncio.to_thread(sys.stdin.readline)
    await typing()
    _say("typed")
    while await asyncio.to_thread(sys.stdin.readline):
        pass


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
