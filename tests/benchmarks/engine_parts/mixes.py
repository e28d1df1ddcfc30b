"""Random mixes of requests in the air together, each held against the same request alone."""

import tempfile
from pathlib import Path

from tests.fakes.tiny_models import build_sd1
from tests.unit.generation.mixes import Mix, alone, random_wishes
from tests.unit.generation.rendering import Folder, new_engine

REQUESTS = (2, 3, 4, 5, 6)
"""In one mix, in turn."""
ROWS = 8


def bit_equal_mixes(mixes: int) -> float:
    """Share of the finished requests of so many mixes whose PNG has the bytes it has alone.

    A tiny model with random weights; samplers, steps, guidance, LoRAs with weights, sizes,
    pictures to start from, masks, priorities, teams, joining and cancelling are all drawn.
    """
    with tempfile.TemporaryDirectory(prefix="housestyle-mixes-") as name:
        folder = Path(name)
        build_sd1(folder / "models" / "sd1")
        (folder / "inputs").mkdir()
        inputs = Folder(folder / "inputs")
        engine = new_engine(folder / "models", max_rows=ROWS)
        equal = finished = 0
        for seed in range(mixes):
            wishes = random_wishes(REQUESTS[seed % len(REQUESTS)], 1000 + seed, inputs)
            for wish, outcome in zip(wishes, Mix(engine, inputs, wishes).run(), strict=True):
                if outcome.failure is not None:
                    raise outcome.failure
                if outcome.picture is not None:
                    finished += 1
                    equal += outcome.picture.png == alone(engine, inputs, wish.spec).png
        return equal / finished
