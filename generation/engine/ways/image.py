"""Image to image: a picture's latents under as much noise as its strength asks for."""

from PIL import Image

from generation.engine.ways.start import Bench, Start

_FLOW = frozenset({"sd3", "flux"})


def from_image(bench: Bench, reference: Image.Image, skipped: int) -> Start:
    """Begin with the fitted picture, `skipped` steps in; see `skipped_steps`."""
    clean = bench.encoded(reference)
    noise = bench.noise(bench.generator)
    latents = bench.noising.laid(clean, noise, 0)
    return Start(latents=latents, skipped=skipped, extra=bench.behind_nothing())


def skipped_steps(layout: str, steps: int, strength: float) -> int:
    """How many of the sampler's steps a picture of this strength skips; one is always left.

    As `get_timesteps` of diffusers' pipelines: Stable Diffusion rounds the steps to take down,
    flow models round the steps to skip down.
    """
    if layout in _FLOW:
        found = int(max(steps - min(steps * strength, steps), 0))
    else:
        found = max(steps - min(int(steps * strength), steps), 0)
    return min(found, steps - 1)
