"""Slack under load while processes die: `python -m tests.benchmarks.slack`.

Starts a strict Slack (`tests/fakes/slack/`) as a process of its own, and the product apart as it
would be on a busy day: two bots with two sockets each (with `--mode http` one bot behind one
address), a worker, a generation service that draws. 50 people type 500 commands in 10 seconds in
their direct messages, each at its time whether or not earlier ones were acknowledged; every 10th
is delivered twice at the same moment; 1 % of the Web API's answers are 429 or 500, of the latter
half where all was done. Five times a bot is killed with SIGKILL in the transaction of a command
that Slack has the acknowledgement of, before its commit; it is started again at once. What was not
acknowledged, because the process died before it or none was there, is typed anew a second later,
as people do: Slack does not repeat commands. Prints JSON:

- `commands`: how many were to be typed.
- `kills`: of processes between acknowledgement and commit: each was seen to be acknowledged at the
  Slack and to be killed in the job's transaction. Others, of the same processes but before the
  acknowledgement, are made up for.
- `ack_p99_ms`: from the moment a command was due to its acknowledgement at the Slack, of all that
  were acknowledged. Goal: below 1000.
- `lost`: acknowledged commands without a job in the records, and such as were never acknowledged.
- `duplicate_jobs`: jobs beyond one for each command that was typed.
- `duplicate_posts`: messages in Slack beyond one for each id, and beyond one card of a job in a
  channel, once every job has its card and the processes are stopped.

How often people typed anew, and what else happened, goes to stderr.
"""

import sys
from pathlib import Path

from bot.chat.slack_chat.options import Mode
from tests.benchmarks.chat_parts.conduct import running
from tests.benchmarks.chat_parts.once import Figures, carried_out, found, options, printed
from tests.benchmarks.chat_parts.verdict import Verdict
from tests.benchmarks.slack_parts.plan import Wanted
from tests.benchmarks.slack_parts.platform import Slack
from tests.chaos.conductor import say

EARLY = "before its Retry-After"
"""Processes don't tell each other what Slack told them: each hears it for itself."""


async def measure(wanted: Wanted, folder: Path) -> tuple[Figures, Verdict]:
    """The figures and all findings; `folder` is made and filled."""
    async with running(Slack(wanted), wanted, folder) as run:
        verdict = await carried_out(run)
        facts = await run.ask(do="facts")
    say(f"Web API: {facts['count']}")
    early = [line for line in facts["violations"] if EARLY in line]
    say(f"{len(early)} calls came while another process had been told to wait")
    found([*(set(facts["violations"]) - set(early)), *verdict.findings])
    return {"commands": wanted.commands, **verdict.figures()}, verdict


def main() -> int:
    """Run it once; 1 if a goal is missed."""
    parser = options(__doc__)
    parser.add_argument("--commands", type=int, default=500)
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.SOCKET)
    given = parser.parse_args()
    wanted = Wanted(
        commands=given.commands, seconds=given.seconds, kills=given.kills, mode=given.mode
    )

    async def measured(folder: Path) -> Figures:
        return (await measure(wanted, folder))[0]

    return printed(measured, given.keep, wanted.kills)


if __name__ == "__main__":
    sys.exit(main())
