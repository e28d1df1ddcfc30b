"""Text to image: noise of the seed, and nothing else."""

from generation.engine.ways.start import Begin, Bench


def from_text(bench: Bench) -> Begin:
    """Begin with noise."""
    return Begin(noise=bench.noise(), extra=bench.behind_nothing())
