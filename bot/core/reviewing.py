"""From a candidate to a decision: sending to approval, votes, withdrawal, expiry.

A decision binds the pixel hash and the renditions' file hashes that the review names; the
publication that follows carries them, and publishing re-hashes what it sends.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.assets import Asset, Rendition
from bot.core.caller import Caller
from bot.core.captions import check_caption, posted_words
from bot.core.cards import channel_word, posted_rendition, published_rendition, reply_card
from bot.core.commands import Approve, AskChange, Reject, SendToApproval, TakeBack, Withdraw
from bot.core.errors import Conflict, Mistake, NotFound, StaleState
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.ledger import Event, Personal
from bot.core.lives import AssetState, ReviewState
from bot.core.messages import Card, ChannelRef
from bot.core.places import file_limit, place_of, settled
from bot.core.planning_digest import refresh_week
from bot.core.planning_slots import slot_approved, slot_of
from bot.core.policy import may_handle, may_take_back, outcome_of, stamp
from bot.core.ports import Signal, Transaction
from bot.core.publications import Publication
from bot.core.restricting import may_answer
from bot.core.reviews import MAX_REASON, Answer, Review, Vote
from bot.core.seeing import Sight
from bot.core.telling import current_review_card, line_to, say, tell_job, tell_review
from brand.kit import BrandKit
from brand.kit_rules import MIB

VOTED, TAKEN_BACK = "review.voted", "review.vote_taken_back"
VOTE_TRIES = 5
"""How often a vote begins anew because another one of the same review was first."""
ASSET_AFTER = {
    Answer.APPROVE: AssetState.APPROVED,
    Answer.REJECT: AssetState.REJECTED,
    Answer.CHANGE: AssetState.REJECTED,
}


async def send_to_approval(house: House, caller: Caller, command: SendToApproval) -> Card:
    """Open a review of an asset for one of the kit's channels."""
    now = house.clock.now()
    async with house.store.write() as tx:
        asset = await tx.assets.get(command.asset)
        kit = await tx.kits.current(asset.brand)
        may_handle(kit, caller.person, asset.requester)
        await Sight(tx, caller.person).check(asset)
        if asset.state is AssetState.DISCARDED:
            raise Conflict(
                "This picture did not pass the brand check, so it can't go to approval.",
                fix="Re-roll it, or edit the words.",
            )
        if asset.state is not AssetState.CANDIDATE:
            raise Conflict(f"This picture is {asset.state.value.replace('_', ' ')} already.")
        target = publish_target(kit, command.channel)
        _check_fits(asset, kit, target)
        check_caption(kit, command.caption, asset.words)
        review = await open_review(
            tx,
            asset,
            kit,
            target=target,
            caption=command.caption,
            actor=caller.person.id,
            now=now,
        )
        asset = await tx.assets.get(asset.id)
        card = await current_review_card(tx, review, asset, kit)
    _wake(house)
    return card


def _check_fits(asset: Asset, kit: BrandKit, target: ChannelRef) -> None:
    """Raises Conflict where no file of the picture is small enough for the channel: one made from
    now on has one that is, and it is that one that must be approved."""
    limit = file_limit(kit.channels, target)
    posted = published_rendition(asset, limit)
    if limit is not None and posted is not None and posted.bytes > limit:
        raise Conflict(
            f"The picture's smallest file has {posted.bytes / MIB:.1f} MB, and "
            f"{channel_word(kit, target)} takes {limit / MIB:.0f} MB.",
            fix="Re-roll it with the same seed: a new picture gets a smaller file too.",
        )


