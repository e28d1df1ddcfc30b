"""The shipped model's own UNet in the loop: a picture's bits are those it has alone."""

import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from brand.spec import RenderCancelled
from generation.engine.denoisers.unet import UNetDenoiser
from generation.engine.flights import Flight, Signature, Terms
from generation.engine.loop.profile import Profiles
from generation.engine.loop.step_loop import LoopModel, StepLoop
from generation.engine.sampling.courses import Course
from generation.engine.sampling.steppers import Start, new_stepper
from generation.settings import SHIPPED_MODEL

pytestmark = pytest.mark.model
SAMPLERS = ("euler", "euler_a", "dpmpp_2m_karras", "heun", "ddim", "unipc", "lms", "dpmpp_2m_sde")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepLoop]:
    """A loop with the demo model's UNet, whose profile it takes itself."""
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(SHIPPED_MODEL / "unet").eval()
    model = LoopModel(
        denoiser=UNetDenoiser(unet),
        conditions=("demo",),
        prepare=lambda: torch.set_num_threads(1),
    )
    profiles = Profiles(tmp_path_factory.mktemp("state") / "profiles.json")
    loop = StepLoop(lambda _name: model, profiles)
    yield loop
    loop.close(10)


def flight(number: int) -> Flight:
    """One of many kinds, the same for the same number."""
    own = random.Random(number)
    size = own.choice([8, 8, 12])
    generator = torch.Generator().manual_seed(number)
    config = json.loads(Path(SHIPPED_MODEL / "scheduler/scheduler_config.json").read_text())
    course = Course(sampler=own.choice(SAMPLERS), config=config, steps=own.randint(2, 5))
    guidance = own.choice([1.0, 3.0, 7.5])
    terms = [Terms(text=torch.randn(77, 128, generator=generator)) for _ in range(2)]
    return Flight(
        key=str(number),
        signature=Signature(model="demo", channels=4, height=size, width=size),
        stepper=new_stepper(course, Start(generator=generator, device=CPU, shape=(4, size, size))),
        terms=tuple(terms if guidance > 1 else terms[:1]),
        guidance=guidance,
        priority=own.choice([0, 0, 10]),
        team=own.choice(["", "a", "b"]),
    )


def flown(loop: StepLoop, number: int, stop: threading.Event) -> torch.Tensor | None:
    """Its latents, or None where it was cancelled."""
    try:
        return loop.fly(flight(number), lambda _progress: None, stop.is_set)
    except RenderCancelled:
        return None


def test_mixed_flights_land_on_the_bits_they_have_alone(loop: StepLoop) -> None:
    never = threading.Event()
    count = 16
    alone = [flown(loop, number, never) for number in range(count)]
    stops = [threading.Event() for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        crowd = [pool.submit(flown, loop, n, stops[n]) for n in range(count)]
        for number in range(count - 4, count):
            stops[number].set()
        among = [future.result() for future in crowd]
    for number in range(count - 4):
        assert torch.equal(among[number], alone[number]), flight(number)
    assert loop.standing().counters.calls < loop.standing().counters.rows / 2
    assert loop.standing().counters.failed == 0
