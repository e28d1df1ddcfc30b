"""Kills and freezes real processes: `python -m tests.benchmarks.chaos --jobs 300 --kills 40`.

Chat loop, workers, generation service, scheduler and sequencer run as processes of their own, and
so does the chat platform, which loses some of its answers (see `tests/chaos/`). They are killed at
every named point and at random ones, with `--freezes N` also stopped for longer than their lease.
People ask, approve, reject and settle through the chat. Prints JSON:

- `jobs`, `kills`, `posts`: commands given, processes killed, approved pictures that stand there.
- `lost`: commands without a job, jobs without an end, approved pictures without a post.
- `duplicate_posts`: copies of a post that stand beside the first, once everything is settled.
- `corrupt_assets`: files whose bytes are not those of the records, in the archive or the channel.
- `ambiguous`: posts that nobody could be sure of for a while; all were settled.
- `naive_duplicate_posts`: the same of posts made without outbox and look-up, under the same kills.
- `backend`, and with `--freezes` the number of `freezes`.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.conductor import Run, Wanted, carry_out, running, say
from tests.chaos.verdict import Verdict, judge
from tests.contract.postgres import postgres_server

BACKENDS = ("sqlite", "postgresql")


async def measure(wanted: Wanted, folder: Path) -> tuple[dict[str, Any], Verdict, list[str]]:
    """The figures, all findings, and the named points that were not reached."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        url = (
            stack.enter_context(postgres_server())
            if wanted.backend == "postgresql"
            else f"sqlite:///{folder}/data/housestyle.db"
        )
        async with running(wanted, folder, url) as run:
            await carry_out(run)
        verdict = await judge(run)
    _report(run, verdict, time.monotonic() - began)
    missed = [name for _, name in (*run.left, *run.waiting)]
    return _figures(run, verdict), verdict, missed


def _figures(run: Run, verdict: Verdict) -> dict[str, Any]:
    freezes = {"freezes": run.freezes} if run.wanted.freezes else {}
    return {
        "jobs": run.people.asked,
        "kills": run.kills,
        **freezes,
        "posts": verdict.posts,
        "lost": verdict.lost,
        "duplicate_posts": verdict.duplicate_posts,
        "corrupt_assets": verdict.corrupt_assets,
        "ambiguous": verdict.ambiguous,
        "naive_duplicate_posts": verdict.naive_duplicate_posts,
        "backend": run.wanted.backend,
    }


def _report(run: Run, verdict: Verdict, seconds: float) -> None:
    say(f"took {seconds:.0f} s")
    for name, count in sorted(Counter(run.hits).items()):
        say(f"reached {count} times: {name}")
    for node in run.nodes:
        say(f"{node.name}: killed {node.deaths} times, ended by itself with {node.crashes}")
    said = Counter(run.people.settled.values())
    say(f"ambiguous: {verdict.ambiguous}, of which people settled {dict(said)}")
    say(f"posts repaired: {verdict.repaired}; cards that stand twice: {verdict.cards_twice}")
    for line in (*verdict.findings, *run.people.refusals):
        say(f"FOUND {line}")


def good(figures: dict[str, Any], verdict: Verdict, missed: list[str]) -> bool:
    """Whether the run shows what it shall show."""
    zero = ("lost", "duplicate_posts", "corrupt_assets")
    return (
        not any(figures[name] for name in zero)
        and not verdict.findings
        and not missed
        and figures["naive_duplicate_posts"] > 0
    )


def main() -> int:
    """Run it once; 1 if it does not show what it shall."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--freezes", type=int, default=0)
    parser.add_argument("--backend", choices=BACKENDS, default="sqlite")
    parser.add_argument("--lease", type=float, default=2.0, help="seconds; the product's is 15")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a new folder for everything the run leaves")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    wanted = Wanted(
        jobs=given.jobs,
        kills=given.kills,
        freezes=given.freezes,
        backend=given.backend,
        seed=given.seed,
        lease_s=given.lease,
        naive_posts=max(30, given.jobs * 2 // 3),
    )
    folder = given.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        figures, verdict, missed = asyncio.run(measure(wanted, folder))
    finally:
        if given.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures))
    for name in missed:
        say(f"NOT REACHED {name}")
    return 0 if good(figures, verdict, missed) else 1


if __name__ == "__main__":
    sys.exit(main())
