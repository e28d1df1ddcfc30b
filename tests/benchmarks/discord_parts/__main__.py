"""`python -m tests.benchmarks.discord_parts ROLE FILE`: one process of a run.

ROLE is `discord` (FILE has what is wanted), a bot's name or `worker` (FILE has the plan).
"""

import asyncio
import logging
import sys
from pathlib import Path


def main(role: str, path: str) -> None:
    """Run it until it is told to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    # What is needed is imported late: the worker's pool imports this file in its processes.
    if role == "discord":
        from tests.benchmarks.discord_parts import people

        asyncio.run(people.main(Path(path)))
    else:
        from tests.benchmarks.chat_parts import process
        from tests.benchmarks.discord_parts.plan import Plan

        asyncio.run(process.main(role, Plan.read(Path(path))))


if __name__ == "__main__":
    main(*sys.argv[1:])
