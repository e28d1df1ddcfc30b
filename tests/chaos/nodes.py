"""The processes of a run: started, started again when they die, frozen and thawed."""

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

KILLED = -signal.SIGKILL


@dataclass
class Node:
    """One process that is kept running."""

    name: str
    command: list[str]
    folder: Path
    pid_file: Path | None = None
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0
    """By a kill."""
    crashes: list[int] = field(default_factory=list)
    """Exit statuses that nobody asked for."""
    frozen: bool = False
    _keeper: asyncio.Task[None] | None = None
    _stopping: bool = False

    async def start(self) -> None:
        """Keep it running from now on."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self.process is not None
        return self.process.pid

    def signal(self, number: int) -> None:
        """Kill, stop or go on."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def stop(self) -> None:
        """Let it end by itself, and make sure of it."""
        self._stopping = True
        assert self.process is not None
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), 20)
        except TimeoutError:
            sys.stderr.write(f"{self.name} does not stop\n")
            self.signal(signal.SIGKILL)
            await self.process.wait()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def _spawn(self) -> None:
        with (self.folder / "logs" / self.name).open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *self.command, stdout=log, stderr=log
            )
        if self.pid_file is not None:
            self.pid_file.write_text(str(self.process.pid))

    async def _keep(self) -> None:
        while True:
            assert self.process is not None
            status = await self.process.wait()
            if self._stopping:
                return
            if status == KILLED:
                self.deaths += 1
            else:
                self.crashes.append(status)
                sys.stderr.write(f"{self.name} ended with {status}: see its log\n")
            await self._spawn()


async def freeze(node: Node, seconds: float) -> None:
    """Stop it for so long."""
    node.signal(signal.SIGSTOP)
    await thaw(node, seconds)


async def thaw(node: Node, seconds: float) -> None:
    """Let a stopped one go on after so long."""
    node.frozen = True
    await asyncio.sleep(seconds)
    node.frozen = False
    node.signal(signal.SIGCONT)


def some(nodes: list[Node], luck: random.Random) -> Node:
    """One that is not frozen just now; the busy ones more often."""
    awake = [node for node in nodes if not node.frozen] or nodes
    weights = [4 if node.name.startswith("worker") else 1 for node in awake]
    return luck.choices(awake, weights)[0]
