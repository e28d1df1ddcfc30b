"""`python -m tests.benchmarks.control`: does the shipped ControlNet lead the composition?

References are drawn pictures of combinations that training never saw, with the product anywhere
and in any size. For each, the same prompt and the same seed are rendered with the reference's
edges and without them, by diffusers' ordinary pipelines (the engine's pictures differ from those
by at most 1/255; tests/unit/generation/test_control_rack.py).

The measure is the boundary F1 of two edge maps: the harmonic mean of precision (the share of the
result's edge pixels that lie within a tolerance of one of the reference's) and recall (the same the
other way round), as in Martin, Fowlkes and Malik (2004), with dilation in place of a one-to-one
matching of pixels (as Perazzi et al., 2016, do). Edges are the preprocessor's own; the
tolerance is the usual 0.75 % of the diagonal, rounded up. The interval is the 95 % percentile
bootstrap (Efron, 1979) of the mean of the paired differences.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionPipeline
from PIL import Image

from generation.engine.preprocess import canny
from generation.illustrator.captions import full_caption
from generation.illustrator.drawing import draw
from generation.illustrator.scene import held_out_combinations
from generation.train.control import SIDE, roaming_scene
from generation.train.evaluate import Asked, grid, load_pipeline, marks
from generation.train.export import GENERATION_DEFAULTS
from generation.train.judge import load_judge

MODEL = Path(__file__).parents[2] / "generation" / "demo_model"
CONTROL = MODEL / "controlnet-canny"
PICTURES = 48
_SEED = 61_006
"""No training has used it."""
_BATCH = 8
_TOLERANCE = 0.0075
_RESAMPLES = 10_000


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--control", type=Path, default=CONTROL)
    parser.add_argument("--n", type=int, default=PICTURES)
    parser.add_argument("--weight", type=float, default=1.0)
    parser.add_argument("--grid", type=Path, help="also save references, edges and results")
    chosen = parser.parse_args()
    asked = references(chosen.n)
    drawn = [draw(one.scene, SIDE, SIDE) for one in asked]
    maps = [canny.map_of(picture, SIDE, SIDE) for picture in drawn]
    plain = load_pipeline(chosen.model)
    without = render(plain, asked)
    within = render(controlled(plain, chosen.control), asked, maps, chosen.weight)
    if chosen.grid is not None:
        rows = [drawn[:12], maps[:12], without[:12], within[:12]]
        grid([picture for row in rows for picture in row], 12).save(chosen.grid)
    judge = load_judge(MODEL)
    scenes = [one.scene for one in asked]
    figures = {
        **compared(edge_f1s(maps, within), edge_f1s(maps, without)),
        "tolerance_px": tolerance(SIDE, SIDE),
        "weight": chosen.weight,
        # The judge was taught products in the middle and of the usual size.
        "product_accuracy_of_references": marks(judge, drawn, scenes).product,
        "product_accuracy_with": marks(judge, within, scenes).product,
        "product_accuracy_without": marks(judge, without, scenes).product,
        "megabytes": megabytes(chosen.control),
    }
    print(json.dumps(figures))


def references(count: int) -> list[Asked]:
    """Scenes of unseen combinations, each with a prompt for it and a seed."""
    rng = np.random.default_rng(_SEED)
    unseen = set(held_out_combinations())
    asked: list[Asked] = []
    while len(asked) < count:
        scene = roaming_scene(rng, training=False)
        if (scene.product, scene.color, scene.setting) in unseen:
            prompt = full_caption(scene, rng)
            asked.append(Asked(scene=scene, prompt=prompt, seed=5000 + len(asked)))
    return asked


def controlled(plain: StableDiffusionPipeline, control: Path) -> StableDiffusionControlNetPipeline:
    """The same parts with the ControlNet before them."""
    net = ControlNetModel.from_pretrained(control, local_files_only=True, dtype=torch.float32)
    pipe = StableDiffusionControlNetPipeline(
        **plain.components, controlnet=net, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def render(
    pipe: StableDiffusionPipeline,
    asked: Sequence[Asked],
    maps: Sequence[Image.Image] = (),
    weight: float = 1.0,
) -> list[Image.Image]:
    """One picture each with the model's own default settings; led by the maps where there are."""
    pictures: list[Image.Image] = []
    for start in range(0, len(asked), _BATCH):
        part = asked[start : start + _BATCH]
        led = {"image": list(maps[start : start + _BATCH])} if maps else {}
        if maps:
            led["controlnet_conditioning_scale"] = weight
        pictures += pipe(
            [one.prompt for one in part],
            negative_prompt=[""] * len(part),
            num_inference_steps=GENERATION_DEFAULTS["steps"],
            guidance_scale=GENERATION_DEFAULTS["cfg"],
            generator=[torch.Generator().manual_seed(one.seed) for one in part],
            height=SIDE,
            width=SIDE,
            **led,
        ).images
    return pictures


def edge_f1s(maps: Sequence[Image.Image], results: Sequence[Image.Image]) -> list[float]:
    """The boundary F1 of each result with its reference's map."""
    return [
        edge_f1(_edges(wanted), _edges(canny.map_of(result, *wanted.size)))
        for wanted, result in zip(maps, results, strict=True)
    ]


def edge_f1(wanted: np.ndarray, found: np.ndarray) -> float:
    """Boundary F1 (see the module's text) of two (height, width) arrays of 0 and 1; 0 to 1."""
    near = tolerance(wanted.shape[1], wanted.shape[0])
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * near + 1, 2 * near + 1))
    precision = _covered(found, cv2.dilate(wanted, disc))
    recall = _covered(wanted, cv2.dilate(found, disc))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def tolerance(width: int, height: int) -> int:
    """In pixels."""
    return math.ceil(_TOLERANCE * math.hypot(width, height))


def _covered(edges: np.ndarray, wide: np.ndarray) -> float:
    return float((edges & wide).sum() / edges.sum()) if edges.any() else 0.0


def _edges(picture: Image.Image) -> np.ndarray:
    return (np.asarray(picture)[..., 0] > 127).astype(np.uint8)


def compared(within: Sequence[float], without: Sequence[float]) -> dict[str, object]:
    """Means of both and of the paired differences, with the interval of the latter."""
    differences = np.asarray(within) - np.asarray(without)
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(len(differences), size=(_RESAMPLES, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    return {
        "n": len(differences),
        "edge_f1_with": round(float(np.mean(within)), 4),
        "edge_f1_without": round(float(np.mean(without)), 4),
        "difference": round(float(differences.mean()), 4),
        "difference_95": [round(float(low), 4), round(float(high), 4)],
        "better_share": round(float((differences > 0).mean()), 4),
    }


def megabytes(folder: Path) -> float:
    """Of its files together."""
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6, 2)


if __name__ == "__main__":
    main()
