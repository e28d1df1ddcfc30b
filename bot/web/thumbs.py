"""Small renditions for pages: made off the event loop, kept in memory, never stored."""

import asyncio
import io
from collections import OrderedDict

from PIL import Image

from bot.core.ports import BlobStore

SIZES = (320, 640, 1280)
"""Longest side in pixels. A picture that is smaller already is sent as it is."""
MAX_BYTES = 96 * 1024 * 1024
AT_ONCE = 2
QUALITY = 82


class Thumbs:
    """WebP thumbnails by (file hash, size), least recently used ones dropped first."""

    def __init__(self, blobs: BlobStore, max_bytes: int = MAX_BYTES) -> None:
        self._blobs = blobs
        self._max = max_bytes
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0
        self._making: dict[tuple[str, int], asyncio.Task[bytes]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def get(self, sha256: str, side: int) -> bytes:
        """The thumbnail. Raises NotFound or CorruptBlob as the blob store does."""
        key = (sha256, side)
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return found
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key))
            self._making[key] = task
            task.add_done_callback(lambda _: self._making.pop(key, None))
        # One visitor who leaves must not spoil it for the others.
        return await asyncio.shield(task)

    async def _make(self, key: tuple[str, int]) -> bytes:
        sha256, side = key
        data = await self._blobs.get(sha256)
        async with self._slots:
            small = await asyncio.to_thread(shrink, data, side)
        self._kept[key] = small
        self._bytes += len(small)
        while self._bytes > self._max and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)
        return small


def shrink(data: bytes, side: int) -> bytes:
    """A picture file of ours as WebP, its longest side at most `side` pixels, no metadata."""
    with Image.open(io.BytesIO(data)) as picture:
        picture.draft("RGB", (side, side))
        small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