async def open_review(
    tx: Transaction,
    asset: Asset,
    kit: BrandKit,
    *,
    target: ChannelRef,
    actor: str,
    now: datetime,
    caption: str = "",
    deadline: datetime | None = None,
) -> Review:
    """Ask for approval of a candidate, in the caller's transaction, with its cards. `deadline`
    can only shorten the kit's. Raises Conflict where the asset has an open review."""
    last = now + timedelta(days=kit.review.expires_days)
    review = Review(
        id=new_id(),
        asset=asset.id,
        brand=asset.brand,
        requester=asset.requester,
        pixel_hash=asset.pixel_hash,
        rendition_hashes=tuple(r.file_hash for r in asset.renditions),
        target=target,
        opened_at=now,
        deadline=min(last, deadline) if deadline else last,
        quorum=kit.review.quorum,
        caption=caption,
    )
    await tx.reviews.add(review)
    asset = await tx.assets.update(replace(asset, state=AssetState.IN_REVIEW), was=asset)
    await tx.ledger.append(_event("review.opened", review, actor, now))
    await _tell_all(tx, review, asset, kit, now)
    return review


async def close_review(
    tx: Transaction, asset: Asset, kit: BrandKit, *, actor: str, now: datetime
) -> None:
    """Take an asset out of its open review or of use, in the caller's transaction."""
    reviews = await tx.reviews.of_asset(asset.id)
    asset = await tx.assets.update(replace(asset, state=AssetState.WITHDRAWN), was=asset)
    for review in reviews[:1]:
        if review.is_waiting:
            gone = replace(review, state=ReviewState.WITHDRAWN, decided_at=now)
            review = await tx.reviews.update(gone, was=review)
        await tx.ledger.append(_event("asset.withdrawn", review, actor, now))
        await _tell_all(tx, review, asset, kit, now)
    if not reviews:
        subject = f"asset:{asset.id}"
        event = Event(
            action="asset.withdrawn", subject=subject, at=now, actor=actor, brand=asset.brand
        )
        await tx.ledger.append(event)


async def vote(house: House, caller: Caller, command: Approve | Reject | AskChange) -> Card:
    """One person's answer. The first decision stands; whoever comes later is told so."""
    answer, reason = _answer(command)
    reaction = command.reaction if isinstance(command, Approve) else ""

    async def step(tx: Transaction, now: datetime) -> Card:
        return await _vote(house, tx, caller, command.review, answer, reason, reaction, now)

    return await _changed(house, command.review, step)


async def take_back(house: House, caller: Caller, command: TakeBack) -> Card:
    """Undo of one's own vote while the review is open: a decision stands."""

    async def step(tx: Transaction, now: datetime) -> Card:
        review = await _review(tx, command.review)
        may_take_back(caller.person, review)
        votes = tuple(vote for vote in review.votes if vote.person != caller.person.id)
        stored = await tx.reviews.update(replace(review, votes=votes), was=review)
        await tx.ledger.append(_event(TAKEN_BACK, stored, caller.person.id, now))
        asset = await tx.assets.get(stored.asset)
        return await _tell_all(tx, stored, asset, await tx.kits.current(stored.brand), now)

    return await _changed(house, command.review, step)


async def _changed(
    house: House, target: str, step: Callable[[Transaction, datetime], Awaitable[Card]]
) -> Card:
    """Change a review; what another vote got ahead of is tried again while the review waits."""
    for _ in range(VOTE_TRIES):
        try:
            async with house.store.write() as tx:
                card = await step(tx, house.clock.now())
        except StaleState as exc:
            # Two approvers at once: the compare-and-set let one through; say who it was.
            async with house.store.read() as tx:
                review = await _review(tx, target)
            if not review.is_waiting:
                raise Conflict(stamp(review) or "Someone else was faster.") from exc
        else:
            _wake(house)
            return card
    raise Conflict("Others vote on it at this very moment.", fix="Try again.")


async def voted_by_reaction(tx: Transaction, review: Review) -> dict[str, str]:
    """Person -> the message with the emoji, of those votes on this review that are emoji."""
    voters = {vote.person for vote in review.votes}
    newest: dict[str, str] = {}
    for event in await tx.ledger.recent(subject=f"review:{review.id}"):
        if event.action == VOTED and event.actor in voters:
            newest.setdefault(event.actor, str(event.facts.get("reaction", "")))
    return {person: message for person, message in newest.items() if message}


