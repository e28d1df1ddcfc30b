"""Commands that only look: the queue, one thing, the archive."""

from dataclasses import replace

from bot.core.assets import AssetQuery
from bot.core.caller import Caller, kit_for
from bot.core.cards import evidence_fields, picture_ref
from bot.core.commands import Find, Queue, Show
from bot.core.errors import Mistake, NotFound
from bot.core.house import House
from bot.core.lives import AssetState
from bot.core.messages import Audience, Card
from bot.core.policy import audience_of, has_part, may_handle
from bot.core.ports import Transaction
from bot.core.reproducing import recipe_fields
from bot.core.seeing import Sight
from bot.core.telling import current_job_card, current_review_card, name_of

FOUND_IN_CHAT = 10


async def queue(house: House, caller: Caller, command: Queue) -> Card:
    """What runs and what waits, with places; nothing of brands in which the caller has no part,
    though it takes its place."""
    async with house.store.read() as tx:
        jobs = await tx.jobs.unfinished(brand=command.brand)
        own = {kit.id for kit in await tx.kits.all() if has_part(kit, caller.person)}
        sight = Sight(tx, caller.person)
        rows = []
        for place, job in enumerate(jobs, start=1):
            if job.brand not in own:
                continue
            words = job.brief.words if await sight.job(job) else "…"
            who = await name_of(tx, job.requester)
            state = "held" if job.hold else job.state.value
            rows.append((str(place), state, who, words[:60], job.id))
    return Card(
        kind="list",
        title=f"Queue: {len(rows)}" if rows else "The queue is empty",
        columns=("place", "state", "who", "words", "job"),
        rows=tuple(rows),
        hint="" if rows else "/imagine a red mug on a wooden table",
        private=True,
    )


async def show(house: House, caller: Caller, command: Show) -> Card:
    """One job, review or asset by its id."""
    async with house.store.read() as tx:
        for find in (_job, _review, _asset):
            try:
                return await find(tx, caller, command.target)
            except NotFound:
                continue
    raise NotFound(
        f"There is no job, review or picture `{command.target[:40]}`.",
        fix="`/find WORDS` searches the archive.",
    )


async def _job(tx: Transaction, caller: Caller, target: str) -> Card:
    job = await tx.jobs.get(target)
    kit = await tx.kits.current(job.brand)
    if not await Sight(tx, caller.person).job(job):
        raise NotFound("not visible to this person")
    card = await current_job_card(tx, job, kit)
    return _private(card)


async def _review(tx: Transaction, caller: Caller, target: str) -> Card:
    review = await tx.reviews.get(target)
    kit = await tx.kits.current(review.brand)
    may_handle(kit, caller.person, review.requester)
    asset = await tx.assets.get(review.asset)
    return _private(await current_review_card(tx, review, asset, kit))


async def _asset(tx: Transaction, caller: Caller, target: str) -> Card:
    asset = await tx.assets.get(target)
    kit = await tx.kits.current(asset.brand)
    if not await Sight(tx, caller.person).asset(asset):
        raise NotFound("not visible to this person")
    reviews = await tx.reviews.of_asset(asset.id)
    place = caller.actor.channel
    alone = place is not None and audience_of(kit, place) is Audience.REQUESTER
    ref = picture_ref(asset, kit, reviews[0] if reviews else None, alone=alone)
    return Card(
        kind="reply",
        title=asset.words or "A picture",
        status=f"{asset.state.value.replace('_', ' ')} · {kit.name}",
        pictures=(ref,),
        fields=(*evidence_fields(asset.evidence), *recipe_fields(asset)),
        draft=asset.state is not AssetState.APPROVED,
        private=True,
    )


def _private(card: Card) -> Card:
    return replace(card, subject="", private=True)


async def find(house: House, caller: Caller, command: Find) -> Card:
    """The newest pictures that match, of those that this person may see."""
    try:
        states = (AssetState(command.state),) if command.state else ()
    except ValueError as exc:
        raise Mistake(
            f"`{command.state}` isn't a state of a picture.",
            allowed=tuple(state.value for state in AssetState),
        ) from exc
    async with house.store.read() as tx:
        kit = await kit_for(tx, command.brand, caller.actor)
        query = AssetQuery(brand=kit.id, text=command.text, states=states, limit=FOUND_IN_CHAT * 5)
        sight = Sight(tx, caller.person)
        found = await sight.only_visible(await tx.assets.find(query))
        found = found[:FOUND_IN_CHAT]
    title = f"{len(found)} found" if found else "Nothing found"
    return Card(
        kind="list",
        title=title + (f" for “{command.text}”" if command.text else ""),
        pictures=tuple(picture_ref(asset, kit) for asset in found),
        hint="" if found else "/imagine a red mug on a wooden table",
        private=True,
    )
