"""Discord under load while a process dies: `python -m tests.benchmarks.discord`.

Starts a strict Discord (`tests/fakes/discord/`) as a process of its own, and the product apart as
it would be on a busy day: a bot at the gateway, a worker, a generation service that draws. 50
people do 500 things in 10 seconds, four of five of them `/imagine`, in their direct messages and
in threads, the fifth a button on a card; each at its time whether or not earlier ones were
acknowledged. Meanwhile five approvers put 100 emoji on 20 open reviews, which need five votes
each. 1 % of Discord's answers go wrong: half of them 429, a quarter 502, and of the last quarter
the answer to what was done is lost. Three times the gateway closes the connection (4000). Five
times the bot is killed with SIGKILL in the transaction of something that Discord has the
acknowledgement of, before its commit; it is started again at once. What was not acknowledged,
because the bot died before it or was not there, is done anew a second later, as people do: Discord
does not repeat it. Prints JSON:

- `interactions`, `reactions`: how many there were to be.
- `kills`: of processes between acknowledgement and commit: each was seen to be acknowledged at the
  Discord and to be killed in the job's transaction.
- `ack_p99_ms`: from the moment an interaction was due to its acknowledgement at the Discord, of
  all that were acknowledged. Goal: below 1000.
- `lost`: acknowledged interactions without a job in the records, such as were never acknowledged,
  and such as never got an answer after it.
- `duplicate_jobs`: jobs beyond one for each interaction.
- `duplicate_posts`: messages in Discord beyond one for each id, and beyond one card of a job or a
  review in a channel, once all is done and the processes are stopped.
- `missed_reactions`: emoji that never became a vote, those of the time without a bot included.

How often people did it anew, and what else happened, goes to stderr.
"""

import sys
from pathlib import Path

from tests.benchmarks.chat_parts.conduct import running
from tests.benchmarks.chat_parts.once import Figures, carried_out, found, options, printed
from tests.benchmarks.chat_parts.records import read_records
from tests.benchmarks.chat_parts.verdict import Verdict
from tests.benchmarks.discord_parts.plan import Wanted
from tests.benchmarks.discord_parts.platform import Discord, missed
from tests.chaos.conductor import say

SILENT = "The application did not respond"
"""What people read while no bot is there."""


async def measure(wanted: Wanted, folder: Path) -> tuple[Figures, Verdict]:
    """The figures and all findings; `folder` is made and filled."""
    discord = Discord(wanted)
    async with running(discord, wanted, folder) as run:
        verdict = await carried_out(run)
        facts, records = await run.ask(do="facts"), read_records(run.plan.database)
        unanswered, without = await discord.unanswered(run), missed(run, records)
    gateway = {name: facts[name] for name in ("identifies", "resumes")}
    say(f"Discord was asked: {facts['count']}; it refused: {facts['refused']}")
    say(f"the gateway closed {wanted.drops} times: {gateway}; posts: {records.posts}")
    verdict.lost += len(unanswered)
    verdict.findings += [f"interaction {key} was never answered" for key in unanswered]
    verdict.findings += [f"an emoji is no vote: {one}" for one in without]
    violations = [line for line in facts["violations"] if not line.startswith(SILENT)]
    verdict.findings += violations
    found(verdict.findings)
    first = {"interactions": wanted.interactions, "reactions": wanted.reactions}
    return {**first, **verdict.figures(), "missed_reactions": len(without)}, verdict


def main() -> int:
    """Run it once; 1 if a goal is missed."""
    parser = options(__doc__)
    parser.add_argument("--interactions", type=int, default=500)
    parser.add_argument("--drops", type=int, default=3)
    parser.add_argument("--replicas", type=int, default=1, help="bots at the gateway")
    given = parser.parse_args()
    wanted = Wanted(
        interactions=given.interactions,
        seconds=given.seconds,
        kills=given.kills,
        drops=given.drops,
        replicas=given.replicas,
    )

    async def measured(folder: Path) -> Figures:
        return (await measure(wanted, folder))[0]

    return printed(measured, given.keep, wanted.kills)


if __name__ == "__main__":
    sys.exit(main())