async def withdraw(house: House, caller: Caller, command: Withdraw) -> Card:
    """Take an asset back: out of its review, or out of use once approved."""
    now = house.clock.now()
    async with house.store.write() as tx:
        asset = await tx.assets.get(command.asset)
        kit = await tx.kits.current(asset.brand)
        may_handle(kit, caller.person, asset.requester)
        if asset.state is AssetState.WITHDRAWN:
            raise Conflict("This picture is withdrawn already.")
        await close_review(tx, asset, kit, actor=caller.person.id, now=now)
    _wake(house)
    return reply_card("Withdrawn", "The picture is out of use. It stays in the archive.")


async def expire_overdue(house: House) -> int:
    """Close open reviews whose deadline has passed; how many."""
    now = house.clock.now()
    async with house.store.read() as tx:
        late = await tx.reviews.overdue(now)
    for review in late:
        await _expire(house, review, now)
    return len(late)


async def _expire(house: House, review: Review, now: datetime) -> None:
    try:
        async with house.store.write() as tx:
            closed = await tx.reviews.update(
                replace(review, state=ReviewState.EXPIRED, decided_at=now), was=review
            )
            asset = await tx.assets.get(review.asset)
            asset = await tx.assets.update(replace(asset, state=AssetState.EXPIRED), was=asset)
            kit = await tx.kits.current(review.brand)
            await tx.ledger.append(_event("review.expired", closed, "system", now))
            await _tell_all(tx, closed, asset, kit, now)
    except StaleState:
        return  # decided in the last moment: that decision stands
    _wake(house)


async def _vote(
    house: House,
    tx: Transaction,
    caller: Caller,
    target: str,
    answer: Answer,
    reason: str,
    reaction: str,
    now: datetime,
) -> Card:
    review = await _review(tx, target)
    kit = await tx.kits.current(review.brand)
    right = may_answer(kit, caller, review, demo=house.demo)
    if review.deadline <= now:
        raise Conflict(f"This review ended on {review.deadline:%d %b %H:%M} UTC.")
    given = Vote(
        person=caller.person.id,
        name=caller.person.name,
        answer=answer,
        at=now,
        reason=reason,
        platform=caller.actor.platform,
        own_request=right.own_request,
    )
    votes = (*review.votes, given)
    outcome = outcome_of(review, votes)
    decided = outcome is not None
    new = replace(
        review,
        votes=votes,
        outcome=outcome,
        state=ReviewState.DECIDED if decided else review.state,
        decided_at=now if decided else None,
    )
    stored = await tx.reviews.update(new, was=review)
    await tx.ledger.append(_voted(stored, given, reaction, now))
    asset = await tx.assets.get(review.asset)
    if outcome is not None:
        asset = await tx.assets.update(replace(asset, state=ASSET_AFTER[outcome]), was=asset)
        await tx.ledger.append(_event("review.decided", stored, caller.person.id, now))
        if outcome is Answer.APPROVE:
            await _publish_next(tx, stored, asset, kit, caller, now)
        else:
            await _tell_requester(tx, stored, asset, given, now)
    return await _tell_all(tx, stored, asset, kit, now)


async def _review(tx: Transaction, target: str) -> Review:
    """By review id, or the newest review of an asset id."""
    try:
        return await tx.reviews.get(target)
    except NotFound:
        of_asset = await tx.reviews.of_asset(target)
        if not of_asset:
            raise NotFound(
                "There is no review with that id.", fix="Open the review board for what waits."
            ) from None
        return of_asset[0]


async def _publish_next(
    tx: Transaction, review: Review, asset: Asset, kit: BrandKit, caller: Caller, now: datetime
) -> None:
    rendition = posted_rendition(review, asset, kit)
    if review.target is None or rendition is None:
        return
    if await slot_approved(tx, review, asset, caller.person.id, now):
        if slot := await slot_of(tx, asset):
            await refresh_week(tx, slot, now)
        return  # the calendar posts it at its time, and not before
    target, by = settled(kit.channels, review.target), caller.person.id
    await tx.publications.add(post_for(review, asset, rendition, target, by, now))


