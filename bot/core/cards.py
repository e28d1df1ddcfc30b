"""What we say, as cards. Facts in the same order everywhere: what, why, what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.core.actions import action
from bot.core.assets import Asset, Rendition
from bot.core.captions import posted_words
from bot.core.errors import HousestyleError, Mistake
from bot.core.jobs import Job, QueuePlace
from bot.core.lives import AssetState, JobState, PublicationState, ReviewState
from bot.core.messages import (
    Audience,
    Button,
    Card,
    ChannelRef,
    Field,
    PictureRef,
    Style,
    Swatch,
)
from bot.core.picture_buttons import picture_buttons
from bot.core.places import file_limit, is_at, settled
from bot.core.policy import audience_of, stamp
from bot.core.publications import Publication
from bot.core.reviews import Answer, Review
from brand.kit import BrandKit
from brand.kit_rules import MIB
from brand.templates import Brief
from brand.verdicts import Evidence, Verdict

REUSED = "same recipe as an earlier picture, not rendered again"
GATE_LABELS = {"near_duplicate": "seen before", "banned_words": "words"}
PAUSED = "paused"
"""The state word of a card about a job that somebody paused."""


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th ..."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def pictures(count: int) -> str:
    """ "1 picture", "3 pictures"."""
    return f"{count} picture{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """ "6.1 s", "40 s", "3 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def evidence_fields(evidence: Evidence) -> tuple[Field, ...]:
    """One field per gate, with its numbers and swatches."""
    return tuple(_verdict_field(verdict) for verdict in evidence.verdicts)


def _verdict_field(verdict: Verdict) -> Field:
    swatches = tuple(
        Swatch(name=s.name, hex=s.hex, share=s.share, wanted=s.wanted) for s in verdict.swatches
    )
    label = GATE_LABELS.get(verdict.name, verdict.name.replace("_", " "))
    return Field(label=label, value=verdict.summary, swatches=swatches, ok=verdict.passed)


def quiet_line(asset: Asset) -> str:
    """The one quiet line under a picture: "seed 42 · LoRA acme · 6.1 s · 0.2 ct"."""
    loras = [f"LoRA {use.name or use.sha256[:8]} × {use.weight:g}" for use in asset.spec.loras]
    cost = [str(asset.cost)] if asset.cost else []
    took = REUSED if asset.reused else duration(asset.seconds)
    return " · ".join([f"seed {asset.spec.seed}", *loras, took, *cost])


def alt_text(asset: Asset, kit: BrandKit) -> str:
    """What a screen reader says of the picture."""
    draft = "" if asset.state is AssetState.APPROVED else "draft, "
    return f"{kit.name}: {asset.words or asset.spec.prompt} ({draft}picture {asset.index + 1})"[
        :1000
    ]


def channel_word(kit: BrandKit, place: ChannelRef) -> str:
    """A place as people know it: the kit's name of the channel, with its #."""
    place = settled(kit.channels, place)
    name = next((item.name for item in kit.channels if is_at(item, place)), place.channel)
    return f"#{name.removeprefix('#')}"


def shown_blob(asset: Asset) -> str:
    """The file that chats and pages show: the first published form, else the master."""
    labelled = [r for r in asset.renditions if r.transform != "master"]
    return labelled[0].file_hash if labelled else asset.file_hash


def published_rendition(asset: Asset, limit: int | None = None) -> Rendition | None:
    """The rendition that goes out where files have at most `limit` bytes: the first listed one
    that fits and is not the master; the smallest where none fits."""
    listed = [r for r in asset.renditions if r.transform != "master"]
    fitting = (r for r in listed if limit is None or r.bytes <= limit)
    return next(fitting, None) or min(listed, key=lambda r: r.bytes, default=None)


def posted_rendition(review: Review, asset: Asset, kit: BrandKit) -> Rendition | None:
    """The rendition that goes out once this review approves it."""
    return published_rendition(asset, file_limit(kit.channels, review.target))


def picture_ref(
    asset: Asset, kit: BrandKit, review: Review | None = None, *, alone: bool = False
) -> PictureRef:
    """A picture of a job card; `alone`: in the requester's own line."""
    notes = {
        AssetState.DISCARDED: "Did not pass the brand check",
        AssetState.IN_REVIEW: "Sent to approval",
        AssetState.REJECTED: stamp(review) if review else "Rejected",
        AssetState.APPROVED: stamp(review) if review else "Approved",
        AssetState.EXPIRED: "The review expired",
        AssetState.WITHDRAWN: "Withdrawn",
        AssetState.CANDIDATE: "",
    }
    said = " · ".join(part for part in (notes[asset.state], asset.change) if part)
    return PictureRef(
        asset=asset.id,
        blob=shown_blob(asset),
        alt=alt_text(asset, kit),
        width=asset.width,
        height=asset.height,
        number=asset.index + 1,
        draft=asset.state is not AssetState.APPROVED,
        buttons=picture_buttons(asset, kit, review, alone=alone),
        fields=evidence_fields(asset.evidence),
        caption=" — ".join(part for part in (said, quiet_line(asset)) if part),
    )


