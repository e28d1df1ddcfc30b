"""Segmentation by any of transformers' semantic segmentation models: one flat colour a class."""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody knows
from PIL import Image
from transformers import AutoModelForSemanticSegmentation

from brand.spec import ModelMissing
from generation.engine.preprocess.learned import read_model
from generation.engine.preprocess.places import FOLDER, folder_of
from generation.pixels import fitted

PALETTE_FILE = "palette.json"
"""Beside the weights: [[red, green, blue], …], one for each class, as the ControlNet knows them."""


class Segmentation:
    """One loaded segmentation model with its colours."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelMissing."""
        self._processor, self._model = read_model(
            "segmentation", folder, AutoModelForSemanticSegmentation
        )
        classes = int(self._model.config.num_labels)
        file = folder / PALETTE_FILE
        self._palette = _read_palette(file, classes) if file.is_file() else plain_palette(classes)

    @torch.inference_mode()
    def map_of(self, picture: Image.Image, width: int, height: int) -> Image.Image:
        """Every pixel in the colour of its likeliest class, in RGB."""
        shown = fitted(picture, width, height)
        inputs = self._processor(images=shown, return_tensors="pt")
        found = self._model(pixel_values=inputs["pixel_values"]).logits
        sized = F.interpolate(found, (height, width), mode="bilinear", align_corners=False)
        return Image.fromarray(self._palette[sized[0].argmax(dim=0).numpy()])


def plain_palette(classes: int) -> np.ndarray:
    """(classes, 3) uint8: colours that differ, by the rule of the PASCAL VOC challenge.

    The three lowest bits of a class's number become the highest of red, green and blue, the
    next three the next, and so on (VOC development kit, 2012).
    """
    numbers = np.arange(classes)
    palette = np.zeros((classes, 3), np.uint8)
    for turn in range(8):
        for channel in range(3):
            bit = (numbers >> (3 * turn + channel)) & 1
            palette[:, channel] |= (bit << (7 - turn)).astype(np.uint8)
    return palette


def _read_palette(file: Path, classes: int) -> np.ndarray:
    try:
        palette = np.asarray(json.loads(file.read_bytes()))
    except (OSError, ValueError, RecursionError) as exc:
        raise _wrong_palette(classes) from exc
    whole = np.issubdtype(palette.dtype, np.integer) and palette.shape == (classes, 3)
    if not whole or palette.min() < 0 or palette.max() > 255:
        raise _wrong_palette(classes)
    return palette.astype(np.uint8)


def _wrong_palette(classes: int) -> ModelMissing:
    return ModelMissing(
        f"{FOLDER}/segmentation/{PALETTE_FILE} must be a JSON list of {classes} colours, each"
        " [red, green, blue] in 0..255."
    )


def load(models_dir: Path | None) -> Segmentation:
    """The model in preprocessors/segmentation. Raises ModelMissing."""
    return Segmentation(folder_of(models_dir, "segmentation"))
