"""Keeps one generation process running as a child: starts, watches, restarts and stops it."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from brand.spec import RendererHealth, RenderUnavailable
from generation.client import RendererClient
from generation.settings import child_environment

FIRST_PAUSE_S = 0.2
MAX_PAUSE_S = 10.0
CALM_S = 60.0
"""After running for so long, a death counts as the first again."""
NICENESS = 10
"""Renders take what is left of the processor: a person who waits for an answer comes first."""
STOP_S = 4.0
"""How long it may take to stop by itself."""
ANSWER_S = 30.0
"""How long a new process may take to answer; it answers before it loads the model."""
_ASK_EVERY_S = 0.1
_READY_EVERY_S = 0.25
_USAGE_ERROR = 2
_LOG_LIMIT_BYTES = 1 << 20
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_FIELDS = ("message", "level", "reference", "action", "render_id", "error")
_log = logging.getLogger("housestyle.generation")


class GenerationUnstartable(Exception):
    """The generation process refuses its settings; the message is what it said."""


@dataclass(frozen=True, kw_only=True)
class ProcessOptions:
    """How the generation process is started; see `python -m generation --help`."""

    state_dir: Path
    engine: str = "diffusers"
    models_dir: Path | None = None
    model: str = "demo"
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    max_models: int = 2
    memory_mib: int = 0
    max_rows: int = 0
    quantize: str = "none"
    compile: bool = False
    step_seconds: float = 0.0
    otel_endpoint: str = ""

    def arguments(self, socket: Path) -> list[str]:
        """Its command line."""
        values: dict[str, object] = {
            "--socket": socket,
            "--state-dir": self.state_dir,
            "--engine": self.engine,
            "--model": self.model,
            "--device": self.device,
            "--dtype": self.dtype,
            "--threads": self.threads,
            "--max-models": self.max_models,
            "--memory-mib": self.memory_mib,
            "--max-rows": self.max_rows,
            "--quantize": self.quantize,
            "--step-seconds": self.step_seconds,
            "--parent": os.getpid(),
            "--otel-endpoint": self.otel_endpoint,
        }
        if self.models_dir is not None:
            values["--models-dir"] = self.models_dir
        pairs = ((name, str(value)) for name, value in values.items())
        flags = ["--compile"] if self.compile else []
        told = [part for pair in pairs for part in pair]
        return [sys.executable, "-m", "generation", *told, *flags]


class GenerationProcess:
    """A generation process of our own, on a UNIX socket in a private folder."""

    def __init__(self, options: ProcessOptions) -> None:
        self._options = options
        self._folder = tempfile.TemporaryDirectory(prefix="housestyle-")
        self.socket = Path(self._folder.name, "generation.sock")
        """Where a RendererClient finds it."""
        self.restarts = 0
        """How often it died and was started again."""
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._last_words = ""

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self.stop()

    async def start(self) -> None:
        """Start it and wait until it answers; its model may still be loading then.

        Raises GenerationUnstartable, RenderUnavailable.
        """
        self._keeper = asyncio.create_task(self._keep_running())
        try:
            await self._first_answer()
        except BaseException:
            await self.stop()
            raise

    async def wait_ready(self, timeout: float) -> RendererHealth:
        """Wait until its model is loaded. Raises RenderUnavailable with what it says instead."""
        deadline = time.monotonic() + timeout
        said = "The generation process does not answer."
        async with RendererClient(socket=self.socket) as client:
            while time.monotonic() < deadline:
                with contextlib.suppress(RenderUnavailable):
                    health = await client.health()
                    if health.ready:
                        return health
                    said = health.detail
                await asyncio.sleep(_READY_EVERY_S)
        raise RenderUnavailable(f"Not ready after {timeout:.0f} s: {said}")

    async def stop(self) -> None:
        """Stop it for good, within 5 seconds."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        self._folder.cleanup()

    async def _first_answer(self) -> None:
        deadline = time.monotonic() + ANSWER_S
        async with RendererClient(socket=self.socket) as client:
            while time.monotonic() < deadline:
                if self._keeper is not None and self._keeper.done():
                    self._keeper.result()
                with contextlib.suppress(RenderUnavailable):
                    await client.health()
                    return
                await asyncio.sleep(_ASK_EVERY_S)
        raise RenderUnavailable(f"The generation process says nothing: {self._last_words}")

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            code = await self._run_once()
            if code == _USAGE_ERROR:
                raise GenerationUnstartable(self._last_words)
            if time.monotonic() - started > CALM_S:
                pause = FIRST_PAUSE_S
            self.restarts += 1
            _log.warning(
                "the generation process ended with %s; starting it again in %.1f s",
                code,
                pause,
                extra={"action": "generation_restart", "exit_code": code},
            )
            await asyncio.sleep(pause)
            pause = min(MAX_PAUSE_S, pause * 2)

    async def _run_once(self) -> int:
        """Run it to its end; if this is cancelled, end it."""
        self._process = process = await asyncio.create_subprocess_exec(
            *self._options.arguments(self.socket),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=_LOG_LIMIT_BYTES,
            env=child_environment(),
            # Ctrl-C in the terminal is for us alone: we stop it once our own work has ended.
            start_new_session=True,
        )
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        if process.stderr is None:
            raise RuntimeError("asked for a pipe and got none")
        reading = asyncio.create_task(self._forward_log(process.stderr))
        try:
            return await process.wait()
        finally:
            await _end(process)
            await asyncio.gather(reading, return_exceptions=True)

    async def _forward_log(self, lines: asyncio.StreamReader) -> None:
        """Its log lines become ours, with their fields; what else it writes is a line as it is."""
        while raw := await _line(lines):
            line = raw.decode(errors="replace").rstrip()
            if line:
                said = _said(line)
                self._last_words = str(said.pop("message", line))
                level = _LEVELS.get(str(said.pop("level", "")), logging.INFO)
                _log.log(level, "%s", self._last_words, extra={"action": "generation_log", **said})


def _said(line: str) -> dict[str, object]:
    """The fields of a log line of the service; nothing where it is none."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return {name: said[name] for name in _FIELDS if name in said} if isinstance(said, dict) else {}


async def _line(lines: asyncio.StreamReader) -> bytes:
    """The next line, or nothing at the end; overlong ones are left out."""
    while True:
        with contextlib.suppress(ValueError):
            return await lines.readline()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to stop, then make it."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
