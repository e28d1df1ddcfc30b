"""What a run came to: counted from what was typed, from the records, and from what stands in
Slack."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.slack_parts.conduct import Run
from tests.benchmarks.slack_parts.records import Records, read_records


@dataclass
class Verdict:
    """The figures of a run, and every finding in words."""

    ack_ms: list[float]
    """Of all acknowledged tries, sorted."""
    kills: int
    lost: int = 0
    duplicate_jobs: int = 0
    duplicate_posts: int = 0
    findings: list[str] = field(default_factory=list)

    def ack(self, share: float) -> float:
        """The milliseconds within which this share was acknowledged."""
        return self.ack_ms[min(len(self.ack_ms) - 1, int(share * len(self.ack_ms)))]


def judge(run: Run, standing: list[dict[str, Any]]) -> Verdict:
    """Count everything, once the processes are stopped; `standing` is what Slack holds."""
    tries, records = run.tries(), read_records(run.plan.database)
    verdict = Verdict(
        ack_ms=sorted(tried["ms"] for tried in tries if tried["acked"]), kills=run.good_kills()
    )
    _judge_jobs(run, tries, records, verdict)
    _judge_posts(records, standing, verdict)
    return verdict


def _judge_jobs(run: Run, tries: list[dict[str, Any]], records: Records, verdict: Verdict) -> None:
    made = Counter(records.jobs.values())
    for tried in tries:
        jobs = made[tried["words"]]
        if tried["acked"] and not jobs:
            verdict.lost += 1
            verdict.findings.append(f"{tried['words']!r} was taken in and is no job")
        if jobs > 1:
            verdict.duplicate_jobs += jobs - 1
            verdict.findings.append(f"{tried['words']!r} became {jobs} jobs")
    acked = {tried["command"] for tried in tries if tried["acked"]}
    for number in set(range(run.wanted.commands)) - acked:
        verdict.lost += 1
        verdict.findings.append(f"command {number} was never acknowledged")


def _judge_posts(records: Records, standing: list[dict[str, Any]], verdict: Verdict) -> None:
    """By the message's own id, and by what it is a card of in that channel. A file that follows
    its card in a thread has no id; it is told by its name."""
    own = [message for message in standing if message["id"]]
    for key, times in Counter(message["id"] for message in own).items():
        if times > 1:
            verdict.duplicate_posts += times - 1
            verdict.findings.append(f"message {key} stands {times} times")
    ids = {message["id"]: message["channel"] for message in own}
    for key in ids.keys() - records.messages.keys():
        verdict.duplicate_posts += 1
        verdict.findings.append(f"message {key} stands there, and no record knows it")
    cards = Counter(
        (channel, records.messages[key][0])
        for key, channel in ids.items()
        if key in records.messages and records.messages[key][0]
    )
    for (channel, subject), times in cards.items():
        if times > 1:
            verdict.duplicate_posts += times - 1
            verdict.findings.append(f"{subject} has {times} cards in {channel}")
    stand = {subject for _, subject in cards}
    for job in records.jobs:
        if f"job:{job}" not in stand:
            verdict.findings.append(f"job {job} has no card in Slack")
