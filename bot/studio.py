"""The Studio port: gates, master files and renditions in a process pool, off the event loop."""

import asyncio
import functools
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

import numpy as np

from bot.core.ports import Checked
from brand.gates import run_gates
from brand.kit import BrandKit
from brand.pictures import pixel_hash_of_file, to_pixels
from brand.provenance import LabelledFile, make_master, make_renditions
from brand.spec import RenderSpec

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 2  # a worker process that was killed is replaced once for each call
DIFFERENT_SIZES = 255
NICENESS = 10
"""Gates and files take what is left of the processor: who waits for an answer comes first."""


class PoolStudio:
    """Numeric work in `workers` processes, started at the first call."""

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    async def check(
        self, png: bytes, spec: RenderSpec, kit: BrandKit, known: Sequence[tuple[str, str]]
    ) -> Checked:
        """See the port."""
        return await self._run(_check, png, spec, kit, tuple(known))

    async def make_files(
        self,
        png: bytes,
        spec: RenderSpec,
        kit: BrandKit,
        *,
        asset_id: str,
        weights: str,
        from_photo: bool,
    ) -> Sequence[LabelledFile]:
        """See the port."""
        return await self._run(_make_files, png, spec, kit, asset_id, weights, from_photo)

    async def pixel_hash(self, data: bytes) -> str:
        """See the port."""
        return await self._run(pixel_hash_of_file, data)

    async def max_difference(self, one: bytes, other: bytes) -> int:
        """See the port."""
        return await self._run(_max_difference, one, other)

    def close(self) -> None:
        """End the worker processes once they have finished what they are at."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    async def _run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        call = functools.partial(work, *args, **kwargs)
        for left in reversed(range(TRIES)):
            pool = self._pool = self._pool or ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin_worker,
            )
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, call)
            except BrokenProcessPool:
                self._pool = None
                if not left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")


def _begin_worker() -> None:
    os.nice(NICENESS)
    _end_with_parent()


def _end_with_parent() -> None:
    """A worker of a killed product would wait for work for ever: watch, and end with it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _check(
    png: bytes, spec: RenderSpec, kit: BrandKit, known: tuple[tuple[str, str], ...]
) -> Checked:
    pixels = to_pixels(png)
    evidence = run_gates(pixels, spec, kit, known)
    height, width = pixels.shape[:2]
    return Checked(
        evidence=evidence,
        pixel_hash=pixel_hash_of_file(png),
        fingerprint=evidence.fingerprint,
        width=width,
        height=height,
    )


def _make_files(
    png: bytes, spec: RenderSpec, kit: BrandKit, asset_id: str, weights: str, from_photo: bool
) -> Sequence[LabelledFile]:
    master = make_master(png, spec, kit, asset_id=asset_id, weights=weights, from_photo=from_photo)
    renditions = make_renditions(png, spec, kit, asset_id=asset_id, from_photo=from_photo)
    return (master, *renditions)


def _max_difference(one: bytes, other: bytes) -> int:
    first, second = to_pixels(one), to_pixels(other)
    if first.shape != second.shape:
        return DIFFERENT_SIZES
    return int(np.abs(first.astype(np.int16) - second.astype(np.int16)).max())
