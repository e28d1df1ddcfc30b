"""Bring the cards of a thing up to date: outbox rows in the transaction of its change."""

from dataclasses import replace
from datetime import datetime

from bot.core.assets import Asset
from bot.core.cards import job_card, review_card
from bot.core.errors import NotFound
from bot.core.ids import new_id
from bot.core.jobs import Job
from bot.core.lives import JOB_STEPS, JobState
from bot.core.messages import Audience, Card, ChannelRef
from bot.core.places import place_of, settled
from bot.core.planning_slots import slot_time
from bot.core.policy import audience_of, direct_line
from bot.core.ports import Outgoing, Transaction
from bot.core.reviews import Review
from brand.kit import BrandKit
from brand.spec import LoraUse

MOVED = "Moved to direct messages"
WHY_MOVED = "This channel is public now, and drafts are not shown in public."
GONE = "Not shown here any more"
WHY_GONE = "This account is no longer that of the member who asked for it."
CARD_DELETED = "card.deleted"
RECENT_JOBS = 20  # enough for a stable mean of seconds a job


async def say(tx: Transaction, card: Card, to: ChannelRef, now: datetime) -> None:
    """Queue a card for a channel; the last card of the same subject there is replaced."""
    await tx.outbox.add(Outgoing(id=new_id(), target=to, card=card, created_at=now))


async def name_of(tx: Transaction, person_id: str) -> str:
    """A person's display name; a plain word where they are gone."""
    return await tx.people.name(person_id) or "someone"


async def line_to(
    tx: Transaction, person_id: str, platform: str, team: str = ""
) -> ChannelRef | None:
    """A person's direct line on that platform, in that workspace of it, or on any; None if they
    have none, or have left."""
    try:
        person = await tx.people.get(person_id)
    except NotFound:
        return None
    identities = person.identities if person.active else ()
    chosen = sorted(
        identities, key=lambda one: (one.platform != platform, bool(team) and one.team != team)
    )
    if not chosen:
        return None
    return direct_line(chosen[0].platform, chosen[0].user, chosen[0].team)


async def seconds_each(tx: Transaction, brand: str) -> float | None:
    """Mean device seconds of this brand's recent finished jobs; None before the first."""
    pace = await tx.jobs.pace(brand, of=RECENT_JOBS)
    return pace.seconds / pace.jobs if pace.jobs else None


async def current_job_card(tx: Transaction, job: Job, kit: BrandKit) -> Card:
    """The job's card as things stand."""
    assets = await tx.assets.of_job(job.id)
    reviews = {}
    for asset in assets:
        of_asset = await tx.reviews.of_asset(asset.id)
        if of_asset:
            reviews[asset.id] = of_asset[0]
    waits = job.state is JobState.QUEUED and not job.hold and not job.is_paused
    place = await tx.jobs.place(job.id) if waits else None
    return job_card(
        job,
        kit,
        who=await name_of(tx, job.requester),
        assets=assets,
        reviews=reviews,
        place=place,
        seconds_each=await seconds_each(tx, job.brand) if place else None,
    )


async def tell_job(tx: Transaction, job: Job, kit: BrandKit, now: datetime) -> Card:
    """Queue the job's card for where it may stand, unless it was taken out there; returns it."""
    place = await job_place(tx, job)
    card = await current_job_card(tx, replace(job, origin=place), kit)
    if not await _was_deleted(tx, job):
        await say_of_job(tx, job, card, place, now)
    return card


async def _was_deleted(tx: Transaction, job: Job) -> bool:
    """Only what is over is taken out (see removing); its pictures live on."""
    if JOB_STEPS[job.state]:
        return False
    events = await tx.ledger.recent(subject=f"job:{job.id}")
    return any(event.action == CARD_DELETED for event in events)


async def job_place(tx: Transaction, job: Job) -> ChannelRef | None:
    """Where the job's card may stand by the kit that is in force now: where it was asked for, or
    the requester's direct line once that channel is public, or the account no longer theirs. None
    if it was asked for nowhere, or the requester has no line."""
    if job.origin is None:
        return None
    kit = await tx.kits.current(job.brand)
    audience = audience_of(kit, settled(kit.channels, job.origin))
    if audience is Audience.WORKING or (
        audience is Audience.REQUESTER and await _is_theirs(tx, job.requester, job.origin)
    ):
        return job.origin
    return await line_to(tx, job.requester, job.origin.platform, job.origin.team)


async def _is_theirs(tx: Transaction, person_id: str, line: ChannelRef) -> bool:
    """Whether this direct line is still an account of that member."""
    person = await tx.people.get(person_id)
    users = {(one.platform, one.user) for one in person.identities if person.active}
    return (line.platform, line.channel.removeprefix("@")) in users


async def say_of_job(
    tx: Transaction, job: Job, card: Card, place: ChannelRef | None, now: datetime
) -> None:
    """Queue a card of the job for its `job_place`. Where that is no longer where it was asked
    for, the card there loses its draft and its words."""
    if place is not None:
        await say(tx, card, place, now)
    if job.origin is not None and place != job.origin:
        # Also takes the place of a card that waits to be sent there.
        direct = job.origin.channel.startswith("@")
        title, why = (GONE, WHY_GONE) if direct else (MOVED, WHY_MOVED)
        moved = Card(kind="reply", subject=card.subject, title=title, lines=(why,))
        await say(tx, moved, job.origin, now)


async def current_review_card(tx: Transaction, review: Review, asset: Asset, kit: BrandKit) -> Card:
    """The review's card as things stand."""
    publications = [p for p in await tx.publications.of_asset(asset.id) if p.review == review.id]
    loras = [await _lora_name(tx, asset, kit, use) for use in asset.spec.loras]
    return review_card(
        review,
        asset,
        kit,
        who=await name_of(tx, review.requester),
        publication=publications[0] if publications else None,
        slot_time=await slot_time(tx, asset),
        loras=loras,
    )


async def _lora_name(tx: Transaction, asset: Asset, kit: BrandKit, use: LoraUse) -> str:
    """`name@version` by the record, or the kit; else what the recipe calls it."""
    try:
        return (await tx.loras.get(asset.brand, use.sha256)).id
    except NotFound:
        named = (f"{a.name}@{a.version}" for a in kit.lora.approved if a.sha256 == use.sha256)
        return next(named, use.name or use.sha256[:8])


async def tell_review(
    tx: Transaction, review: Review, asset: Asset, kit: BrandKit, now: datetime
) -> Card:
    """Queue the review's card for the brand's working channels, or for each approver's
    direct line where the kit has none; returns it."""
    card = await current_review_card(tx, review, asset, kit)
    for place in await review_places(tx, kit, review.target):
        await say(tx, card, place, now)
    return card


async def review_places(
    tx: Transaction, kit: BrandKit, target: ChannelRef | None
) -> list[ChannelRef]:
    """Where the cards of a review for this target stand."""
    working = [place_of(channel) for channel in kit.working_channels]
    if working:
        return working
    lines = []
    platform, team = (target.platform, target.team) if target else ("", "")
    for person in await tx.people.all():
        if kit.review.allows_approval(person.id, person.roles_in(kit.id)):
            line = await line_to(tx, person.id, platform, team)
            lines += [line] if line else []
    return lines
