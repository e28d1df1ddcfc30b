"""What becomes of latents beside the step loop: pixels, PNG files and previews.

Everything here runs in the request's own thread or in a small pool, never in the loop's.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import torch
from PIL import Image

from brand.spec import RenderFailed
from generation.engine.device import compute_with
from generation.engine.previews import PreviewMap
from generation.pixels import to_png, to_preview


def eight_bit(pixels: torch.Tensor) -> Image.Image:
    """An RGB picture of (3, height, width) values in -1..1, as diffusers rounds them.

    Raises RenderFailed where the decoder's numbers overflowed.
    """
    values = pixels.detach().to("cpu", torch.float32)
    if not bool(torch.isfinite(values).all()):
        raise RenderFailed("The model's numbers overflowed while decoding; use dtype float32.")
    unit = (values * 0.5 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    return Image.fromarray((unit * 255).round().astype("uint8"))


def pixels_of(image: Image.Image) -> torch.Tensor:
    """(3, height, width) values in -1..1 of an RGB picture, as diffusers gives them to a VAE."""
    data = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    shaped = data.view(image.height, image.width, 3).permute(2, 0, 1)
    unit = shaped.to(torch.float32).contiguous() / 255.0
    return 2.0 * unit - 1.0


class Pool:
    """A few threads for work that costs a processor but no model: PNG files and previews."""

    def __init__(self, workers: int = 0) -> None:
        count = workers or max(1, min(4, len(os.sched_getaffinity(0))))
        self._threads = ThreadPoolExecutor(count, "finish", initializer=compute_with, initargs=(1,))
        self._lock = Lock()
        self._waiting: dict[str, _Guess] = {}

    def png(self, image: Image.Image) -> bytes:
        """The picture's file; blocks the thread that asks, not the processor of the loop."""
        return self._threads.submit(to_png, image).result()

    def preview(
        self,
        key: str,
        preview_map: PreviewMap,
        guess: torch.Tensor,
        deliver: Callable[[bytes], None],
    ) -> None:
        """Draw a preview of (channels, height, width) latents; returns at once.

        Where the pool is behind, a request's newer guess takes the place of its older one.
        """
        with self._lock:
            queued = key in self._waiting
            self._waiting[key] = _Guess(preview_map=preview_map, latents=guess, deliver=deliver)
        if not queued:
            self._threads.submit(self._draw, key)

    def forget(self, key: str) -> None:
        """Draw no more previews of this request."""
        with self._lock:
            self._waiting.pop(key, None)

    def close(self) -> None:
        """Take no more work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _draw(self, key: str) -> None:
        with self._lock:
            guess = self._waiting.pop(key, None)
        if guess is not None:
            guess.deliver(to_preview(guess.preview_map.picture(guess.latents[None])))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Guess:
    preview_map: PreviewMap
    latents: torch.Tensor
    deliver: Callable[[bytes], None]
