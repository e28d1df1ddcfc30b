"""Beside the loop: the newest preview wins, and progress is told over all passes."""

import threading

import numpy as np
import pytest
from PIL import Image

from brand.spec import Progress, RenderFailed

pytest.importorskip("torch")
pytestmark = pytest.mark.model


class SlowMap:
    """A preview map that waits until a test lets it go on; draws the latents' first number."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def picture(self, latents: object) -> Image.Image:
        self.begun.set()
        self.go_on.wait(30)
        return Image.new("RGB", (8, 8), (int(latents.flatten()[0]),) * 3)  # type: ignore[attr-defined]


def test_where_the_pool_is_behind_the_newest_preview_wins() -> None:
    import io

    import torch

    from generation.engine.finish import Pool

    pool, slow, shown = Pool(workers=1), SlowMap(), []
    delivered = threading.Semaphore(0)

    def deliver(preview: bytes) -> None:
        shown.append(np.asarray(Image.open(io.BytesIO(preview)))[0, 0, 0])
        delivered.release()

    pool.preview("r", slow, torch.full((4, 2, 2), 10), deliver)  # type: ignore[arg-type]
    assert slow.begun.wait(30)
    for value in (50, 100, 200):
        pool.preview("r", slow, torch.full((4, 2, 2), value), deliver)  # type: ignore[arg-type]
    slow.go_on.set()
    assert delivered.acquire(timeout=30)
    assert delivered.acquire(timeout=30)
    pool.close()
    assert np.abs(np.array(shown, int) - [10, 200]).max() <= 3


def test_progress_and_the_time_left_count_all_passes() -> None:
    import torch

    from generation.engine.finish import Pool
    from generation.engine.flights import FlightProgress
    from generation.engine.told import Leg, Told

    heard: list[Progress] = []
    told = Told(
        key="r",
        legs=[Leg(evaluations=4, area=100), Leg(evaluations=2, area=400)],
        on_progress=heard.append,
        pool=Pool(workers=1),
        preview_map=SlowMap(),  # type: ignore[arg-type]
        after_s=1.0,
    )
    told(FlightProgress(done=0, total=4, ahead=3))
    told(FlightProgress(done=2, total=4, eta_s=2.0))
    told.begin(1)
    told(FlightProgress(done=1, total=2, eta_s=4.0))
    told(FlightProgress(done=2, total=2, eta_s=0.0, guess=torch.zeros(4, 2, 2)))
    told.end()
    told(FlightProgress(done=2, total=2))
    assert [(item.done, item.total, item.place) for item in heard] == [
        (0, 6, 3), (2, 6, 0), (5, 6, 0), (6, 6, 0),
    ]  # fmt: skip
    # One second an evaluation; those of the second pass have four times the area.
    assert [item.eta_s for item in heard] == [None, 2.0 + 2 * 4 + 1, 5.0, 1.0]


def test_what_is_no_number_is_no_picture() -> None:
    import torch

    from generation.engine.finish import eight_bit, pixels_of

    values = torch.zeros(3, 4, 4)
    values[0, 1, 1] = float("inf")
    with pytest.raises(RenderFailed, match="overflowed"):
        eight_bit(values)
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (8, 12, 3), dtype=np.uint8))
    assert eight_bit(pixels_of(picture)).tobytes() == picture.tobytes()
