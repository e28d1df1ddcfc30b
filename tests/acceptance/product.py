"""Run `housestyle demo` as a person would, and use its pages without JavaScript."""

import asyncio
import html
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

import brand.demo

LIMIT_S = 120.0
EVERY_S = 0.05


def free_port() -> int:
    """A port of the loopback that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def until(ask: Callable[[], Awaitable[bool]], what: str, limit_s: float = LIMIT_S) -> None:
    """Ask again and again until it is so. Raises TimeoutError naming `what`."""
    try:
        async with asyncio.timeout(limit_s):
            while True:
                with suppress(httpx.TransportError):  # not listening yet, or not any more
                    if await ask():
                        return
                await asyncio.sleep(EVERY_S)
    except TimeoutError:
        raise TimeoutError(f"not within {limit_s:.0f} s: {what}") from None


@dataclass
class Product:
    """A running product with a browser's cookies."""

    process: asyncio.subprocess.Process
    link: str
    browser: httpx.AsyncClient

    async def enter(self) -> None:
        """Sign in with the one-time link, as the page's button does."""
        answer = await self.browser.post("/enter", data={"key": self.link.partition("key=")[2]})
        answer.raise_for_status()

    async def served(self) -> bool:
        """Whether the owner's page is there."""
        return (await self.browser.get(self.link)).status_code == httpx.codes.OK

    async def page(self, path: str) -> str:
        """A page's text."""
        answer = await self.browser.get(path)
        answer.raise_for_status()
        return html.unescape(answer.text)

    async def shows(self, path: str, pattern: str) -> bool:
        """Whether a page shows this."""
        return re.search(pattern, await self.page(path)) is not None

    async def say(self, text: str, path: str = "/chat") -> None:
        """Send a line in the chat."""
        page = await self.browser.get(path)
        delivery = re.search(r'name="delivery" value="(\w+)"', page.text)
        assert delivery is not None, "the chat page has no composer"
        said = {"text": text, "delivery": delivery.group(1)}
        (await self.browser.post(str(page.url), data=said)).raise_for_status()

    async def press(self, path: str, verb: str, **said: str) -> None:
        """Press the first button on a page whose action has this verb, with its form's fields."""
        text = (await self.browser.get(path)).text
        forms = re.findall(r'<form[^>]*action="/act"[^>]*>.*?</form>', text, re.DOTALL)
        for form in forms:
            if f'value="{verb}:' in form:
                fields = re.findall(r'name="([^"]+)"[^>]*?value="([^"]*)"', form)
                values = {name: html.unescape(value) for name, value in fields}
                (await self.browser.post("/act", data=values | said)).raise_for_status()
                return
        raise AssertionError(f"no button {verb} on {path}")

    def children(self) -> dict[int, list[bytes]]:
        """The command lines of the product's own processes, by process id."""
        found = {}
        for folder in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid:
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().split(b"\0")
        return found

    def generation_pid(self) -> int:
        """The generation service's process."""
        for pid, words in self.children().items():
            if b"generation" in words:
                return pid
        raise ProcessLookupError("the generation service does not run")

    async def stop(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), LIMIT_S)


@asynccontextmanager
async def demo(folder: Path, port: int, *options: str) -> AsyncIterator[Product]:
    """`housestyle demo` on this data folder; killed at the end if it still runs."""
    async with _running(folder, port, "demo", "--no-browser", *options) as product:
        yield product


@asynccontextmanager
async def serving(
    folder: Path,
    port: int,
    *options: str,
    environment: dict[str, str] | None = None,
    log: IO[bytes] | None = None,
) -> AsyncIterator[Product]:
    """`housestyle serve` with the demo brand on this data folder, like `demo`."""
    shown = {"HOUSESTYLE_BRANDS_DIR": str(Path(brand.demo.__file__).parent), **(environment or {})}
    options = ("--owner-link", *options)
    async with _running(folder, port, "serve", *options, environment=shown, log=log) as product:
        yield product


@asynccontextmanager
async def _running(
    folder: Path,
    port: int,
    command: str,
    *options: str,
    environment: dict[str, str] | None = None,
    log: IO[bytes] | None = None,
) -> AsyncIterator[Product]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "--data-dir", str(folder)),
        *(command, "--port", str(port), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env={**os.environ, **environment} if environment else None,  # noqa: TID251
    )
    base = f"http://127.0.0.1:{port}"
    headers = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
    browser = httpx.AsyncClient(base_url=base, headers=headers, follow_redirects=True, timeout=30)
    try:
        async with browser:
            yield Product(process=process, link=await _link(process), browser=browser)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _link(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if found := re.search(r"http://\S+/enter\?key=\S+", line):
            return found.group(0)
    raise AssertionError("the demo ended before it printed its link")
