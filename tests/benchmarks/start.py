"""How long a second start of the demo takes: `python -m tests.benchmarks.start`.

Starts `housestyle demo` in a fresh folder once (not measured), stops it, starts it again, and
prints JSON in seconds:

- `page_s`: from the start of the process to the owner's page being served. Goal 3.
- `model_ready_s`: from the start until the model is loaded. Goal 20.
- `first_picture_s`: from the start to the first picture asked for in the chat. Goal 30.
- `stop_s`: from SIGINT to the end of the process. Goal 10.
"""

import argparse
import asyncio
import json
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

LIMIT_S = 180.0
EVERY_S = 0.05
WORDS = "/imagine a red mug on a wooden table"


async def _until(ask: Callable[[], Awaitable[bool]], what: str) -> None:
    """Ask again and again; the figures are read off a clock, so the pause is their resolution."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                if await ask():
                    return
            except httpx.TransportError:
                pass  # not listening yet
            await asyncio.sleep(EVERY_S)
    raise AssertionError(what)


@asynccontextmanager
async def _demo(folder: Path, port: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The running product and its owner link."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "--data-dir", str(folder), "demo", "--no-browser", "--port", str(port)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        link = ""
        while not link:
            line = (await process.stdout.readline()).decode()
            if not line:
                raise SystemExit("the demo ended before it printed its link")
            found = re.search(r"http://\S+/enter\?key=\S+", line)
            link = found.group(0) if found else ""
        yield process, link
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _enter(client: httpx.AsyncClient, link: str) -> None:
    """Sign in with the one-time link, as the page's button does."""
    answer = await client.post("/enter", data={"key": link.partition("key=")[2]})
    answer.raise_for_status()


async def _stop(process: asyncio.subprocess.Process) -> float:
    began = time.perf_counter()
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.wait(), LIMIT_S)
    return time.perf_counter() - began


async def _ask_for_picture(client: httpx.AsyncClient) -> None:
    page = await client.get("/chat")
    delivery = re.search(r'name="delivery" value="(\w+)"', page.text)
    assert delivery is not None, "the chat page has no composer"
    answer = await client.post(str(page.url), data={"text": WORDS, "delivery": delivery.group(1)})
    answer.raise_for_status()


async def measure(folder: Path) -> dict[str, float]:
    """The four figures of a second start, in seconds."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    headers = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
    async with _demo(folder, port) as (process, _link):
        await _stop(process)

    began = time.perf_counter()
    async with (
        _demo(folder, port) as (process, link),
        httpx.AsyncClient(base_url=base, headers=headers, follow_redirects=True) as client,
    ):

        async def served() -> bool:
            return (await client.get(link)).status_code == httpx.codes.OK

        async def ready() -> bool:
            return "Ready on" in (await client.get("/health")).text

        async def drawn() -> bool:
            return bool(re.search(r"Done(:| in)", (await client.get("/chat")).text))

        await _until(served, "no page")
        page_s = time.perf_counter() - began
        await _enter(client, link)
        await _ask_for_picture(client)
        await _until(ready, "no model")
        model_ready_s = time.perf_counter() - began
        await _until(drawn, "no picture")
        first_picture_s = time.perf_counter() - began
        stop_s = await _stop(process)
    return {
        "page_s": round(page_s, 2),
        "model_ready_s": round(model_ready_s, 2),
        "first_picture_s": round(first_picture_s, 2),
        "stop_s": round(stop_s, 2),
    }


def main() -> None:
    """Measure in a fresh folder, or in the one given, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="a data folder to keep; default: a fresh one")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="housestyle-start-") as fresh:
        print(json.dumps(asyncio.run(measure(chosen.folder or Path(fresh)))))


if __name__ == "__main__":
    main()
