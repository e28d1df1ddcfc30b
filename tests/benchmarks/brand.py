"""`python -m tests.benchmarks.brand`: does the demo brand's LoRA make pictures of the brand?

First the gate is shown to be one, on drawn pictures of the brand and on other ones. Then 100
prompts of unseen combinations are rendered plain, with the brand named in words alone, and with
the LoRA, all from the same seeds; the gate says how many are of the brand (with Wilson's 95 %
interval) and the judge in how many the product is right.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

from brand.gates import brand_passes
from brand.kit import BrandKit
from brand.kit_loader import load_kit
from generation.illustrator.brand_pictures import brand_pictures
from generation.illustrator.captions import subject
from generation.illustrator.drawing import draw
from generation.illustrator.scene import random_scene
from generation.train.evaluate import Asked, grid, load_pipeline, marks, render, unseen_prompts
from generation.train.judge import Judge, load_judge

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "generation" / "demo_model"
KIT = ROOT / "brand" / "demo" / "northwind.toml"
LORA = ROOT / "brand" / "demo" / "lora" / "northwind-stripes.safetensors"
DRAWN = 200
PROMPTS = 100
# Seeds that no training and no tuning of thresholds has used.
_BRAND_SEED, _OTHER_SEED, _WORDS_SEED = 80_001, 80_002, 80_003
_Z = 1.959964


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--lora", type=Path, default=LORA)
    parser.add_argument("--n", type=int, default=PROMPTS)
    parser.add_argument("--grid", type=Path, help="also save pictures with the LoRA side by side")
    chosen = parser.parse_args()
    kit, judge = load_kit(KIT), load_judge(MODEL)
    tpr, tnr = gate_rates(kit)
    asked = unseen_prompts(chosen.n)
    pipe = load_pipeline(chosen.model)
    prompts, seeds = [a.prompt for a in asked], [a.seed for a in asked]
    plain = render(pipe, prompts, seeds)
    words = render(pipe, in_brand_words(asked, kit), seeds)
    pipe.load_lora_weights(chosen.lora.parent, weight_name=chosen.lora.name, adapter_name="brand")
    lora = render(pipe, prompts, seeds)
    if chosen.grid is not None:
        grid(lora[:48], 12).save(chosen.grid)
    figures = {
        "gate_tpr": tpr,
        "gate_tnr": tnr,
        "plain": marks_of(plain, asked, kit, judge),
        "words": marks_of(words, asked, kit, judge),
        "lora": marks_of(lora, asked, kit, judge),
    }
    print(json.dumps(figures))


def gate_rates(kit: BrandKit) -> tuple[float, float]:
    """True-positive and true-negative rate of the brand gate on drawn pictures."""
    own = [picture.image for picture in brand_pictures(DRAWN, _BRAND_SEED)]
    rng = np.random.default_rng(_OTHER_SEED)
    other = [draw(random_scene(rng, training=False)) for _ in range(DRAWN)]
    return _passing(own, kit) / DRAWN, 1 - _passing(other, kit) / DRAWN


def in_brand_words(asked: list[Asked], kit: BrandKit) -> list[str]:
    """The same products, with the brand's look asked for in words instead of a place."""
    rng = np.random.default_rng(_WORDS_SEED)
    motif = kit.gates.motif
    look = motif.words if motif is not None else ""
    return [f"{subject(a.scene, rng)} in front of {look}" for a in asked]


def marks_of(
    pictures: list[Image.Image], asked: list[Asked], kit: BrandKit, judge: Judge
) -> dict[str, float]:
    """Share that passes the gate with its interval, and share of right products."""
    passed, n = _passing(pictures, kit), len(pictures)
    low, high = wilson(passed, n)
    return {
        "pass_rate": passed / n,
        "low": round(low, 4),
        "high": round(high, 4),
        "n": n,
        "product_accuracy": marks(judge, pictures, [a.scene for a in asked]).product,
    }


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (E. B. Wilson, 1927)."""
    share, z2 = hits / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _passing(pictures: list[Image.Image], kit: BrandKit) -> int:
    return sum(brand_passes(np.asarray(picture), kit) for picture in pictures)


if __name__ == "__main__":
    main()
