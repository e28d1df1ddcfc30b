"""Things of the house as the API shows them."""

from bot.core.assets import Asset, Rendition
from bot.core.cards import brief_title
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.lives import JOB_STEPS
from bot.core.reviews import Review
from bot.web.api.answered import (
    AspectOut,
    BrandOut,
    FileOut,
    ItemOut,
    JobOut,
    PictureOut,
    ProgressOut,
    ReviewOut,
    TemplateOut,
    VariableOut,
    VoteOut,
)
from brand.kit import BrandKit


def has_ended(job: Job) -> bool:
    """Whether nothing more comes of it."""
    return not JOB_STEPS[job.state]


def job_out(house: House, job: Job) -> JobOut:
    """A job as it stands."""
    return JobOut(
        id=job.id,
        brand=job.brand,
        state=job.state,
        held=job.held_why or None if job.hold else None,
        paused_at=job.paused_at if job.is_paused else None,
        words=brief_title(job.brief),
        template=job.brief.template,
        created_at=job.created_at,
        updated_at=job.updated_at,
        progress=None if has_ended(job) else progress_of(house, job.id),
        items=[
            ItemOut(
                index=item.index,
                seed=item.spec.seed,
                attempt=item.attempt,
                change=item.change,
                picture=item.asset or None,
            )
            for item in job.items
        ],
        error=job.error or None,
        reference=job.error_reference or None,
        href=f"/v1/jobs/{job.id}",
        events=f"/v1/jobs/{job.id}/events",
    )


def progress_of(house: House, job_id: str) -> ProgressOut | None:
    """How far it is; None where it does not run in this process."""
    live = house.live.get(job_id)
    if live is None:
        return None
    return ProgressOut(
        fraction=round(live.fraction, 4),
        place=live.place,
        eta_s=live.eta_s,
        picture=live.picture,
        pictures=live.pictures,
    )


def picture_out(asset: Asset) -> PictureOut:
    """A picture with its files."""
    return PictureOut(
        id=asset.id,
        job=asset.job,
        brand=asset.brand,
        index=asset.index,
        state=asset.state,
        words=asset.words,
        template=asset.template,
        width=asset.width,
        height=asset.height,
        seed=asset.spec.seed,
        prompt=asset.spec.prompt,
        recipe=asset.spec.hash,
        reproduction_class=asset.reproduction.id,
        pixel_hash=asset.pixel_hash,
        parent=asset.parent or None,
        change=asset.change,
        seconds=asset.seconds,
        cost=str(asset.cost) if asset.cost else None,
        created_at=asset.created_at,
        passed=asset.evidence.passed,
        evidence=[verdict.to_dict() for verdict in asset.evidence.verdicts],
        files=[_file_out(asset, rendition) for rendition in asset.renditions],
        href=f"/v1/pictures/{asset.id}",
    )


def _file_out(asset: Asset, rendition: Rendition) -> FileOut:
    return FileOut(
        transform=rendition.transform,
        mime=rendition.mime,
        bytes=rendition.bytes,
        width=rendition.width,
        height=rendition.height,
        sha256=rendition.file_hash,
        href=f"/v1/pictures/{asset.id}/files/{rendition.transform}",
    )


def review_out(review: Review) -> ReviewOut:
    """A review with its votes."""
    return ReviewOut(
        id=review.id,
        picture=review.asset,
        brand=review.brand,
        state=review.state,
        outcome=review.outcome,
        channel=str(review.target) if review.target else None,
        caption=review.caption,
        quorum=review.quorum,
        opened_at=review.opened_at,
        deadline=review.deadline,
        votes=[
            VoteOut(
                person=vote.person,
                name=vote.name,
                answer=vote.answer,
                at=vote.at,
                reason=vote.reason,
            )
            for vote in review.votes
        ],
    )


def brand_out(kit: BrandKit) -> BrandOut:
    """What a kit allows."""
    defaults = kit.generation
    return BrandOut(
        id=kit.id,
        name=kit.name,
        kit_version=kit.version,
        kit_hash=kit.hash,
        model=defaults.model,
        aspects=[AspectOut(name=a.name, width=a.width, height=a.height) for a in defaults.aspects],
        samplers=list(defaults.samplers),
        sampler=defaults.sampler,
        steps=defaults.steps,
        max_steps=defaults.max_steps,
        cfg=defaults.cfg,
        max_cfg=defaults.max_cfg,
        max_count=defaults.max_count,
        loras=sorted({lora.name for lora in kit.lora.approved}),
        channels=[channel.name for channel in kit.publish_channels],
        templates=[
            TemplateOut(
                name=template.name,
                version=template.version,
                description=template.description,
                text=template.text,
                aspect=template.aspect,
                variables=[
                    VariableOut(name=v.name, values=list(v.values), default=v.default)
                    for v in template.variables
                ],
            )
            for template in kit.templates
        ],
    )
