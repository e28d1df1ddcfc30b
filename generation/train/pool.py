"""The pool of drawn training pictures: made once, in parallel, then read as one array.

Scene number i of a seed is always the same scene, so that captions need not be stored.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.illustrator.drawing import draw
from generation.illustrator.scene import Scene, random_scene

SIDE = 128
_CHUNK = 500


def pool_scene(seed: int, index: int) -> Scene:
    """The scene behind picture `index` of the pool of that seed."""
    return random_scene(np.random.default_rng((seed, index)))


def draw_pool(
    path: Path, *, count: int, seed: int, workers: int, report: Callable[[int], None]
) -> NDArray[np.uint8]:
    """Draw `count` pictures into a .npy file, or open the finished one.

    Returns (count, 128, 128, 3) uint8, read lazily from the disk.
    """
    if not path.exists():
        part = path.with_suffix(".part")
        pixels = np.lib.format.open_memmap(
            part, mode="w+", dtype=np.uint8, shape=(count, SIDE, SIDE, 3)
        )
        starts = range(0, count, _CHUNK)
        with ProcessPoolExecutor(workers) as processes:
            jobs = [(seed, start, min(_CHUNK, count - start)) for start in starts]
            for (_, start, size), chunk in zip(jobs, processes.map(_draw_chunk, jobs), strict=True):
                pixels[start : start + size] = chunk
                report(start + size)
        pixels.flush()
        part.rename(path)
    opened: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return opened


def _draw_chunk(job: tuple[int, int, int]) -> NDArray[np.uint8]:
    seed, start, size = job
    return np.stack(
        [np.asarray(draw(pool_scene(seed, start + i), SIDE, SIDE)) for i in range(size)]
    )
