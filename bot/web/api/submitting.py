"""Asking for pictures through the one door, once per idempotency key; and waiting for them."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Header, Request

from bot.core.commands import Cancel, Imagine
from bot.core.house import House
from bot.core.idempotency import Asked, imagine_once
from bot.core.ids import new_id
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.ports import Signal, Transaction
from bot.web.api.caller import Client
from bot.web.api.failures import RETRY_S, ApiFailure, failure_of_card
from bot.web.api.views import has_ended, job_out
from bot.web.streams import Streams
from brand.brief import Brief
from brand.encoding import canonical_json
from brand.kit import BrandKit

WAIT_S = 570.0
"""A client that waits for its pictures is answered after so long at most; the OpenAI client
hangs up after 600 s."""
LOOK_S = 1.0
"""The job is looked at so often even where no signal comes: it may run in another process."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",
        description="Any text of your own; the same key with the same request gets the first "
        "answer again for 24 hours, with another request 422.",
    ),
]


async def brand_for(client: Client, wanted: str) -> str:
    """The brand that is meant: the named one, or the only one of the key's member."""
    if wanted:
        return wanted
    kits = await kits_of(client)
    return kits[0].id if len(kits) == 1 else ""


async def kits_of(client: Client) -> list[BrandKit]:
    """The kits in force of the member's brands."""
    async with client.house.store.read() as tx:
        return [kit for kit in await tx.kits.all() if client.person.roles_in(kit.id)]


async def submit(client: Client, brief: Brief, brand: str, key: str | None) -> dict[str, Any]:
    """Queue a brief, or find what the same key queued before: the job as it was first answered.

    Raises ApiFailure with the door's refusal, KeyReused.
    """
    house = client.house
    command = Imagine(brief=brief, brand=await brand_for(client, brand), as_job=new_id())

    async def answer_of(_: Transaction, job: Job) -> dict[str, Any]:
        return job_out(house, job).model_dump(mode="json")

    if key is not None:
        content = f"{command.brand}\n{canonical_json(brief.to_dict()).decode()}"
        asked = Asked(person=client.person.id, key=key, content=content)
        card, kept = await imagine_once(house, command, client.actor, asked, answer_of)
        if kept is not None:
            return kept.answer
        raise failure_of_card(card)
    if house.door is None:
        raise RuntimeError("The composition root left the door out.")
    card = await house.door.dispatch(command, client.actor)
    if card.kind == "error":
        raise failure_of_card(card)
    return job_out(house, await job_of(house, command.as_job)).model_dump(mode="json")


async def job_of(house: House, job_id: str) -> Job:
    """The job as it stands. Raises NotFound."""
    async with house.store.read() as tx:
        return await tx.jobs.get(job_id)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A client that waits for its job on an open request."""

    client: Client
    streams: Streams
    request: Request
    limit_s: float = WAIT_S

    async def done(self, job_id: str) -> Job:
        """The job once its pictures are there. One that a budget holds is cancelled: nobody
        waits for the next month. So is one whose last client hung up. Raises ApiFailure."""
        with self.streams.waiting(job_id):
            job = await self._ended(job_id)
        if job.state is JobState.DONE:
            return job
        if job.hold or job.state is JobState.CANCELLED:
            raise _cancelled(job)
        raise ApiFailure(
            status=500,
            code="render_failed",
            detail=job.error or "The picture could not be rendered.",
            reference=job.error_reference,
        )

    async def _ended(self, job_id: str) -> Job:
        house, until = self.client.house, time.monotonic() + self.limit_s
        async with house.signals.subscribe(f"job:{job_id}") as signals:
            job = await job_of(house, job_id)
            events = self._events(signals)
            async for signal in events:
                if signal is None or signal.kind != "progress":
                    job = await job_of(house, job_id)
                if has_ended(job):
                    return job
                if job.hold or await self.request.is_disconnected():
                    await self._cancel(job_id)
                    return await job_of(house, job_id) if not job.hold else job
                if time.monotonic() > until:
                    raise _late(job, 504, "still_rendering")
        raise _late(job, 503, "stopping")

    async def _events(self, signals: AsyncIterator[Signal]) -> AsyncIterator[Signal | None]:
        yield None
        async for signal in self.streams.until_stopped(signals, every_s=LOOK_S):
            yield signal

    async def _cancel(self, job_id: str) -> None:
        door = self.client.house.door
        # A client that sent its request again waits for the same job.
        if door is not None and not self.streams.others_wait(job_id):
            await door.dispatch(Cancel(job=job_id), self.client.actor)


def _cancelled(job: Job) -> ApiFailure:
    if job.hold:
        return ApiFailure(
            status=429,
            code="over_budget",
            title="Budget used up",
            detail=job.held_why or "A budget has no room for it.",
            headers={"Retry-After": "3600"},
        )
    return ApiFailure(status=409, code="cancelled", detail="The job was cancelled.")


def _late(job: Job, status: int, code: str) -> ApiFailure:
    return ApiFailure(
        status=status,
        code=code,
        detail=f"The job {job.id} goes on without you: ask /v1/jobs/{job.id} for it.",
        headers={"Retry-After": str(RETRY_S)},
    )
