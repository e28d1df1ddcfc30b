"""How long a second start of the demo takes: `python -m tests.benchmarks.start`.

Starts `housestyle demo` in a fresh folder once (not measured), stops it, starts it again, and
prints JSON in seconds:

- `page_s`: from the start of the process to the owner's page being served. Goal 3.
- `model_ready_s`: from the start until the model is loaded. Goal 20.
- `first_picture_s`: from the start to the first picture asked for in the chat. Goal 30.
- `stop_s`: from SIGINT to the end of the process. Goal 10.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from tests.acceptance.product import demo, free_port, until

WORDS = "/imagine a red mug on a wooden table"


async def measure(folder: Path) -> dict[str, float]:
    """The four figures of a second start, in seconds."""
    port = free_port()
    async with demo(folder, port) as product:
        await until(product.served, "a page")
        await product.stop()

    began = time.perf_counter()
    async with demo(folder, port) as product:
        await until(product.served, "a page")
        page_s = time.perf_counter() - began
        await product.enter()
        await product.say(WORDS)
        await until(lambda: product.shows("/health", "Ready on"), "a loaded model")
        model_ready_s = time.perf_counter() - began
        await until(lambda: product.shows("/chat", r"Done(:| in)"), "a picture")
        first_picture_s = time.perf_counter() - began
        began_to_stop = time.perf_counter()
        await product.stop()
        stop_s = time.perf_counter() - began_to_stop
    return {
        "page_s": round(page_s, 2),
        "model_ready_s": round(model_ready_s, 2),
        "first_picture_s": round(first_picture_s, 2),
        "stop_s": round(stop_s, 2),
    }


def main() -> None:
    """Measure in a fresh folder, or in the one given, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="a data folder to keep; default: a fresh one")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="housestyle-start-") as fresh:
        print(json.dumps(asyncio.run(measure(chosen.folder or Path(fresh)))))


if __name__ == "__main__":
    main()
