"""Every kind of map that a picture can be turned into.

To add one: write a file beside this one with `map_of(picture, width, height)`, put a row into
KINDS, and its name into `brand.spec.CONTROL_KINDS`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from types import MappingProxyType

import cv2
from PIL import Image

from brand.spec import RenderFailed, SpecInvalid
from generation.engine.preprocess import (
    canny,
    depth,
    lineart,
    normal,
    pose,
    segmentation,
    softedge,
    tile,
)

MapOf = Callable[[Image.Image, int, int], Image.Image]
"""(RGB picture, width, height in pixels) -> RGB map of just that size."""

KINDS: Mapping[str, Callable[[Path | None], MapOf]] = MappingProxyType(
    {
        "canny": lambda _: canny.map_of,
        "softedge": lambda _: softedge.map_of,
        "lineart": lambda _: lineart.map_of,
        "tile": lambda _: tile.map_of,
        "depth": lambda models_dir: depth.load(models_dir).map_of,
        "normal": lambda models_dir: normal.load(models_dir).map_of,
        "pose": lambda models_dir: pose.load(models_dir).map_of,
        "segmentation": lambda models_dir: segmentation.load(models_dir).map_of,
    }
)
"""What makes a map of each kind, from the models folder. May raise ModelMissing."""

WEIGHTS_OF: Mapping[str, str] = MappingProxyType(
    {"depth": "depth", "normal": "depth", "pose": "pose", "segmentation": "segmentation"}
)
"""Whose weights each of the learned kinds takes."""


class Preprocessors:
    """Makes maps; what needs weights is loaded when it is first asked for, and kept.

    Any thread may ask; of each kind one works at a time.
    """

    def __init__(self, models_dir: Path | None) -> None:
        self._models_dir = models_dir
        self._loaded: dict[str, MapOf] = {}
        self._locks = {kind: Lock() for kind in KINDS}

    def load(self, kind: str) -> None:
        """Have what makes that kind's maps in memory. Raises ModelMissing."""
        with self._locks[kind]:
            self._of(kind)

    def map_of(self, kind: str, picture: Image.Image, width: int, height: int) -> Image.Image:
        """The map of that kind at that size.

        Raises SpecInvalid for an unknown kind, ModelMissing where weights are needed and not
        there, and RenderFailed where they cannot read this picture.
        """
        if kind not in KINDS:
            raise SpecInvalid(f"control kind must be one of {', '.join(KINDS)}")
        with self._locks[kind]:
            make = self._of(kind)
            try:
                return make(picture, width, height)
            except (ValueError, RuntimeError, TypeError, IndexError, cv2.error) as exc:
                raise RenderFailed(f"No {kind} map could be made of the picture: {exc}") from exc

    def _of(self, kind: str) -> MapOf:
        if kind not in self._loaded:
            self._loaded[kind] = KINDS[kind](self._models_dir)
        return self._loaded[kind]
