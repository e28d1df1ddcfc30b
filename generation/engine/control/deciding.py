"""Which files decide a recipe's controls: they are part of its reproduction class.

A recipe names its ControlNets by kind, not by hash; the weights that serve that kind here and now
stand in the class beside the model's own. Known without loading anything.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brand.spec import ControlUse, ModelMissing
from generation.engine.control.sources import ControlSource, choose_control
from generation.engine.library.sources import ModelSource
from generation.engine.preprocess.kinds import WEIGHTS_OF
from generation.engine.preprocess.learned import files_of


def deciding_files(
    uses: Sequence[ControlUse],
    sources: Mapping[str, ControlSource],
    model: ModelSource,
    models_dir: Path | None,
) -> tuple[tuple[str, Path], ...]:
    """(name, file) of the ControlNets and of the weights that make their maps, in order of use.

    Raises ModelMissing and SpecInvalid where a control cannot be served.
    """
    if not uses:
        return ()
    shape = unet_shape(model)
    files: list[tuple[str, Path]] = []
    for place, use in enumerate(uses):
        source = choose_control(sources, use.kind, use.model, lambda source: source.fits(*shape))
        files += [(f"control {place}/{name}", file) for name, file in source.files]
        if not use.ready and use.kind in WEIGHTS_OF:
            files += files_of(models_dir, WEIGHTS_OF[use.kind])
    return tuple(files)


def unet_shape(model: ModelSource) -> tuple[int, tuple[int, ...]]:
    """Text width and level widths of the model's UNet. Raises ModelMissing where it has none."""
    config: dict[str, Any] = {}
    file = (model.config or model.path) / "unet" / "config.json"
    if model.layout in {"sd1", "sdxl"} and file.is_file():
        config = {**json.loads(file.read_bytes()), **model.changes}
    words, channels = config.get("cross_attention_dim"), config.get("block_out_channels")
    if not isinstance(words, int) or not isinstance(channels, list):
        raise ModelMissing(
            "ControlNets and image prompts lead models of the SD 1.x and SDXL layouts only; choose "
            "such a model."
        )
    return words, tuple(channels)
