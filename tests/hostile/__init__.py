"""Bad inputs of every kind against the real code: what breaks, and what is taken though it must
not be. `python -m tests.benchmarks.hostile` prints the counts."""
