"""The requests of the engine's benchmark: mixed like a working day, the same each run."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from brand.spec import RenderRequest, RenderSpec

SAMPLERS = ("euler", "euler_a", "dpmpp_2m_karras", "ddim")
STEPS = (7, 25)
GUIDANCES = (1.0, 3.0, 5.0, 7.5)
WORDS = (
    "a red mug on a wooden table",
    "a blue backpack on the beach",
    "a green teapot, warm light",
    "a yellow lamp in a bright kitchen",
    "an orange chair, product photo",
)
NEGATIVES = ("", "blurry", "text, watermark")
INTERACTIVE = 10


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request and when it comes."""

    request: RenderRequest
    at: float = 0.0
    """Seconds from the start."""


def recipe(rng: random.Random, model: str, side: int) -> RenderSpec:
    """One picture as people ask for them: everything but the size differs."""
    return RenderSpec(
        prompt=rng.choice(WORDS),
        negative=rng.choice(NEGATIVES),
        model=model,
        seed=rng.randrange(2**31),
        width=side,
        height=side,
        steps=rng.randint(*STEPS),
        guidance=rng.choice(GUIDANCES),
        sampler=rng.choice(SAMPLERS),
    )


def at_once(count: int, model: str, side: int, *, seed: int) -> list[Arrival]:
    """So many requests that are all there from the start."""
    rng = random.Random(seed)
    return [
        Arrival(request=asked(f"closed-{seed}-{side}-{number}", recipe(rng, model, side)))
        for number in range(count)
    ]


def poisson(requests: Sequence[Arrival], *, over: float, seed: int) -> list[Arrival]:
    """The same requests, each on its own in the first `over` seconds.

    A Poisson process of which the count is given is that many even draws: so the load is what was
    asked for in every run, and not only on average.
    """
    rng = random.Random(seed)
    times = sorted(rng.uniform(0, over) for _ in requests)
    return [replace(each, at=at) for each, at in zip(requests, times, strict=True)]


def urgent_among(
    count: int, urgent: int, model: str, side: int, *, over: float, seed: int
) -> list[Arrival]:
    """A full queue of overnight work, and urgent requests spread over the first `over` seconds."""
    rng = random.Random(seed)
    arrivals = [
        Arrival(request=asked(f"full-{seed}-{number}", recipe(rng, model, side)))
        for number in range(count)
    ]
    arrivals += [
        Arrival(
            request=asked(
                f"urgent-{seed}-{number}", recipe(rng, model, side), priority=INTERACTIVE
            ),
            at=rng.uniform(0, over),
        )
        for number in range(urgent)
    ]
    return sorted(arrivals, key=lambda arrival: arrival.at)


def asked(name: str, spec: RenderSpec, *, priority: int = 0) -> RenderRequest:
    """A request without previews, so that both sides do the same work."""
    return RenderRequest(
        render_id=name, brand="bench", spec=spec, priority=priority, preview_every=0
    )
