"""What is measured of jobs: how long each step takes, what the gates say."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bot.core.assets import Asset
from bot.core.house import House
from bot.core.jobs import Job


@contextmanager
def timed(house: House, step: str) -> Iterator[None]:
    """Measure the block as a step of jobs."""
    began = time.perf_counter()
    try:
        yield
    finally:
        house.watch.time("job", time.perf_counter() - began, step=step)


def waited(house: House, job: Job) -> None:
    """How long it stood in the queue; a job that was taken over did not wait in it."""
    if job.fence == 1:
        seconds = max(0.0, (house.clock.now() - job.created_at).total_seconds())
        house.watch.time("job", seconds, step="waiting")
        with house.watch.span("queue wait", ago=seconds):
            pass


def counted(house: House, asset: Asset) -> None:
    """One more picture, with what each gate said."""
    outcome = "passed" if asset.evidence.passed else "discarded"
    house.watch.count("pictures", outcome=outcome)
    for verdict in asset.evidence.verdicts:
        said = {True: "passed", False: "failed", None: "not_judged"}[verdict.passed]
        house.watch.count("gates", gate=verdict.name, outcome=said)
