"""`python -m tests.chaos ROLE PLAN`: one process of a run; the control's are called `naive`.

What it needs is imported late: the worker's pool imports this file in each of its processes.
"""

import asyncio
import logging
import sys
from pathlib import Path


def main(role: str, plan_path: str) -> None:
    """Run it until SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    from tests.chaos.plan import Plan

    plan = Plan.read(Path(plan_path))
    if role == "naive":
        from tests.chaos import naive

        asyncio.run(naive.main(plan))
    else:
        from tests.chaos import process

        asyncio.run(process.main(role, plan))


if __name__ == "__main__":
    main(*sys.argv[1:])
