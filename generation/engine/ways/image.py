"""Image to image: a picture's latents under as much noise as its strength asks for."""

from PIL import Image

from generation.engine.ways.start import Begin, Bench

_FLOW = frozenset({"sd3", "flux"})


def from_image(bench: Bench, reference: Image.Image) -> Begin:
    """Begin with the picture, which is as large as the pass's."""
    clean = bench.encoded(reference)
    return Begin(image=clean, noise=bench.noise(), extra=bench.behind_nothing())


def skipped_steps(layout: str, steps: int, strength: float) -> int:
    """How many of the sampler's steps a picture of this strength skips; one is always left.

    As `get_timesteps` of diffusers' pipelines: Stable Diffusion rounds the steps to take down,
    flow models the steps to skip.
    """
    if layout in _FLOW:
        found = int(max(steps - min(steps * strength, steps), 0))
    else:
        found = max(steps - min(int(steps * strength), steps), 0)
    return min(found, steps - 1)
