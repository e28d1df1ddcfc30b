"""A reader of a how-to page: finds its blocks, and types them into a shell as they stand."""

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.acceptance.product import free_port
from tests.fakes.waiting import until
from tests.needs import ROOT

STARTS_S = 40.0
SHELL = shutil.which("sh") or "/bin/sh"


class Page:
    """A page of docs/."""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / "docs" / name).read_text("utf-8")

    def part(self, title: str) -> str:
        """What stands below a heading, up to the next of its rank."""
        _, _, rest = self.text.partition(f"\n## {title}\n")
        assert rest, title
        return rest.partition("\n## ")[0]

    def blocks(self, title: str, language: str = "sh") -> list[list[str]]:
        """The lines of each block of code below a heading."""
        found = re.findall(r"^```(\w*)\n(.*?)^```$", self.part(title), re.MULTILINE | re.DOTALL)
        return [block.splitlines() for of, block in found if of == language]

    def line_of(self, title: str, begins: str) -> str:
        """The one line of a heading's blocks that begins so."""
        kinds = ("sh", "")
        lines = [line for kind in kinds for block in self.blocks(title, kind) for line in block]
        (line,) = [line for line in lines if line.startswith(begins)]
        return line


class Reader:
    """Who reads the page: a folder, what was exported, and what stands for the page's examples."""

    def __init__(self, folder: Path, **filled: str) -> None:
        own = {name: value for name, value in os.environ.items() if "_" not in name}  # noqa: TID251
        bins = f"{Path(sys.executable).parent}{os.pathsep}{own.get('PATH', '')}"
        self.port = free_port()
        self.folder = folder
        self.environment = {
            **own,
            "PATH": bins,
            "HOME": str(folder),
            "HOUSESTYLE_PORT": str(self.port),
            "HOUSESTYLE_GENERATION_ENGINE": "drawn",
        }
        self.filled = filled

    @property
    def url(self) -> str:
        """Where the house really listens."""
        return f"http://127.0.0.1:{self.port}"

    def fill(self, line: str) -> str:
        """The line as this reader types it."""
        for example, own in self.filled.items():
            line = line.replace(example, own)
        return line

    async def type(self, line: str) -> str:
        """Type a line; what it prints."""
        line = self.fill(line)
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self.environment[name] = value
            return ""
        if line.startswith("cd "):
            self.folder = self.folder / line.removeprefix("cd ")
            return ""
        typed = await asyncio.create_subprocess_exec(
            *(SHELL, "-c", line),
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await typed.communicate()
        assert typed.returncode == 0, f"{line}\n{out.decode()}{err.decode()}"
        return out.decode()

    async def all(self, lines: list[str]) -> str:
        """Type the lines of a block, but `housestyle serve`, which `serving` is."""
        return "".join([await self.type(line) for line in lines if line != "housestyle serve"])

    @asynccontextmanager
    async def serving(self, block: list[str]) -> AsyncIterator[None]:
        """The block ends in `housestyle serve`: it runs, and stops at Ctrl-C."""
        assert block[-1] == "housestyle serve"
        log = (self.folder / "log").open("wb")
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", f"exec {block[-1]}"),
            cwd=self.folder,
            env=self.environment,
            stdout=log,
            stderr=log,
        )
        try:
            async with httpx.AsyncClient(base_url=self.url, trust_env=False) as browser:
                await until(lambda: _answers_or_ended(browser, process), STARTS_S)
            assert process.returncode is None, (self.folder / "log").read_text()
            yield
            process.send_signal(2)
            assert await asyncio.wait_for(process.wait(), STARTS_S) == 0
        finally:
            log.close()
            if process.returncode is None:
                process.kill()
                await process.wait()


def put_channels(page: Page, reader: Reader, title: str, ids: Mapping[str, str]) -> None:
    """The kit of `housestyle init` with the page's channels in place of its own. `ids`: those of
    the page -> those that there are."""
    ((channels),) = page.blocks(title, "toml")
    text = "\n".join(channels)
    for example, own in ids.items():
        assert text.count(example) == 1
        text = text.replace(example, own)
    kit = reader.folder / "brands" / "acme.toml"
    before, _, rest = kit.read_text("utf-8").partition("[[channels]]")
    kit.write_text(f"{before}{text}\n\n[label]{rest.partition('[label]')[2]}", "utf-8")


async def _answers_or_ended(browser: httpx.AsyncClient, process: Process) -> bool:
    """Another process: nothing here tells when it listens."""
    if process.returncode is not None:
        return True
    try:
        return (await browser.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
