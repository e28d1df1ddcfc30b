"""Slack under load while processes die: `python -m tests.benchmarks.slack`.

Starts a strict Slack (`tests/fakes/slack/`) as a process of its own, and the product apart as it
would be on a busy day: two bots with two sockets each (with `--mode http` one bot behind one
address), a worker, a generation service that draws. 50 people type 500 commands in 10 seconds in
their direct messages, each at its time whether or not earlier ones were acknowledged; every 10th
is delivered twice at the same moment; 1 % of the Web API's answers are 429 or 500, of the latter
half where all was done. Five times a bot is killed with SIGKILL in the transaction of a command
that Slack has the acknowledgement of, before its commit; it is started again at once. What was not
acknowledged, because the process died before it or none was there, is typed anew a second later,
as people do: Slack does not repeat commands. Prints JSON:

- `commands`: how many were to be typed.
- `kills`: of processes between acknowledgement and commit: each was seen to be acknowledged at the
  Slack and to be killed in the job's transaction. Others, of the same processes but before the
  acknowledgement, are made up for.
- `ack_p99_ms`: from the moment a command was due to its acknowledgement at the Slack, of all that
  were acknowledged. Goal: below 1000.
- `lost`: acknowledged commands without a job in the records, and such as were never acknowledged.
- `duplicate_jobs`: jobs beyond one for each command that was typed.
- `duplicate_posts`: messages in Slack beyond one for each id, and beyond one card of a job in a
  channel, once every job has its card and the processes are stopped.

How often people typed anew, and what else happened, goes to stderr.
"""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bot.chat.slack_chat.options import Mode
from tests.benchmarks.slack_parts.conduct import Run, carry_out, running, say
from tests.benchmarks.slack_parts.plan import Wanted
from tests.benchmarks.slack_parts.verdict import Verdict, judge

ACK_GOAL_MS = 1000.0
EARLY = "before its Retry-After"
"""Processes don't tell each other what Slack told them: each hears it for itself."""


async def measure(wanted: Wanted, folder: Path) -> tuple[dict[str, Any], Verdict]:
    """The figures and all findings; `folder` is made and filled."""
    async with running(wanted, folder) as run:
        await carry_out(run)
        deaths = Counter({node.name: node.deaths for node in run.nodes})
        crashes = {node.name: node.crashes for node in run.nodes if node.crashes}
        await run.stop()
        standing = await run.ask(do="everything")
        facts = await run.ask(do="facts")
        verdict = judge(run, standing)
        _report(run, verdict, facts, deaths, crashes)
    return _figures(wanted, verdict), verdict


def _figures(wanted: Wanted, verdict: Verdict) -> dict[str, Any]:
    return {
        "commands": wanted.commands,
        "kills": verdict.kills,
        "ack_p99_ms": round(verdict.ack(0.99), 1),
        "lost": verdict.lost,
        "duplicate_jobs": verdict.duplicate_jobs,
        "duplicate_posts": verdict.duplicate_posts,
    }


def _report(
    run: Run,
    verdict: Verdict,
    facts: dict[str, Any],
    deaths: Counter[str],
    crashes: dict[str, list[int]],
) -> None:
    tries = run.tries()
    not_acked = Counter(tried["error"] for tried in tries if not tried["acked"])
    say(f"acknowledged after p50 {verdict.ack(0.5):.0f}, p99 {verdict.ack(0.99):.0f}, "
        f"at most {verdict.ack(1.0):.0f} ms")  # fmt: skip
    say(f"typed anew {not_acked.total()} times: {dict(not_acked)}")
    say(f"killed: {dict(+deaths)}, of which {verdict.kills} between acknowledgement and commit")
    say(f"ended by themselves: {crashes or 'none'}")
    say(f"Web API: {facts['count']}")
    early = [line for line in facts["violations"] if EARLY in line]
    say(f"{len(early)} calls came while another process had been told to wait")
    for line in (*(set(facts["violations"]) - set(early)), *verdict.findings):
        say(f"FOUND {line}")


def good(figures: dict[str, Any], wanted: Wanted) -> bool:
    """Whether the run reaches the goals."""
    zero = ("lost", "duplicate_jobs", "duplicate_posts")
    return (
        not any(figures[name] for name in zero)
        and figures["kills"] >= wanted.kills
        and figures["ack_p99_ms"] < ACK_GOAL_MS
    )


def main() -> int:
    """Run it once; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--commands", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.SOCKET)
    parser.add_argument("--keep", type=Path, help="a new folder for everything the run leaves")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    wanted = Wanted(
        commands=given.commands, seconds=given.seconds, kills=given.kills, mode=given.mode
    )
    folder = given.keep or Path(tempfile.mkdtemp(prefix="slack-"))
    try:
        figures, _ = asyncio.run(measure(wanted, folder))
    finally:
        if given.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures))
    return 0 if good(figures, wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
