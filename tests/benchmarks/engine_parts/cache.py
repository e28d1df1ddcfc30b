"""What an identical recipe costs that is taken from the archive, against rendering it.

The whole house with real parts: SQLite, blobs in folders, gates and files in their process, the
generation service as its own process with the shipped model, spoken to over its socket. Each pair
is one seed: first rendered, then asked for again; both from the command to the stored picture.
"""

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bot.app import open_house, owner_of
from bot.core.commands import Imagine
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.messages import Actor
from bot.core.rendering import RenderingWorker
from bot.settings import load_settings
from brand.templates import Brief

BRANDS = Path(__file__).parents[3] / "brand" / "demo"
PAIRS = 5
WORDS = "a red mug on a wooden table"


@dataclass(frozen=True, kw_only=True)
class CachePair:
    """Seconds from the command to the stored picture, of one recipe."""

    rendered: float
    reused: float


async def cache_speedup(pairs: int = PAIRS) -> float:
    """Median over the pairs of rendering a picture against taking it from the archive."""
    measured = await cache_pairs(pairs)
    return statistics.median(pair.rendered / pair.reused for pair in measured)


async def cache_pairs(pairs: int = PAIRS) -> list[CachePair]:
    """So many pairs, after one that warms everything up."""
    with tempfile.TemporaryDirectory(prefix="housestyle-cache-") as folder:
        settings = load_settings(
            flags={"data_dir": folder, "brands_dir": str(BRANDS)},
            environment={},
            folder=Path(folder),
        )
        async with open_house(settings) as house:
            found = [await _pair(house, seed) for seed in range(pairs + 1)]
    return found[1:]


async def _pair(house: House, seed: int) -> CachePair:
    brief = Brief(words=WORDS, seed=seed)
    rendered, job = await _timed(house, brief)
    reused, again = await _timed(house, brief)
    if not job.seconds or again.seconds:
        raise RuntimeError("the second picture was not taken from the archive")
    return CachePair(rendered=rendered, reused=reused)


async def _timed(house: House, brief: Brief) -> tuple[float, Job]:
    """Seconds from the command to the stored picture, and the job."""
    async with house.store.write() as tx:
        owner = await owner_of(tx, house.clock.now())
    if house.door is None:
        raise RuntimeError("the house has no door")
    actor = Actor(platform="local", user="owner", name="Owner", person=owner.id)
    began = time.perf_counter()
    card = await house.door.dispatch(Imagine(brief=brief), actor)
    await RenderingWorker(house, "benchmark").run_one()
    seconds = time.perf_counter() - began
    async with house.store.read() as tx:
        job = await tx.jobs.get(card.subject.removeprefix("job:"))
    if job.state is not JobState.DONE:
        raise RuntimeError(f"the job is {job.state.value}: {job.error}")
    return seconds, job