def post_for(
    review: Review, asset: Asset, rendition: Rendition, target: ChannelRef, by: str, now: datetime
) -> Publication:
    """The post of what a review has approved, due at once. `by` is told if it fails."""
    return Publication(
        id=new_id(),
        asset=asset.id,
        review=review.id,
        brand=asset.brand,
        rendition=rendition.id,
        file_hash=rendition.file_hash,
        pixel_hash=rendition.pixel_hash,
        target=target,
        caption=posted_words(review, asset),
        requested_by=by,
        due_at=now,
        created_at=now,
    )


async def _tell_requester(
    tx: Transaction, review: Review, asset: Asset, given: Vote, now: datetime
) -> None:
    job = await tx.jobs.get(asset.job)
    # Where they asked, which may be another chat than where it was decided.
    platform = job.origin.platform if job.origin else given.platform
    places = (place for place in (job.origin, review.target) if place is not None)
    team = next((place.team for place in places if place.platform == platform), "")
    line = await line_to(tx, review.requester, platform, team)
    if line is None or review.requester == given.person:
        return
    said = f"Reason: {given.reason}" if given.reason else "No reason was given."
    what = "rejected" if given.answer is Answer.REJECT else "asks for a change of"
    card = reply_card(
        f"{given.name} {what} your picture",
        f"“{asset.words}”",
        said,
        fix="Edit the words or re-roll; the job's message has the buttons.",
    )
    await say(tx, card, line, now)


async def _tell_all(
    tx: Transaction, review: Review, asset: Asset, kit: BrandKit, now: datetime
) -> Card:
    await tell_job(tx, await tx.jobs.get(asset.job), kit, now)
    await tell_review(tx, review, asset, kit, now)
    return await current_review_card(tx, review, asset, kit)


def publish_target(kit: BrandKit, name: str) -> ChannelRef:
    """The kit's channel of that name (the first public one if empty). Raises Mistake."""
    channels = kit.publish_channels
    channel = kit.channel(name) if name else (channels[0] if channels else None)
    if channel is None or channel not in channels:
        raise Mistake(
            f"{kit.name} doesn't publish to `{name or 'any channel'}`.",
            allowed=tuple(item.name for item in channels),
            fix=f"Channels are named in the kit; ask {kit.owner}.",
        )
    return place_of(channel)


def _answer(command: Approve | Reject | AskChange) -> tuple[Answer, str]:
    if isinstance(command, Approve):
        return Answer.APPROVE, ""
    kind = Answer.REJECT if isinstance(command, Reject) else Answer.CHANGE
    reason = command.reason.strip()
    if len(reason) > MAX_REASON:
        raise Mistake(
            f"A reason has at most {MAX_REASON:,} characters, and this one has {len(reason):,}. "
            "Nothing was decided.",
            fix="Shorten it.",
            field="reason",
        )
    return kind, reason


def _event(action: str, review: Review, actor: str, now: datetime) -> Event:
    return Event(
        action=action,
        subject=f"review:{review.id}",
        at=now,
        actor=actor,
        brand=review.brand,
        facts={
            "asset": review.asset,
            "pixels": review.pixel_hash,
            "renditions": list(review.rendition_hashes),
            "outcome": review.outcome.value if review.outcome else "",
            "target": str(review.target or ""),
        },
    )


def _voted(review: Review, given: Vote, reaction: str, now: datetime) -> Event:
    return Event(
        action=VOTED,
        subject=f"review:{review.id}",
        at=now,
        actor=given.person,
        brand=review.brand,
        facts={
            "answer": given.answer.value,
            "own_request": given.own_request,
            "platform": given.platform,
            **({"reaction": reaction} if reaction else {}),
        },
        personal={"reason": Personal(value=given.reason)} if given.reason else {},
    )


def _wake(house: House) -> None:
    for topic in ("outbox", "publications", "reviews"):
        house.signals.publish(Signal(topic=topic, kind="changed", data={}))
