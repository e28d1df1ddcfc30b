"""Usage of this calendar month (UTC), as a table with small bars: measured, with n."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bot.core.people import Role
from bot.core.policy import MANAGERS
from bot.core.ports import Transaction, UsageRow
from bot.core.telling import name_of
from bot.web.frame import Framed

router = APIRouter(prefix="/usage")
SEES_ALL = MANAGERS | {Role.AUDITOR.value}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One person's month."""

    name: str
    pictures: int
    approved: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Approved pictures per rendered one; None before the first."""
        return self.approved / self.pictures if self.pictures else None


@router.get("")
async def usage_page(frame: Framed) -> HTMLResponse:
    """The month so far. Without a wider role people see their own line."""
    now = frame.house.clock.now()
    since = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    person = frame.visitor.person
    wide = bool(person.roles_in(frame.kit.id) & SEES_ALL)
    async with frame.house.store.read() as tx:
        rows = await tx.assets.usage(frame.kit.id, since=since, until=now)
        lines = [await _line(tx, row) for row in rows if wide or row.person == person.id]
    lines.sort(key=lambda line: (-line.pictures, line.name))
    total = Line(
        name="All",
        pictures=sum(line.pictures for line in lines),
        approved=sum(line.approved for line in lines),
        seconds=sum(line.seconds for line in lines),
    )
    return frame.page(
        "usage.html",
        "usage",
        month=now,
        lines=lines,
        total=total,
        most=max((line.pictures for line in lines), default=0),
        wide=wide,
    )


async def _line(tx: Transaction, row: UsageRow) -> Line:
    return Line(
        name=await name_of(tx, row.person),
        pictures=row.pictures,
        approved=row.approved,
        seconds=row.seconds,
    )