def _queue_status(place: QueuePlace | None, seconds_each: float | None) -> str:
    if place is None:
        return "Queued. I'll update this message."
    where = "next in line" if place.ahead == 0 else f"{ordinal(place.ahead + 1)} in line"
    about = f", about {duration(seconds_each * (place.ahead + 1))}" if seconds_each else ""
    return f"Queued, {where}{about}. I'll update this message."


def job_status(
    job: Job,
    place: QueuePlace | None = None,
    seconds_each: float | None = None,
    discarded: int = 0,
) -> str:
    """The state line of a job as people read it; `discarded` of its pictures failed a gate."""
    if job.is_paused:
        begun = " while it was rendered" if job.state is JobState.RENDERING else ""
        return f"Paused{begun}. It waits until it is resumed, for 24 hours at most."
    if job.state is JobState.QUEUED and job.hold:
        return f"Held: {job.held_why}"
    if job.state is JobState.QUEUED:
        retry = next((item.change for item in job.items if item.attempt > 1), "")
        again = f"Trying once more ({retry}). " if retry else ""
        number = max((item.stage for item in job.items), default=0)
        again = again or (f"Stage {number} is done. " if number else "")
        return again + _queue_status(place, seconds_each)
    if job.state is JobState.RENDERING:
        return f"Rendering {pictures(len(job.pending))}"
    if job.state is JobState.CHECKING:
        return "Checking against the brand"
    if job.state is JobState.FAILED:
        return f"Failed: {job.error}"
    if job.state is JobState.CANCELLED:
        why = f" {job.error}" if job.error else ""
        return f"Cancelled.{why} Nothing was posted."
    made = len(job.items)
    took = f" in {duration(job.seconds)}" if job.seconds else ""  # the archive's pixels take none
    if discarded:
        passed = "None passes" if discarded == made else f"{made - discarded} of {made} pass"
        return f"Done{took}. {passed} the brand check: re-roll or edit words."
    return f"Done: {pictures(made)}{took}"


def brief_title(brief: Brief) -> str:
    """What was asked for in one line: the words, else the template with its values."""
    if brief.words:
        return brief.words
    values = ", ".join(value for _, value in brief.variables)
    return f"{brief.template}: {values}" if values else brief.template or "Pictures"


def running_buttons(job: Job) -> tuple[Button, Button]:
    """What may be done about a job that has not ended."""
    wait = Button(label="Pause", action=action("pause_job", job.id), icon="pause")
    go_on = Button(label="Resume", action=action("resume_job", job.id), icon="undo")
    cancel = Button(label="Cancel", action=action("cancel", job.id), icon="cancel")
    return (go_on if job.is_paused else wait, cancel)


def job_card(
    job: Job,
    kit: BrandKit,
    *,
    who: str,
    assets: Sequence[Asset] = (),
    reviews: Mapping[str, Review] | None = None,
    place: QueuePlace | None = None,
    seconds_each: float | None = None,
) -> Card:
    """The one message of a job, which changes in place. `reviews` by asset id."""
    running = job.state in (JobState.QUEUED, JobState.RENDERING, JobState.CHECKING)
    again = Button(label="Try again", action=action("reroll", job.id), icon="reroll")
    ended_badly = job.state in (JobState.FAILED, JobState.CANCELLED)
    shown = [asset for asset in assets if asset.id in {item.asset for item in job.items}]
    template = f" · template {job.brief.template}" if job.brief.template else ""
    begins = " · starts from a picture" if job.brief.reference else ""
    alone = job.origin is not None and audience_of(kit, job.origin) is Audience.REQUESTER
    refs = (picture_ref(a, kit, (reviews or {}).get(a.id), alone=alone) for a in shown)
    return Card(
        kind="job",
        subject=f"job:{job.id}",
        title=brief_title(job.brief),
        lines=(f"{who} · {kit.name}{template}{begins}",),
        state=PAUSED if job.is_paused else job.state.value,
        status=job_status(
            job,
            place,
            seconds_each,
            discarded=sum(asset.state is AssetState.DISCARDED for asset in shown),
        ),
        progress=0.0 if running else None,
        pictures=tuple(refs),
        buttons=running_buttons(job) if running else (again,) if ended_badly else (),
        draft=bool(shown) and any(asset.state is not AssetState.APPROVED for asset in shown),
        reference=job.error_reference,
    )


