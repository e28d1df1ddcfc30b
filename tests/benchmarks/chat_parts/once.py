"""One run from its start to its figures."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.benchmarks.chat_parts.conduct import Run, carry_out
from tests.benchmarks.chat_parts.verdict import Verdict, good, judge
from tests.chaos.conductor import say

Figures = dict[str, float]


async def carried_out(run: Run) -> Verdict:
    """Let it happen, stop the processes and count."""
    await carry_out(run)
    deaths = Counter({node.name: node.deaths for node in run.nodes})
    crashes = {node.name: node.crashes for node in run.nodes if node.crashes}
    await run.stop()
    verdict = await judge(run)
    not_acked = Counter(tried.error for tried in run.tries() if not tried.acked)
    say(f"acknowledged after p50 {verdict.ack(0.5):.0f}, p99 {verdict.ack(0.99):.0f}, "
        f"at most {verdict.ack(1.0):.0f} ms")  # fmt: skip
    say(f"typed anew {not_acked.total()} times: {dict(not_acked)}")
    say(f"killed: {dict(+deaths)}, of which {verdict.kills} between acknowledgement and commit")
    say(f"ended by themselves: {crashes or 'none'}")
    return verdict


def found(lines: list[str]) -> None:
    """Tell what must not be."""
    for line in lines:
        say(f"FOUND {line}")


def options(text: str | None) -> argparse.ArgumentParser:
    """What every run can be told."""
    parser = argparse.ArgumentParser(description=(text or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a new folder for everything the run leaves")
    return parser


def printed(measure: Callable[[Path], Awaitable[Figures]], keep: Path | None, kills: int) -> int:
    """Run it once and print the figures; 1 if a goal is missed."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    folder = keep or Path(tempfile.mkdtemp(prefix="housestyle-"))

    async def run() -> Figures:
        return await measure(folder)

    try:
        figures = asyncio.run(run())
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures))
    return 0 if good(figures, kills) else 1
