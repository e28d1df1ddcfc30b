"""The judge: a small classifier that names product and colour of a picture.

It is trained on drawn pictures alone, with seeds of its own, and never sees what the model makes.
Blur, noise and small shifts keep it from leaning on the crispness of drawn edges.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody knows
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from generation.illustrator.brand_pictures import brand_pictures
from generation.illustrator.drawing import draw
from generation.illustrator.scene import COLORS, PRODUCTS, Scene, random_scene
from generation.train.loop import Report, Stage, train_stage
from generation.train.vae import as_tensor

JUDGE_FILE = "judge/judge.safetensors"
_SIDE = 64
_BATCH = 64
_COLOR_NAMES = tuple(COLORS)
# Far from every seed that draws training pictures of the demo model.
_SEED = 90_001
_TEST_SEED = 90_002


class Judge(nn.Module):
    """A small convolutional network with one head for the product and one for the colour."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 48, 64, 96)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.SiLU()]
            layers += [
                nn.Conv2d(after, after, 3, 1, 1, groups=8),
                nn.GroupNorm(8, after),
                nn.SiLU(),
            ]
        self.body = nn.Sequential(*layers)
        self.product = nn.Linear(widths[-1] * 16, len(PRODUCTS))
        self.color = nn.Linear(widths[-1] * 16, len(COLORS))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, 64, 64) pictures in -1..1 to scores (n, products) and (n, colours)."""
        seen = self.body(pictures).flatten(1)
        return self.product(seen), self.color(seen)


@dataclass(frozen=True, kw_only=True)
class Named:
    """What the judge saw in one picture."""

    product: str
    color: str


@torch.no_grad()
def name_pictures(judge: Judge, pictures: list[Image.Image]) -> list[Named]:
    """Product and colour of each RGB picture, of any size."""
    products, colors = judge(as_tensor(_small(pictures)))
    return [
        Named(product=PRODUCTS[p], color=_COLOR_NAMES[c])
        for p, c in zip(products.argmax(1).tolist(), colors.argmax(1).tolist(), strict=True)
    ]


def _small(pictures: list[Image.Image]) -> NDArray[np.uint8]:
    size = (_SIDE, _SIDE)
    return np.stack([np.asarray(p.resize(size, Image.Resampling.BOX)) for p in pictures])


def train_judge(
    folder: Path, report: Report, *, steps: int = 1600, pictures: int = 12_000
) -> Judge:
    """Draw pictures of all combinations, a fifth in the demo brand's look, and train on them.

    Resumable in `folder`.
    """
    scenes, images = _drawn(pictures, _SEED, brand_share=0.2)
    drawn = _small(images)
    torch.manual_seed(_SEED)
    judge = Judge()
    stage = Stage(name="judge", steps=steps, rate=3e-3, average=0.995, weight_decay=0.05)
    train_stage(stage, judge, _judge_loss(judge, drawn, scenes), folder, report)
    return judge


def _drawn(count: int, seed: int, *, brand_share: float) -> tuple[list[Scene], list[Image.Image]]:
    """Scenes and their pictures; a part of them before the brand's stripes and disc."""
    rng = np.random.default_rng(seed)
    branded = brand_pictures(round(count * brand_share), seed)
    plain = [random_scene(rng, training=False) for _ in range(count - len(branded))]
    scenes = [picture.scene for picture in branded] + plain
    return scenes, [picture.image for picture in branded] + [draw(scene) for scene in plain]


def _judge_loss(
    judge: Judge, drawn: NDArray[np.uint8], scenes: list[Scene]
) -> Callable[[int], Tensor]:
    product = torch.tensor([PRODUCTS.index(scene.product) for scene in scenes])
    color = torch.tensor([_COLOR_NAMES.index(scene.color) for scene in scenes])

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((_SEED, step))
        chosen = rng.choice(len(drawn), _BATCH, replace=False)
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 60)))
        products, colors = judge(worn(as_tensor(drawn[chosen]), generator))
        index = torch.from_numpy(chosen)
        return F.cross_entropy(products, product[index]) + F.cross_entropy(colors, color[index])

    return loss_of


def worn(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures shifted by up to 3 px, half of them blurred, all a little noisy."""
    across, down = torch.randint(-3, 4, (2,), generator=generator).tolist()
    shifted = torch.roll(pictures, (across, down), (3, 2))
    blurred = F.avg_pool2d(F.avg_pool2d(shifted, 3, 1, 1), 3, 1, 1)
    part = torch.rand(len(pictures), 1, 1, 1, generator=generator) * 1.6 - 0.6
    mixed = torch.lerp(shifted, blurred, part.clamp(0, 1))
    strength = 0.12 * torch.rand(len(pictures), 1, 1, 1, generator=generator)
    return mixed + strength * torch.randn(mixed.shape, generator=generator)


def judge_accuracy(
    judge: Judge, count: int = 1000, *, brand_share: float = 0.0
) -> tuple[float, float]:
    """(product, colour) accuracy on drawn pictures of a seed that training never used."""
    scenes, images = _drawn(count, _TEST_SEED, brand_share=brand_share)
    pairs = list(zip(name_pictures(judge, images), scenes, strict=True))
    product = sum(n.product == s.product for n, s in pairs) / count
    return product, sum(n.color == s.color for n, s in pairs) / count


def save_judge(judge: Judge, model: Path) -> Path:
    """Store the judge beside the model it judges; returns the file."""
    path = model / JUDGE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(judge.state_dict(), path)
    return path


def load_judge(model: Path) -> Judge:
    """The judge that lies beside the model in `model`."""
    judge = Judge()
    judge.load_state_dict(load_file(model / JUDGE_FILE))
    return judge.eval()