def review_card(
    review: Review,
    asset: Asset,
    kit: BrandKit,
    *,
    who: str,
    publication: Publication | None = None,
    slot_time: str = "",
    loras: Sequence[str] = (),
) -> Card:
    """The picture large, the evidence, who asked, and the buttons; after: a stamp.

    `slot_time` says when the calendar posts it, where it waits for that; `loras` are the versions
    that it was made with, as `name@version`.
    """
    ref = picture_ref(asset, kit, review)
    if posted := posted_rendition(review, asset, kit):  # what is approved is what was seen
        ref = replace(ref, blob=posted.file_hash, width=posted.width, height=posted.height)
    return Card(
        kind="review",
        subject=f"review:{review.id}",
        title=asset.words or "A picture to approve",
        lines=_review_lines(review, asset, kit, who=who, slot_time=slot_time, loras=loras),
        state=review.state.value,
        status=f"Brand check: {asset.evidence.line}",
        pictures=() if asset.is_erased else (replace(ref, buttons=(), fields=()),),
        fields=evidence_fields(asset.evidence),
        buttons=_vote_buttons(review) if review.is_waiting else (),
        stamp=stamp(review),
        footer=_after(review, publication, slot_time, kit),
        draft=asset.state is not AssetState.APPROVED,
    )


def _vote_buttons(review: Review) -> tuple[Button, ...]:
    return (
        Button(
            label="Approve",
            action=action("approve", review.id),
            style=Style.PRIMARY,
            icon="approve",
        ),
        Button(
            label="Reject…",
            action=action("reject", review.id),
            style=Style.DANGER,
            icon="reject",
            asks="reason",
        ),
        Button(
            label="Ask for a change…",
            action=action("change", review.id),
            icon="edit",
            asks="reason",
        ),
    )


def _review_lines(
    review: Review,
    asset: Asset,
    kit: BrandKit,
    *,
    who: str,
    slot_time: str,
    loras: Sequence[str],
) -> tuple[str, ...]:
    """Who asks for what, with which words, made how, and when the calendar posts it."""
    waiting = review.is_waiting
    goes_to = f"for {channel_word(kit, review.target)}" if review.target else "for the archive"
    made_with = " · ".join(
        part
        for part in (
            f"Template {asset.template}" if asset.template else "",
            f"LoRA {', '.join(loras)}" if loras else "",
        )
        if part
    )
    votes = len(review.votes)
    progress = f" · {votes} of {review.quorum} approvals" if review.quorum > 1 and waiting else ""
    caption = posted_words(review, asset) if review.target else ""
    return (
        f"{who} asks {goes_to}, by {review.deadline:%a %d %b %H:%M} UTC{progress}",
        *((f"Posted with: “{caption}”",) if caption else ()),
        *((made_with,) if made_with else ()),
        *_smaller(review, asset, kit),
        *((f"The calendar posts it on {slot_time}.",) if slot_time and waiting else ()),
    )


def _smaller(review: Review, asset: Asset, kit: BrandKit) -> tuple[str, ...]:
    """That another file is posted than elsewhere, because that one is too large for the channel."""
    posted, usual = posted_rendition(review, asset, kit), published_rendition(asset)
    if review.target is None or posted is None or usual is None or posted.id == usual.id:
        return ()
    limit = file_limit(kit.channels, review.target) or 0
    return (
        f"Posted as this smaller file ({posted.width} × {posted.height} px, "
        f"{posted.bytes / MIB:.1f} MB): {channel_word(kit, review.target)} takes "
        f"{limit / MIB:.0f} MB, and the full one has {usual.bytes / MIB:.1f} MB.",
    )


def _after(review: Review, publication: Publication | None, slot_time: str, kit: BrandKit) -> str:
    if publication is None and review.target and slot_time and review.outcome is Answer.APPROVE:
        return f"Goes to {channel_word(kit, review.target)} on {slot_time}."
    if publication is None:
        return "" if review.target or review.state is not ReviewState.DECIDED else "Archived."
    return post_words(publication, channel_word(kit, publication.target))


def post_words(publication: Publication, where: str) -> str:
    """How a post stands, in a sentence."""
    return {
        PublicationState.PENDING: f"Goes to {where} now.",
        PublicationState.SENDING: f"Goes to {where} now.",
        PublicationState.SENT: f"Posted to {where}.",
        PublicationState.AMBIGUOUS: f"Nobody knows yet whether it reached {where}.",
        PublicationState.FAILED: f"Could not be posted to {where}: {publication.error}",
        PublicationState.DELETED: f"Deleted from {where}.",
    }[publication.state]


def post_caption(publication: Publication) -> str:
    """The text under a published picture."""
    return publication.caption


def error_card(error: HousestyleError, *, reference: str = "") -> Card:
    """A refusal or a mistake: what, why, what to do; nothing was lost."""
    lines = [error.message]
    if isinstance(error, Mistake) and error.allowed and error.allowed[0] not in error.message:
        lines.append("Allowed: " + ", ".join(error.allowed[:20]))
    return Card(
        kind="error",
        title=error.title,
        state=error.code,
        lines=tuple(lines),
        fix=error.fix,
        reference=reference,
        private=True,
    )


def reply_card(title: str, *lines: str, fix: str = "", hint: str = "") -> Card:
    """A short private answer."""
    return Card(kind="reply", title=title, lines=lines, fix=fix, hint=hint, private=True)
