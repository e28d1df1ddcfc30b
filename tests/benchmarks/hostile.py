"""Bad inputs against everything that takes any: `{area: {tried, crashed, accepted_wrongly}}`.

    python -m tests.benchmarks.hostile [--only AREA ...]

Every crash and everything that got through is told on stderr; the exit status is 1 then.
"""

import argparse
import asyncio
import json
import logging
import sys
import warnings

from tests.hostile.areas import AREAS


async def measure(only: list[str]) -> dict[str, dict[str, int]]:
    """Run the areas one after another."""
    counts = {}
    for name, run in AREAS.items():
        if only and name not in only:
            continue
        score = await run()
        for line in score.told:
            print(f"{name}: {line[:300]}", file=sys.stderr)
        print(f"{name}: {score.counts}", file=sys.stderr)
        counts[name] = score.counts
    return counts


def main() -> int:
    """Print the counts as JSON; 1 if one of the bad ones is not 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], choices=sorted(AREAS))
    logging.disable(logging.CRITICAL)  # refusals are logged, and thousands of them are no news
    warnings.simplefilter("ignore")
    counts = asyncio.run(measure(parser.parse_args().only))
    print(json.dumps(counts))
    return int(any(area["crashed"] or area["accepted_wrongly"] for area in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
