"""Depth by any of transformers' depth estimation models (DPT, Depth Anything, GLPN, ZoeDepth)."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody knows
from PIL import Image
from transformers import AutoModelForDepthEstimation

from generation.engine.preprocess.learned import read_model
from generation.engine.preprocess.places import folder_of
from generation.pixels import fitted

_METRES = {"glpn", "zoedepth", "depth_pro"}
"""Models that tell a distance; the others tell nearness."""


class Depth:
    """One loaded depth model."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelMissing."""
        self._processor, self._model = read_model("depth", folder, AutoModelForDepthEstimation)
        config = self._model.config
        self._metres = (
            config.model_type in _METRES
            or getattr(config, "depth_estimation_type", "relative") == "metric"
        )

    @torch.inference_mode()
    def nearness(self, picture: Image.Image, width: int, height: int) -> np.ndarray:
        """(height, width) float64 in 0..1 of the picture's middle; 1 is nearest."""
        shown = fitted(picture, width, height)
        inputs = self._processor(images=shown, return_tensors="pt")
        found = self._model(pixel_values=inputs["pixel_values"]).predicted_depth
        found = found.reshape(1, 1, *found.shape[-2:])
        sized = F.interpolate(found, (height, width), mode="bicubic", align_corners=False)
        depth = np.nan_to_num(sized[0, 0].double().numpy())
        depth = -depth if self._metres else depth
        span = depth.max() - depth.min()
        near: np.ndarray = (depth - depth.min()) / span if span > 0 else np.zeros_like(depth)
        return near

    def map_of(self, picture: Image.Image, width: int, height: int) -> Image.Image:
        """Near is white and far is black, in RGB: what ControlNets for depth were trained on."""
        near = self.nearness(picture, width, height)
        return Image.fromarray(np.rint(near * 255).astype(np.uint8)).convert("RGB")


def load(models_dir: Path | None) -> Depth:
    """The model in preprocessors/depth. Raises ModelMissing."""
    return Depth(folder_of(models_dir, "depth"))
