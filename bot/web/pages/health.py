"""Health: what works, what does not, and what to do about it."""

import platform
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bot.core.health import Condition, Finding, examine
from bot.web.frame import Frame, Framed

router = APIRouter(prefix="/health")
PARTS = ("housestyle", "fastapi", "pillow", "numpy")
IN_SHORT = {
    Condition.OK: "Everything works.",
    Condition.DEGRADED: "It works. Something is worth a look.",
    Condition.FAILED: "Something needs a hand.",
}


@router.get("")
async def health_page(frame: Framed) -> HTMLResponse:
    """All checks, made now."""
    report = await examine(frame.house, frame.site.disk)
    return frame.page(
        "health.html",
        "health",
        checks=[*report.findings, _pages(frame)],
        in_short=IN_SHORT[report.condition],
        models=report.renderer,
        versions=[("Python", platform.python_version()), *_versions()],
    )


def _pages(frame: Frame) -> Finding:
    count = frame.site.streams.open
    says = f"{count} open, portal {frame.site.files.version}"
    return Finding(name="pages", label="Live pages", condition=Condition.OK, says=says)


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in PARTS:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "from the source tree"))
    return found
