"""A brief becomes a job: checked against the kit, compiled, queued in one transaction."""

import secrets
from dataclasses import replace
from typing import Any

from bot.core.assets import Asset
from bot.core.caller import Caller, kit_for
from bot.core.commands import EditWords, Extend, Imagine, Reroll, Upscale, Vary
from bot.core.errors import Mistake, NotFound, Refused
from bot.core.house import House
from bot.core.ids import is_id, new_id
from bot.core.jobs import INTERACTIVE, OVERNIGHT, Job, JobItem
from bot.core.ledger import Event, Personal
from bot.core.lives import JobState
from bot.core.messages import Card
from bot.core.policy import MANAGERS, draft_place, may_handle, may_request
from bot.core.ports import Signal, Transaction
from bot.core.reusing import earlier
from bot.core.seeing import Sight
from bot.core.spending import admit, note_hold
from bot.core.staging import taken_up
from bot.core.telling import tell_job
from brand.errors import BriefRefused
from brand.kit import BrandKit
from brand.loras import may_serve
from brand.spec import InitImage, Outpaint, RenderSpec, SpecInvalid
from brand.staging import first_stage, recipe_of
from brand.templates import Brief, compile_brief

SEED_RANGE = 2**32  # what people know from other tools, and short enough to type
SUBTLE, STRONG = 0.35, 0.65  # img2img strength of a variation
STEP = 8  # sizes are multiples of so many pixels
NO_WAYS: dict[str, Any] = {
    "mask": None,
    "outpaint": None,
    "controls": (),
    "image_prompt": None,
    "highres": None,
}
"""What is left out of a recipe that begins from its own finished picture."""


async def imagine(house: House, caller: Caller, command: Imagine) -> Card:
    """Queue a brief. Raises Mistake, Refused or NotFound; then nothing was queued."""
    brief = await _referenced(house, caller, command.brief, command.brand)
    async with house.store.write() as tx:
        kit = await kit_for(tx, command.brand, caller.actor)
        may_request(kit, caller.person)
        specs = compile_all(brief, kit)
        card = await _queue(house, tx, caller, kit, brief, specs, job_id=command.as_job)
    _wake(house)
    return card


async def vary(house: House, caller: Caller, command: Vary) -> Card:
    """New pictures near an asset, by image to image from its own pixels."""
    async with house.store.write() as tx:
        asset, kit = await _source(tx, caller, command.asset)
        strength = STRONG if command.strong else SUBTLE
        spec = replace(
            asset.spec,
            seed=_new_seed(),
            upscale=1,
            init=InitImage(sha256=asset.file_hash, strength=strength),
            mask=None,
            outpaint=None,
        )
        card = await _queue_from(house, tx, caller, kit, asset, (spec,))
    _wake(house)
    return card


async def upscale(house: House, caller: Caller, command: Upscale) -> Card:
    """The same picture with more pixels: a new asset, which needs its own approval."""
    async with house.store.write() as tx:
        asset, kit = await _source(tx, caller, command.asset)
        spec = replace(
            asset.spec,
            width=asset.width,
            height=asset.height,
            upscale=command.factor,
            init=InitImage(sha256=asset.file_hash, strength=0.0),
            **NO_WAYS,
        )
        card = await _queue_from(house, tx, caller, kit, asset, (spec,))
    _wake(house)
    return card


async def extend(house: House, caller: Caller, command: Extend) -> Card:
    """The same picture going on over its edges, by its own words."""
    async with house.store.write() as tx:
        asset, kit = await _source(tx, caller, command.asset)
        if not kit.ways.outpaint:
            raise Refused(
                f"{kit.name}'s kit doesn't allow painting on over the edges.",
                fix=f"Ask {kit.owner} to write `outpaint = true` under [ways].",
            )
        spec = _extended(asset, command.sides or _quarters(asset.width))
        card = await _queue_from(house, tx, caller, kit, asset, (spec,))
    _wake(house)
    return card


