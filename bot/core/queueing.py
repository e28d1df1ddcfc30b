"""Recipes become a queued job: the brief compiled by the kit, all of it stored in one transaction
with its reservation, its card and its line in the ledger."""

import secrets
from dataclasses import replace

from bot.core.caller import Caller
from bot.core.errors import Mistake, NotFound, Refused
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.jobs import INTERACTIVE, Job, JobItem
from bot.core.ledger import Event, Personal
from bot.core.messages import Card
from bot.core.policy import draft_place
from bot.core.ports import Signal, Transaction
from bot.core.restricting import check_open
from bot.core.reusing import earlier
from bot.core.spending import admit, note_hold
from bot.core.telling import tell_job
from brand.errors import BriefRefused
from brand.kit import BrandKit
from brand.loras import may_serve
from brand.spec import RenderSpec
from brand.staging import first_stage, recipe_of
from brand.templates import Brief, compile_brief

SEED_RANGE = 2**32  # what people know from other tools, and short enough to type


def compile_all(brief: Brief, kit: BrandKit) -> tuple[RenderSpec, ...]:
    """The recipes of all pictures of a brief. Raises Mistake with what the kit allows."""
    seed = brief.seed if brief.seed is not None else new_seed()
    try:
        if recipe := recipe_of(brief, kit):
            return first_stage(brief, kit, recipe, seed)
        return tuple(compile_brief(brief, kit, seed, index) for index in range(max(brief.n, 1)))
    except BriefRefused as exc:
        raise _as_mistake(exc) from exc


def _as_mistake(exc: BriefRefused) -> Mistake:
    """The kit's refusal as the mistake that people read."""
    return Mistake(
        str(exc),
        allowed=exc.allowed,
        nearest=getattr(exc, "suggestion", "") or getattr(exc, "alternative", ""),
        field=exc.field,
    )


def new_seed() -> int:
    """One that nobody asked for."""
    return secrets.randbelow(SEED_RANGE)


def wake(house: House) -> None:
    """Tell the workers and who sends cards."""
    house.signals.publish(Signal(topic="queue", kind="added", data={}))
    house.signals.publish(Signal(topic="outbox", kind="added", data={}))


async def queue(
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
    """Store the job; its card. Raises Refused for a LoRA or embedding that may not serve."""
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
        place=caller.actor.place,
        groups=tuple(sorted(caller.actor.groups)),
    )
    job = (await admit(house, tx, job, caller.person, kit)).job
    if not slot:
        await check_open(tx, kit, caller)
    await tx.jobs.add(job)
    if brief.pictures:
        await tx.uploads.use(caller.person.id, brief.pictures, job.id)
    await tx.ledger.append(_queued(job, caller, specs))
    await note_hold(house, tx, job, kit)
    return await tell_job(tx, job, kit, now)


def _queued(job: Job, caller: Caller, specs: tuple[RenderSpec, ...]) -> Event:
    return Event(
        action="job.queued",
        subject=f"job:{job.id}",
        at=job.created_at,
        actor=caller.person.id,
        brand=job.brand,
        facts={
            "kit": job.kit_hash,
            "template": job.brief.template,
            "specs": [spec.hash for spec in specs],
            "platform": caller.actor.platform,
            "source": job.source_asset,
            "slot": job.slot,
        },
        personal={"words": Personal(value=job.brief.words)},
    )


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
