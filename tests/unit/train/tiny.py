"""The demo model's recipe at a size that trains in a second."""

import json
from pathlib import Path

from generation.train.options import DemoModelOptions, TrainProgress
from generation.train.sizes import Sizes
from generation.train.text_encoder import TextSize
from generation.train.unet import UnetSize
from generation.train.vae import VaeSize

TINY = Sizes(
    vae=VaeSize(channels=(8, 8, 8, 8)),
    text=TextSize(width=16, inner=16, layers=1, heads=2),
    unet=UnetSize(channels=(16, 16, 16), heads=2),
)
STEPS = {"vae": 2, "words": 2, "unet": 4, "decoder": 2}


def tiny_options(folder: Path, *, resume_from: Path | None = None) -> DemoModelOptions:
    """Options for a run in `folder`, whose work folder already holds a short plan."""
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    (work / "plan.json").write_text(json.dumps(STEPS))
    return DemoModelOptions(
        out=folder / "model",
        work=work,
        pictures=40,
        threads=1,
        report_every_s=0.0,
        save_every_s=0.0,
        resume_from=resume_from,
    )


def silent(progress: TrainProgress) -> None:
    """A report that nobody reads."""
