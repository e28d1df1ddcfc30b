"""How long a command waits for its answer under load: `python -m tests.benchmarks.ack`.

Starts `housestyle serve` in a fresh folder, signs the owner in, asks for pictures so that renders
run, and sends commands at a fixed pace whether or not earlier ones were answered. Prints JSON:

- `commands`: how many were sent.
- `ack_p50_ms`, `ack_p99_ms`: from the moment a command was due to the end of its answer, which
  is given only after the delivery is on the disk. Goal of p99: 300.
- `lost`: commands that were refused or not answered, and those whose job is not in the records
  two minutes later.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlencode

from bot.core.ids import new_id
from storage.database import open_store
from tests.acceptance.product import Product, free_port, serving, until

ROOM = "/chat/me"
FOUND_AT_ONCE = 500
ANSWER_LIMIT_S = 60.0
RECORDED_LIMIT_S = 120.0
LOOK_S = 1.0

Connection: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Line:
    """Connections that stay open, as a proxy in front of the product keeps them."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port = port
        self._head = (
            f"POST {ROOM} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        )
        self._idle: list[Connection] = []

    async def say(self, text: str) -> int:
        """Send a chat line; the status of the answer."""
        body = urlencode({"text": text, "delivery": new_id()})
        request = f"{self._head}{len(body)}\r\n\r\n{body}".encode()
        while self._idle:
            # The server may have closed it meanwhile; the delivery's id makes a second try safe.
            with suppress(OSError, EOFError):
                return await self._ask(self._idle.pop(), request)
        return await self._ask(await asyncio.open_connection("127.0.0.1", self._port), request)

    async def _ask(self, connection: Connection, request: bytes) -> int:
        reader, writer = connection
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(
            int(line.partition(":")[2])
            for line in head.lower().splitlines()
            if line.startswith("content-length:")
        )
        await reader.readexactly(length)
        self._idle.append(connection)
        return int(head.split()[1])

    def close(self) -> None:
        """Close the connections."""
        for _, writer in self._idle:
            writer.close()


async def one(line: Line, words: str, due: float) -> tuple[float, int]:
    """Seconds from when the command was due to its answer, and the answer's status (0: none)."""
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    status = 0
    with suppress(OSError, EOFError, TimeoutError):
        async with asyncio.timeout(ANSWER_LIMIT_S):
            status = await line.say(f"/imagine {words}")
    return time.perf_counter() - due, status


async def measure(folder: Path, *, rate: int, seconds: int, engine: str) -> dict[str, float]:
    """Send `rate` commands a second for so many seconds."""
    port = free_port()
    async with serving(folder, port, "--engine", engine) as product:
        await until(product.served, "a page")
        await product.enter()
        await _warm(product)
        cookie = "; ".join(f"{name}={value}" for name, value in product.browser.cookies.items())
        line = Line(port, cookie)
        start = time.perf_counter() + 0.5
        names = [f"mug number {number} of {rate * seconds}" for number in range(rate * seconds)]
        answers = await asyncio.gather(
            *(one(line, name, start + number / rate) for number, name in enumerate(names))
        )
        line.close()
        running = await product.shows("/queue", "Rendering")
        print(f"renders still running: {running}", file=sys.stderr)
        began = time.perf_counter()
        with suppress(TimeoutError):
            await until(lambda: _all_asked(folder, len(names)), "all jobs", RECORDED_LIMIT_S)
        print(f"recorded {time.perf_counter() - began:.1f} s later", file=sys.stderr)
        await product.stop()
    took = sorted(seconds for seconds, _ in answers)
    known = await asked(folder)
    answered = [status == 303 for _, status in answers]
    lost = sum(not ok or name not in known for ok, name in zip(answered, names, strict=True))
    return {
        "commands": len(names),
        "ack_p50_ms": round(_share(took, 0.50) * 1000, 1),
        "ack_p99_ms": round(_share(took, 0.99) * 1000, 1),
        "lost": lost,
    }


async def _warm(product: Product) -> None:
    """Let the model be loaded and the first picture be done, then ask for more of them."""
    await until(lambda: product.shows("/health", "Ready on"), "a loaded model")
    await product.say("/imagine a first mug", ROOM)
    await until(lambda: product.shows(ROOM, r"Done(:| in)"), "a picture")


async def _all_asked(folder: Path, count: int) -> bool:
    await asyncio.sleep(LOOK_S)
    store = await open_store(f"sqlite:///{folder / 'housestyle.db'}")
    async with store.read() as tx:
        counts = await tx.census.counts()
    await store.close()
    return counts.rows["jobs"] > count


async def asked(folder: Path) -> set[str]:
    """The words of every job in the records."""
    store = await open_store(f"sqlite:///{folder / 'housestyle.db'}")
    words: set[str] = set()
    before = ""
    while True:
        async with store.read() as tx:
            page = await tx.jobs.recent(before=before, limit=FOUND_AT_ONCE)
        if not page:
            break
        words |= {job.brief.words for job in page}
        before = page[-1].id
    await store.close()
    return words


def _share(values: Sequence[float], part: float) -> float:
    return values[min(len(values) - 1, int(part * len(values)))]


def main() -> None:
    """Measure in a fresh folder and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=int, default=50, help="commands a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--engine", default="diffusers", help="what renders meanwhile")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="housestyle-ack-") as fresh:
        found = measure(Path(fresh), rate=chosen.rate, seconds=chosen.seconds, engine=chosen.engine)
        print(json.dumps(asyncio.run(found)))


if __name__ == "__main__":
    main()
