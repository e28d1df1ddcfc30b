"""The pool of drawn training pictures: made once, in parallel, then read as one array.

Scene number i of a seed is always the same scene, so that captions need not be stored.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.illustrator.drawing import draw
from generation.illustrator.scene import Scene, random_scene

_CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One format of training pictures."""

    name: str
    width: int
    height: int
    part: float
    """Pictures of this shape, in parts of the square ones."""
    batch: int
    """Pictures in a UNet step, so that a step of any shape takes about the same time."""


SQUARE = Shape(name="pictures", width=128, height=128, part=1.0, batch=32)
OTHER_SHAPES = (
    Shape(name="wide", width=192, height=128, part=0.08, batch=21),
    Shape(name="tall", width=128, height=160, part=0.04, batch=25),
)
"""A model that saw squares alone draws two products where there is room for two."""


def pool_scene(seed: int, index: int, shape: Shape = SQUARE) -> Scene:
    """The scene behind picture `index` of the pool of that seed and shape."""
    others = () if shape == SQUARE else (shape.width, shape.height)
    return random_scene(np.random.default_rng((seed, index, *others)))


def draw_pool(
    folder: Path,
    shape: Shape,
    *,
    count: int,
    seed: int,
    workers: int,
    report: Callable[[int], None],
) -> NDArray[np.uint8]:
    """Draw `count` pictures into a .npy file in `folder`, or open the finished one.

    Returns (count, height, width, 3) uint8, read lazily from the disk.
    """
    path = folder / f"{shape.name}.npy"
    if not path.exists():
        part = path.with_suffix(".part")
        pixels = np.lib.format.open_memmap(
            part, mode="w+", dtype=np.uint8, shape=(count, shape.height, shape.width, 3)
        )
        with ProcessPoolExecutor(workers) as processes:
            jobs = [(seed, shape, i, min(_CHUNK, count - i)) for i in range(0, count, _CHUNK)]
            for job, chunk in zip(jobs, processes.map(_draw_chunk, jobs), strict=True):
                end = job[2] + len(chunk)
                pixels[job[2] : end] = chunk
                report(end)
        pixels.flush()
        part.rename(path)
    opened: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return opened


def _draw_chunk(job: tuple[int, Shape, int, int]) -> NDArray[np.uint8]:
    seed, shape, start, size = job
    scenes = [pool_scene(seed, start + i, shape) for i in range(size)]
    return np.stack([np.asarray(draw(s, shape.width, shape.height)) for s in scenes])
