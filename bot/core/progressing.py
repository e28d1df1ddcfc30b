"""Telling how far a job is: in words, on its card, and as a message where it was asked for.

Progress is lossy by design (`live`): what is told of it may be stale or missing, but never comes
after the job's end.
"""

from dataclasses import replace
from math import ceil

from bot.core.cards import duration, ordinal
from bot.core.errors import NotFound
from bot.core.house import House
from bot.core.live import LiveProgress
from bot.core.lives import JobState
from bot.core.messages import Card, PictureRef
from bot.core.telling import current_job_card, job_place, say_of_job


def percent(share: float) -> str:
    """0.416 -> "42 %"; a trace is said to be one."""
    if 0 < share < 0.005:
        return "<1 %"
    return f"{share * 100:.0f} %"


def progress_words(progress: LiveProgress) -> str:
    """ "Rendering 1 of 2 · 45 % · about 12 s left"."""
    if progress.paused:
        return f"Paused at {percent(progress.fraction)}"
    if progress.place > 0:
        return f"Waiting for the model, {ordinal(progress.place + 1)} in line" + _eta(progress)
    which = f" {progress.picture} of {progress.pictures}" if progress.pictures > 1 else ""
    return f"Rendering{which} · {percent(progress.fraction)}" + _eta(progress)


def with_progress(card: Card, progress: LiveProgress) -> Card:
    """The card of a running job with its newest progress."""
    return replace(card, status=progress_words(progress), progress=progress.fraction)


async def tell_progress(house: House, job_id: str, preview: PictureRef | None = None) -> bool:
    """Queue the job's card with its newest progress for where it was asked for. False where there
    is nothing to tell: it does not render here or now, or was asked for nowhere.

    The job is held meanwhile: what ends it waits, and its last card comes after this one.
    """
    progress = house.live.get(job_id)
    if progress is None:
        return False
    async with house.store.write() as tx:
        try:
            job = await tx.jobs.hold(job_id)
        except NotFound:
            return False
        if job.origin is None or job.state is not JobState.RENDERING or job.is_paused:
            return False
        place = await job_place(tx, job)
        if (place and (place.platform, place.team)) != (job.origin.platform, job.origin.team):
            preview = None  # it is a file of where the job was asked for
        card = await current_job_card(tx, job, await tx.kits.get(job.kit_hash))
        shown = replace(with_progress(card, progress), preview=preview)
        await say_of_job(tx, job, shown, place, house.clock.now())
    return True


def _eta(progress: LiveProgress) -> str:
    """The renderer knows this picture's time; those after it will take as long."""
    if progress.eta_s is None:
        return ""
    done = progress.fraction * progress.pictures - (progress.picture - 1)
    each = progress.eta_s / (1 - done) if 0 <= done < 1 else progress.eta_s
    left = progress.eta_s + each * max(progress.pictures - progress.picture, 0)
    # Whole seconds: tenths would only flicker.
    return f" · about {f'{max(ceil(left), 1)} s' if left < 100 else duration(left)} left"
