"""From a recipe's controls to what the step loop carries."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from brand.spec import ControlUse
from generation.engine.control.rack import ControlRack
from generation.engine.flights import Control
from generation.engine.preprocess.kinds import Preprocessors
from generation.pixels import fitted, read_picture


def controls_for(
    uses: Sequence[ControlUse],
    inputs: Mapping[str, Path],
    rack: ControlRack,
    preprocessors: Preprocessors,
    size: tuple[int, int],
) -> tuple[Control, ...]:
    """The controls of one pass of that (width, height) in pixels; the rack then holds their nets.

    The leading picture's middle is fitted into the size, never squeezed. Raises ModelMissing,
    SpecInvalid and RenderFailed, each saying which control and why.
    """
    return tuple(_control(use, inputs[use.sha256], rack, preprocessors, size) for use in uses)


def _control(
    use: ControlUse,
    file: Path,
    rack: ControlRack,
    preprocessors: Preprocessors,
    size: tuple[int, int],
) -> Control:
    source = rack.choose(use.kind, use.model)
    picture = read_picture(file)
    led_by = fitted(picture, *size) if use.ready else preprocessors.map_of(use.kind, picture, *size)
    rack.take(source.name)
    return Control(
        net=source.name,
        image=pixels_of_map(led_by),
        weight=use.weight,
        start=use.start,
        end=use.end,
    )


def pixels_of_map(picture: Image.Image) -> torch.Tensor:
    """(3, height, width) float32 in 0..1, as diffusers' control image processor has it."""
    pixels = np.asarray(picture.convert("RGB"), np.float32) / 255.0
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
