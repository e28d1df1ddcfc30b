"""The fake Slack as a process: `python -m tests.fakes.slack [--port 0] [--rates 1.0]`.

It says one line of JSON when it listens (`base`, `api_url`, `control`, and what an app needs) and
runs until it is told to stop. `control.py` says what can be asked of it.
"""

import argparse
import asyncio
import json
import signal
import sys

from tests.fakes.slack.app import FakeSlack


async def run(port: int, rates: float, pace: float) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    slack = FakeSlack(rates=rates, pace=pace)
    await slack.start(port)
    line = {
        "base": slack.world.base,
        "api_url": slack.api_url,
        "control": f"{slack.world.base}/_control",
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": slack.world.signing_secret,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await slack.stop()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.slack")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rates", type=float, default=1.0, help="times Slack's rates; 0: none")
    parser.add_argument("--pace", type=float, default=0.005, help="times the waits of retries")
    given = parser.parse_args()
    asyncio.run(run(given.port, given.rates, given.pace))


if __name__ == "__main__":
    main()
