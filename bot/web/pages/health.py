"""Health: what works, what does not, and what to do about it."""

import asyncio
import platform
import shutil
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bot.core.lives import OutboxState
from bot.web.frame import Frame, Framed
from bot.web.words import size
from brand.spec import RendererHealth, RenderError

router = APIRouter(prefix="/health")
PATIENCE_S = 2.0
SLOW_STORE_S = 0.25
LOW_DISK = 0.10
PARTS = ("housestyle", "fastapi", "pillow", "numpy")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the page. `ok` None: worth a look, nothing is broken."""

    name: str
    ok: bool | None
    says: str
    fix: str = ""


@router.get("")
async def health_page(frame: Framed) -> HTMLResponse:
    """All checks, made now."""
    renderer, (service, models) = await _store(frame), await _service(frame)
    checks = [service, renderer, await _outbox(frame), *await _disk(frame), _pages(frame)]
    return frame.page(
        "health.html",
        "health",
        checks=checks,
        well=all(check.ok is not False for check in checks),
        models=models,
        versions=[("Python", platform.python_version()), *_versions()],
    )


async def _service(frame: Frame) -> tuple[Check, RendererHealth | None]:
    name = "Generation service"
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = await frame.house.renderer.health()
    except (RenderError, TimeoutError) as exc:
        why = str(exc) or f"no answer within {PATIENCE_S:g} s"
        fix = "Pictures wait in the queue and are rendered once it is back."
        return Check(name=name, ok=False, says=f"Not reachable: {why}", fix=fix), None
    load = f"{said.running} running, {said.queued} waiting"
    if said.ready:
        return Check(name=name, ok=True, says=f"Ready on {said.device}: {load}"), said
    says = f"Starting on {said.device}. {said.detail}".strip()
    return Check(name=name, ok=None, says=says, fix="The model is being loaded."), said


async def _store(frame: Frame) -> Check:
    began = time.perf_counter()
    async with frame.house.store.read() as tx:
        await tx.jobs.unfinished()
    took = time.perf_counter() - began
    return Check(
        name="Records",
        ok=True if took < SLOW_STORE_S else None,
        says=f"Answers in {took * 1000:.0f} ms",
        fix="" if took < SLOW_STORE_S else "That is slow: look at the disk and the database.",
    )


async def _outbox(frame: Frame) -> Check:
    async with frame.house.store.read() as tx:
        counts = await tx.outbox.counts()
    waiting = counts.get(OutboxState.PENDING, 0) + counts.get(OutboxState.SENDING, 0)
    unclear, failed = counts.get(OutboxState.AMBIGUOUS, 0), counts.get(OutboxState.FAILED, 0)
    sent = counts.get(OutboxState.SENT, 0)
    says = f"{sent} sent, {waiting} on their way, {unclear} unclear, {failed} refused"
    fix = "Refused messages are named in the log with the reason." if failed else ""
    return Check(name="Messages", ok=None if unclear or failed else True, says=says, fix=fix)


async def _disk(frame: Frame) -> list[Check]:
    if frame.site.disk is None:
        return []
    usage = await asyncio.to_thread(shutil.disk_usage, frame.site.disk)
    low = usage.free < usage.total * LOW_DISK
    fix = "Make room, or move the archive to a larger disk." if low else ""
    says = f"{size(usage.free)} of {size(usage.total)} free"
    return [Check(name="Disk", ok=not low, says=says, fix=fix)]


def _pages(frame: Frame) -> Check:
    count = frame.site.streams.open
    return Check(
        name="Live pages", ok=True, says=f"{count} open, portal {frame.site.files.version}"
    )


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in PARTS:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "from the source tree"))
    return found
