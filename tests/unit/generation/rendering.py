"""Short ways to ask an engine for a picture."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from brand.spec import Picture, Progress, RenderRequest, RenderSpec
from generation.engines import Engine

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

STEPS = 3


class Folder:
    """Inputs in a folder, by their hash."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def path(self, sha256: str) -> Path:
        """Where it lies."""
        return self._path / sha256

    def put(self, data: bytes) -> str:
        """Keep an input; its hash."""
        sha256 = hashlib.sha256(data).hexdigest()
        (self._path / sha256).write_bytes(data)
        return sha256


def new_engine(models: Path, **changes: object) -> Engine:
    """A loaded engine with one thread and small batches, which are soon profiled; imports torch."""
    from generation.engine.engine import EngineOptions, InFlightEngine

    options: dict[str, object] = {"warm": "sd1", "threads": 1, "max_rows": 4, "take_profile": False}
    options |= {"models_dir": models, "shipped": models / "none"}
    options |= {"state_dir": models.parent / "state", **changes}
    made = InFlightEngine(EngineOptions(**options))  # type: ignore[arg-type]
    made.load()
    return made


def tiny(**changes: object) -> RenderSpec:
    """A recipe that takes a tenth of a second on a tiny model."""
    plain: dict[str, object] = {"prompt": "a red mug", "model": "sd1", "seed": 5, "steps": STEPS}
    return RenderSpec(**plain | {"width": 64, "height": 64} | changes)  # type: ignore[arg-type]


def rendered(
    engine: Engine,
    spec: RenderSpec,
    *,
    inputs: Folder | None = None,
    told: list[Progress] | None = None,
    preview_every: int = 0,
    cancelled: Callable[[], bool] = lambda: False,
) -> Picture:
    """The picture of this recipe."""
    wanted = RenderRequest(render_id="r", brand="b", spec=spec, preview_every=preview_every)
    note = (told if told is not None else []).append
    return engine.render(wanted, inputs or Folder(Path("none")), note, cancelled)


def stock_pipeline(models: Path, layout: str) -> "DiffusionPipeline":
    """diffusers alone on a tiny model, its weights in memory of their own as in the engine.

    Mapped from the file they lie at other addresses, which changes the last bits.
    """
    import diffusers
    import torch

    torch.set_num_threads(1)
    kind = {"sd1": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline"}[layout]
    pipe = getattr(diffusers, kind).from_pretrained(models / layout, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    for module in pipe.components.values():
        if isinstance(module, torch.nn.Module):
            for parameter in module.parameters():
                parameter.data = parameter.data.clone()
    return pipe


def evaluations(told: list[Progress]) -> list[tuple[int, int]]:
    """(done, total) of every evaluation that was told, in order; previews and places left out."""
    told = [item for item in told if item.done and not item.preview]
    return list(dict.fromkeys((item.done, item.total) for item in told))


def image_of(picture: Picture) -> Image.Image:
    """Its pixels."""
    return Image.open(io.BytesIO(picture.png))


def as_png(image: Image.Image) -> bytes:
    """A PNG file."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def largest_difference(one: Image.Image, other: Image.Image) -> int:
    """Between two pictures of one size, of 255."""
    pair = [np.asarray(image.convert("RGB"), np.int16) for image in (one, other)]
    return int(np.abs(pair[0] - pair[1]).max())
