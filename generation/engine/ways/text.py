"""Text to image: noise of the seed, and nothing else."""

from generation.engine.ways.start import Bench, Start


def from_text(bench: Bench) -> Start:
    """Begin with noise."""
    latents = bench.noising.initial(bench.noise(bench.generator))
    return Start(latents=latents, extra=bench.behind_nothing())
