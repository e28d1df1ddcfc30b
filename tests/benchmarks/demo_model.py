"""`python -m tests.benchmarks.demo_model`: is the shipped model good enough to be shown?

200 prompts of combinations that training never drew are rendered by the ordinary pipeline; the
judge, which never saw a rendered picture, says how often product and colour are as asked.
"""

import argparse
import json
from pathlib import Path

from generation.train.evaluate import (
    grid,
    load_pipeline,
    marks,
    render,
    seconds_per_picture,
    unseen_prompts,
)
from generation.train.judge import judge_accuracy, load_judge

MODEL = Path(__file__).parents[2] / "generation" / "demo_model"
PROMPTS = 200
TIMED_PROMPTS = 5
GRID_COLUMNS = 12
GRID_PICTURES = 72


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--n", type=int, default=PROMPTS)
    parser.add_argument("--grid", type=Path, help="also save the first pictures side by side")
    chosen = parser.parse_args()
    judge = load_judge(MODEL)
    asked = unseen_prompts(chosen.n)
    pipe = load_pipeline(chosen.model)
    pictures = render(pipe, [a.prompt for a in asked], [a.seed for a in asked])
    if chosen.grid is not None:
        grid(pictures[:GRID_PICTURES], GRID_COLUMNS).save(chosen.grid)
    result = marks(judge, pictures, [a.scene for a in asked])
    files = [path for path in chosen.model.rglob("*") if path.is_file()]
    figures = {
        "product_accuracy": result.product,
        "color_accuracy": result.color,
        "judge_accuracy": min(judge_accuracy(judge)),
        "n": result.n,
        "seconds_per_picture": round(
            seconds_per_picture(pipe, [a.prompt for a in asked[:TIMED_PROMPTS]]), 3
        ),
        "megabytes": round(sum(path.stat().st_size for path in files) / 1e6, 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
