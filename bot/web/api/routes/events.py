"""The events of one job: progress, previews, and how it ended.

Server-sent events (WHATWG HTML, section 9.2). Progress is lossy: whoever comes late or comes back
is told how it stands now. The last event is `done`; who comes back after it gets 204, which tells
an EventSource to stay away.
"""

import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse

from bot.core.api_keys import verify
from bot.core.errors import HousestyleError, NotAllowed
from bot.core.jobs import Job
from bot.web.api.caller import Client, Reading
from bot.web.api.documents import problems
from bot.web.api.routes.jobs import JobId, visible_job
from bot.web.api.views import has_ended, job_out, progress_of
from bot.web.site import Site, site_of

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
STEP_S = 0.2
"""Progress is told at most so often."""
KEEP_ALIVE_S = 15.0
RECHECK = timedelta(seconds=20)
"""A stream outlives the key or the roles it was opened with by so much at most."""
_EVENT = {
    "type": "object",
    "properties": {
        "event": {"enum": ["state", "progress", "preview", "done"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string"},
    },
    "required": ["event", "data"],
}
_STREAM = {"text/event-stream": {"schema": _EVENT}}


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={
        200: {"description": "Events: state, progress, preview, done", "content": _STREAM},
        204: {"description": "The event `done` was received before; nothing more comes"},
        **problems(404),
    },
)
async def events(
    client: Reading,
    request: Request,
    job_id: JobId,
    last: Annotated[str, Header(alias="Last-Event-ID", max_length=100)] = "",
) -> Response:
    """Follow a job until it has ended."""
    job = await visible_job(client, job_id)
    if has_ended(job) and last == _done_id(job):
        return Response(status_code=204)
    stream = _Following(client, site_of(request), job_id)
    return StreamingResponse(
        stream.events(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _done_id(job: Job) -> str:
    return f"{job.id}.{job.version}.done"


class _Following:
    """One open stream."""

    def __init__(self, client: Client, site: Site, job_id: str) -> None:
        self._client = client
        self._house = client.house
        self._site = site
        self._job = job_id
        self._checked = client.house.clock.now()
        self._told = 0.0
        self._preview = b""

    async def events(self) -> AsyncIterator[str]:
        async with self._house.signals.subscribe(f"job:{self._job}") as signals:
            job = await visible_job(self._client, self._job)
            yield _event("state", job_out(self._house, job).model_dump(mode="json"))
            if has_ended(job):
                yield self._done(job)
                return
            async for signal in self._site.streams.until_stopped(signals, every_s=KEEP_ALIVE_S):
                if not await self._still_may():
                    return
                if signal is not None and signal.kind == "progress":
                    for text in self._progress():
                        yield text
                    continue
                job = await visible_job(self._client, self._job)
                if has_ended(job):
                    yield self._done(job)
                    return
                state = job_out(self._house, job).model_dump(mode="json")
                yield ": still here\n\n" if signal is None else _event("state", state)

    def _done(self, job: Job) -> str:
        body = job_out(self._house, job).model_dump(mode="json")
        return _event("done", body, event_id=_done_id(job))

    def _progress(self) -> list[str]:
        """What is new: nothing, progress, or progress and a preview."""
        now, shown = time.monotonic(), progress_of(self._house, self._job)
        if shown is None or now - self._told < STEP_S:
            return []
        self._told = now
        out = [_event("progress", shown.model_dump(mode="json"))]
        live = self._house.live.get(self._job)
        if live is not None and live.preview and live.preview != self._preview:
            self._preview = live.preview
            data = base64.b64encode(live.preview).decode()
            body = {"picture": live.picture, "mime": "image/jpeg", "b64": data}
            out.append(_event("preview", body))
        return out

    async def _still_may(self) -> bool:
        """Whether key, roles and rights still hold; looked at now and then."""
        now = self._house.clock.now()
        if now - self._checked < RECHECK:
            return True
        self._checked = now
        try:
            use = await verify(self._house.store, self._house.clock, self._client.text)
            if use.person.roles != self._client.person.roles:
                return False
            await visible_job(self._client, self._job)
        except (NotAllowed, HousestyleError):
            return False
        return True


def _event(kind: str, data: dict[str, Any], *, event_id: str = "") -> str:
    lines = [f"event: {kind}", f"data: {json.dumps(data, separators=(',', ':'))}"]
    if event_id:
        lines.append(f"id: {event_id}")
    return "\n".join(lines) + "\n\n"
