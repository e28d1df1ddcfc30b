"""What a run came to: counted from the records, from the platform's own log, and by the product's
own check of its archive."""

import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bot.app import open_house
from bot.core.archive import check_archive
from bot.core.assets import Asset, AssetQuery
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.lives import AssetState, JobState, PublicationState
from bot.core.publications import Publication
from brand.spec import sha256_hex
from tests.chaos.conductor import Run
from tests.chaos.plan import NAIVE, PUBLIC

EVERY = 1_000_000


@dataclass
class Verdict:
    """The figures of a run, and every finding in words."""

    posts: int = 0
    lost: int = 0
    duplicate_posts: int = 0
    corrupt_assets: int = 0
    ambiguous: int = 0
    repaired: int = 0
    cards_twice: int = 0
    naive_duplicate_posts: int = 0
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Records:
    """What the house knows."""

    jobs: list[Job]
    assets: list[Asset]
    publications: list[Publication]
    events: list[Event]


async def judge(run: Run) -> Verdict:
    """Count everything; the processes may be stopped already."""
    verdict = Verdict()
    async with open_house(run.plan.settings("bot"), generation=False) as house:
        records = await _records(house)
        async for finding in check_archive(house):
            if finding.problem:
                verdict.corrupt_assets += 1
                verdict.findings.append(f"{finding.file_hash[:12]}: {finding.problem}")
    log = _log(run)
    _judge_jobs(run, records, verdict)
    _judge_posts(run, records, log, verdict)
    actions = Counter(event.action for event in records.events)
    verdict.ambiguous = len(
        {e.subject for e in records.events if e.action == "publication.ambiguous"}
    )
    verdict.repaired = actions["publication.repaired"]
    naive = Counter(m["outgoing"] for m in log.values() if m["channel"] == NAIVE)
    verdict.naive_duplicate_posts = sum(count - 1 for count in naive.values())
    return verdict


async def _records(house: House) -> Records:
    async with house.store.read() as tx:
        jobs = list(await tx.jobs.recent(limit=EVERY))
        assets = list(await tx.assets.find(AssetQuery(limit=EVERY)))
        publications = [p for asset in assets for p in await tx.publications.of_asset(asset.id)]
        events = list(await tx.ledger.recent(limit=EVERY))
    return Records(jobs=jobs, assets=assets, publications=publications, events=events)


def _log(run: Run) -> dict[str, dict[str, Any]]:
    """The platform's messages as its own log leaves them: those that stand."""
    messages: dict[str, dict[str, Any]] = {}
    for line in (run.plan.folder / "chat.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["what"] == "delete":
            del messages[entry["id"]]
        elif entry["what"] != "event":
            messages[entry["id"]] = entry
    return messages


def _judge_jobs(run: Run, records: Records, verdict: Verdict) -> None:
    words = Counter(job.brief.words for job in records.jobs)
    for number in range(1, run.wanted.jobs + 1):
        said = f"a red mug number {number}"
        if words[said] != 1:
            verdict.lost += not words[said]
            verdict.findings.append(f"{said!r} became {words[said]} jobs")
    for job in records.jobs:
        if job.state is not JobState.DONE:
            verdict.lost += 1
            verdict.findings.append(f"job {job.id} is {job.state.value}: {job.error}")


def _judge_posts(
    run: Run, records: Records, log: dict[str, dict[str, Any]], verdict: Verdict
) -> None:
    standing: dict[str, list[dict[str, Any]]] = {}
    for message in log.values():
        if message["channel"] == PUBLIC:
            standing.setdefault(message["outgoing"], []).append(message)
    posted = {p.asset for p in records.publications if p.state is PublicationState.SENT}
    for asset in records.assets:
        if asset.state is not AssetState.REJECTED and asset.id not in posted:
            verdict.lost += 1
            verdict.findings.append(f"asset {asset.id} is {asset.state.value} and was not posted")
    for publication in records.publications:
        copies = standing.pop(publication.id, [])
        verdict.posts += bool(copies)
        verdict.duplicate_posts += max(0, len(copies) - 1)
        _judge_post(publication, copies, verdict)
    for key, copies in standing.items():
        verdict.duplicate_posts += len(copies)
        verdict.findings.append(f"{len(copies)} posts under {key}, which no record knows")
    cards = Counter(
        (m["channel"], m["card"].get("subject"))
        for m in log.values()
        if m["card"].get("subject") and m["channel"] != PUBLIC
    )
    verdict.cards_twice = sum(count - 1 for count in cards.values())


def _judge_post(publication: Publication, copies: list[dict[str, Any]], verdict: Verdict) -> None:
    name = f"publication {publication.id}"
    if publication.state is PublicationState.SENT and not copies:
        verdict.lost += 1
        verdict.findings.append(f"{name} is sent and stands nowhere")
    if len(copies) > 1:
        found = ", ".join(copy["id"] for copy in copies)
        verdict.findings.append(f"{name} stands {len(copies)} times: {found}")
    receipt = publication.receipt.message if publication.receipt else ""
    if len(copies) == 1 and receipt != copies[0]["id"]:
        verdict.findings.append(f"{name} stands as {copies[0]['id']}, its receipt says {receipt!r}")
    for copy in copies:
        if sha256_hex(base64.b64decode(copy["file"])) != publication.file_hash:
            verdict.corrupt_assets += 1
            verdict.findings.append(f"{name} was posted with other bytes")
