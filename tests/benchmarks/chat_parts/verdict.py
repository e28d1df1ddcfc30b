"""What a run came to: counted from what people did, from the records, and from what stands in the
chat."""

from collections import Counter
from dataclasses import dataclass, field

from tests.benchmarks.chat_parts.conduct import Run
from tests.benchmarks.chat_parts.records import Records, read_records
from tests.benchmarks.chat_parts.tries import Try

ACK_GOAL_MS = 1000.0


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

    def figures(self) -> dict[str, float]:
        """What every run says."""
        return {
            "kills": self.kills,
            "ack_p99_ms": round(self.ack(0.99), 1),
            "lost": self.lost,
            "duplicate_jobs": self.duplicate_jobs,
            "duplicate_posts": self.duplicate_posts,
        }


def good(figures: dict[str, float], kills: int) -> bool:
    """Whether a run reaches the goals."""
    allowed = {"kills", "ack_p99_ms"}
    must_be_zero = ("lost", "duplicate_jobs", "duplicate_posts", "missed_reactions")
    return (
        not any(figures.get(name) for name in must_be_zero if name not in allowed)
        and figures["kills"] >= kills
        and figures["ack_p99_ms"] < ACK_GOAL_MS
    )


async def judge(run: Run) -> Verdict:
    """Count everything, once the processes are stopped."""
    tries, records = run.tries(), read_records(run.plan.database)
    verdict = Verdict(
        ack_ms=sorted(tried.ms for tried in tries if tried.acked), kills=run.good_kills()
    )
    _judge_jobs(run, tries, records, verdict)
    _judge_posts(records, await run.platform.standing(run), verdict)
    return verdict


def _judge_jobs(run: Run, tries: list[Try], records: Records, verdict: Verdict) -> None:
    came_of = {job: run.made().get(job, "") for job in records.jobs}
    made = Counter(came_of.values())
    for tried in tries:
        jobs, name = made[tried.trigger], tried.words or tried.trigger
        if tried.acked and not jobs:
            verdict.lost += 1
            verdict.findings.append(f"{name!r} was taken in and is no job")
        if jobs > 1:
            verdict.duplicate_jobs += jobs - 1
            verdict.findings.append(f"{name!r} became {jobs} jobs")
    for job, trigger in came_of.items():
        if not trigger:
            verdict.duplicate_jobs += 1
            verdict.findings.append(f"job {job} came of nothing that anybody did")
    acked = {tried.deed for tried in tries if tried.acked}
    for number in set(range(run.wanted.deeds)) - acked:
        verdict.lost += 1
        verdict.findings.append(f"deed {number} was never acknowledged")


def _judge_posts(records: Records, standing: list[tuple[str, str]], verdict: Verdict) -> None:
    """By the message's own id, and by what it is a card of in that channel. A file that follows
    its card in a thread has no id; it is told by its name."""
    own = [(key, channel) for key, channel in standing if key]
    for key, times in Counter(key for key, _ in own).items():
        if times > 1:
            verdict.duplicate_posts += times - 1
            verdict.findings.append(f"message {key} stands {times} times")
    ids = dict(own)
    for key in ids.keys() - records.messages.keys() - records.posts.keys():
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
            verdict.findings.append(f"job {job} has no card in the chat")
    for key in records.posts.keys() - ids.keys():
        verdict.findings.append(f"post {key} does not stand in the chat")
