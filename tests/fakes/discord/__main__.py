"""The fake Discord as a process: `python -m tests.fakes.discord [--port 0] [--rates 1.0]`.

It says one line of JSON when it listens (`base`, `api_url`, `gateway_url`, `control`, `token`) and
runs until it is told to stop. `control.py` says what can be asked of it.
"""

import argparse
import asyncio
import json
import signal
import sys

from tests.fakes.discord.app import FakeDiscord


async def run(port: int, rates: float) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    discord = FakeDiscord(rates=rates)
    await discord.start(port)
    line = {
        "base": discord.world.base,
        "api_url": discord.api_url,
        "gateway_url": discord.gateway_url,
        "control": f"{discord.world.base}/_control",
        "token": discord.token,
        "app": discord.world.app.id,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await discord.stop()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.discord")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rates", type=float, default=1.0, help="times Discord's limits; 0: none")
    given = parser.parse_args()
    asyncio.run(run(given.port, given.rates))


if __name__ == "__main__":
    main()