def _quarters(width: int) -> Outpaint:
    side = max(width // 4 // STEP * STEP, STEP)
    return Outpaint(left=side, right=side)


def _extended(asset: Asset, sides: Outpaint) -> RenderSpec:
    try:
        return replace(
            asset.spec,
            seed=_new_seed(),
            width=asset.width + sides.left + sides.right,
            height=asset.height + sides.top + sides.bottom,
            upscale=1,
            init=InitImage(sha256=asset.file_hash, strength=1.0),
            **NO_WAYS | {"outpaint": sides},
        )
    except SpecInvalid as exc:
        raise Mistake(f"It can't go on that far: {exc}.", field="outpaint") from exc


async def reroll(house: House, caller: Caller, command: Reroll) -> Card:
    """The same brief again, under today's kit, with a new seed."""
    async with house.store.write() as tx:
        job = await _job_behind(tx, command.target)
        kit = await tx.kits.current(job.brand)
        may_request(kit, caller.person)
        may_handle(kit, caller.person, job.requester)
        if job.state in (JobState.FAILED, JobState.CANCELLED) and (left := taken_up(job)):
            card = await _take_up(house, tx, caller, job, left)
        else:
            brief = replace(job.brief, seed=None)
            card = await _queue(house, tx, caller, kit, brief, compile_all(brief, kit))
    _wake(house)
    return card


async def _take_up(
    house: House, tx: Transaction, caller: Caller, job: Job, left: tuple[JobItem, ...]
) -> Card:
    """Go on with a job in stages from the last one that was stored, under the kit it began with.

    Raises NotFound if a picture that it would go on from was erased."""
    kit = await tx.kits.get(job.kit_hash)
    for item in left:
        if (await tx.assets.get(item.parent)).is_erased:
            raise NotFound("A picture that it begins from was erased.", fix="Ask for it anew.")
    specs = tuple(item.spec for item in left)
    return await _queue(
        house, tx, caller, kit, job.brief, specs, source=job.source_asset, items=left
    )


async def edit_words(house: House, caller: Caller, command: EditWords, said: Imagine) -> Card:
    """Other words, the same seed. `said` is what the grammar read from the new text."""
    async with house.store.read() as tx:
        brand = (await tx.assets.get(command.asset)).brand
    said_brief = await _referenced(house, caller, said.brief, brand)
    async with house.store.write() as tx:
        asset, kit = await _source(tx, caller, command.asset)
        seed = said.brief.seed if said.brief.seed is not None else asset.spec.seed
        brief = replace(said_brief, seed=seed)
        card = await _queue(house, tx, caller, kit, brief, compile_all(brief, kit), source=asset.id)
    _wake(house)
    return card


async def queue_for_slot(
    house: House, tx: Transaction, caller: Caller, kit: BrandKit, brief: Brief, slot: str
) -> str:
    """Queue the brief of a calendar slot behind what people wait for; the job's id. No card goes
    out: the slot has its own. Raises as `imagine`."""
    if not caller.person.roles_in(kit.id) & MANAGERS:  # who may plan needs no further right
        may_request(kit, caller.person)
    job_id, specs = new_id(), compile_all(brief, kit)
    await _queue(house, tx, caller, kit, brief, specs, job_id=job_id, slot=slot, priority=OVERNIGHT)
    return job_id


def compile_all(brief: Brief, kit: BrandKit) -> tuple[RenderSpec, ...]:
    """The recipes of all pictures of a brief. Raises Mistake with what the kit allows."""
    seed = brief.seed if brief.seed is not None else _new_seed()
    try:
        if recipe := recipe_of(brief, kit):
            return first_stage(brief, kit, recipe, seed)
        return tuple(compile_brief(brief, kit, seed, index) for index in range(max(brief.n, 1)))
    except BriefRefused as exc:
        raise as_mistake(exc) from exc


def as_mistake(exc: BriefRefused) -> Mistake:
    """The kit's refusal as the mistake that people read."""
    return Mistake(
        str(exc),
        allowed=exc.allowed,
        nearest=getattr(exc, "suggestion", "") or getattr(exc, "alternative", ""),
        field=exc.field,
    )


def _new_seed() -> int:
    return secrets.randbelow(SEED_RANGE)


def _wake(house: House) -> None:
    house.signals.publish(Signal(topic="queue", kind="added", data={}))
    house.signals.publish(Signal(topic="outbox", kind="added", data={}))


async def _referenced(house: House, caller: Caller, brief: Brief, brand: str) -> Brief:
    """The brief with its pictures named by their files; people may name one by its id."""
    found: dict[str, str] = {}
    if brief.pictures:
        async with house.store.read() as tx:
            kit = await kit_for(tx, brand, caller.actor)
            sight = Sight(tx, caller.person)
            for name in brief.pictures:
                found[name] = await _file_of(tx, sight, kit, name)
    for file in found.values():
        if not file or not await house.blobs.exists(file):
            raise NotFound("The reference picture isn't here any more.", fix="Attach it again.")
    return brief.with_pictures(lambda name: found[name])


async def _file_of(tx: Transaction, sight: Sight, kit: BrandKit, name: str) -> str:
    """The SHA-256 of a picture's file, which was uploaded or is one of this brand's pictures that
    the person may see: whoever knows a hash has no right by it. Raises NotFound."""
    assets = [await tx.assets.get(name)] if is_id(name) else await tx.assets.with_file(name)
    for asset in assets:
        if asset.brand == kit.id and await sight.asset(asset):
            return asset.file_hash if is_id(name) else name
    if assets:
        raise NotFound(
            f"There is no picture `{name[:22]}` in {kit.name}'s archive.",
            fix="`/find WORDS` searches the archive; a picture from elsewhere can be attached.",
        )
    return name


async def _source(tx: Transaction, caller: Caller, asset_id: str) -> tuple[Asset, BrandKit]:
    asset = await tx.assets.get(asset_id)
    kit = await tx.kits.current(asset.brand)
    may_request(kit, caller.person)
    may_handle(kit, caller.person, asset.requester)
    if asset.is_erased:
        raise NotFound("This picture was erased with the person who asked for it.")
    return asset, kit


async def _job_behind(tx: Transaction, target: str) -> Job:
    try:
        return await tx.jobs.get(target)
    except NotFound:
        return await tx.jobs.get((await tx.assets.get(target)).job)


async def _queue_from(
    house: House,
    tx: Transaction,
    caller: Caller,
    kit: BrandKit,
    asset: Asset,
    specs: tuple[RenderSpec, ...],
) -> Card:
    # Its recipe's stages were gone through: what is made of the picture has none.
    brief = replace((await tx.jobs.get(asset.job)).brief, n=len(specs), recipe="")
    return await _queue(house, tx, caller, kit, brief, specs, source=asset.id)


async def _queue(
    house: House,
    tx: Transaction,
    caller: Caller,
    kit: BrandKit,
    brief: Brief,
    specs: tuple[RenderSpec, ...],
    *,
    source: str = "",
    job_id: str = "",
    slot: str = "",
    priority: int = INTERACTIVE,
    items: tuple[JobItem, ...] = (),
) -> Card:
    await _loras_may_serve(tx, kit, specs)
    if recipe := recipe_of(brief, kit):  # later stages look it up by its very name
        brief = replace(brief, recipe=recipe.name)
    now = house.clock.now()
    asked_in = None if brief.private else caller.actor.channel
    job = Job(
        id=job_id or new_id(),
        brand=kit.id,
        kit_version=kit.version,
        kit_hash=kit.hash,
        requester=caller.person.id,
        brief=brief,
        items=items or await _items(tx, kit, brief, specs),
        created_at=now,
        updated_at=now,
        origin=None if slot else draft_place(kit, asked_in, caller.line),
        private=brief.private,
        priority=priority,
        slot=slot,
        source_asset=source,
        trail=house.watch.trail(),
    )
    job = (await admit(house, tx, job, caller.person, kit)).job
    await tx.jobs.add(job)
    await tx.ledger.append(
        Event(
            action="job.queued",
            subject=f"job:{job.id}",
            at=now,
            actor=caller.person.id,
            brand=kit.id,
            facts={
                "kit": kit.hash,
                "template": brief.template,
                "specs": [spec.hash for spec in specs],
                "platform": caller.actor.platform,
                "source": source,
                "slot": slot,
            },
            personal={"words": Personal(value=brief.words)},
        )
    )
    await note_hold(house, tx, job, kit)
    return await tell_job(tx, job, kit, now)


async def _items(
    tx: Transaction, kit: BrandKit, brief: Brief, specs: tuple[RenderSpec, ...]
) -> tuple[JobItem, ...]:
    """One for each recipe, with the earlier picture that it need not be rendered for again."""
    return tuple(
        [
            JobItem(
                index=index,
                spec=spec,
                render_id=new_id(),
                reuse="" if brief.fresh else await earlier(tx, kit.id, spec),
            )
            for index, spec in enumerate(specs)
        ]
    )


async def _loras_may_serve(tx: Transaction, kit: BrandKit, specs: tuple[RenderSpec, ...]) -> None:
    for use in {use for spec in specs for use in spec.loras}:
        try:
            approved = may_serve(await tx.loras.get(kit.id, use.sha256))
        except NotFound:
            approved = False
        if not approved:
            raise Refused(
                f"The LoRA {use.name or use.sha256[:12]} isn't approved for {kit.name}.",
                fix=f"Ask {kit.owner} to have it approved, or add `--lora none`.",
            )
    listed = {embedding.sha256 for embedding in kit.embeddings}
    for word in {word for spec in specs for word in spec.embeddings}:
        if word.sha256 not in listed:  # a recipe made again after the kit has changed
            raise Refused(
                f"The embedding {word.name or word.sha256[:12]} isn't approved for {kit.name}.",
                fix=f"Ask {kit.owner} to list it, or leave `{word.token}` out.",
            )
