"""The record for auditors: newest first, filters as links, one thing's whole story."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from bot.core.auditing import export_ledger
from bot.core.errors import NotAllowed
from bot.core.ids import is_id
from bot.core.ledger import Event, EventQuery
from bot.core.sequencing import chain_all
from bot.core.trail import audits_all, chain_state, check_ledger, may_audit, story
from bot.web.frame import Frame, Framed, go

router = APIRouter(prefix="/audit")
PAGE = 50
MAX_FILTER = 80
KINDS = (
    ("", "Everything"),
    ("job", "Requests"),
    ("review", "Decisions"),
    ("publication", "Posts"),
    ("role", "Roles"),
    ("member", "Members"),
    ("kit", "Kits"),
    ("lora", "LoRAs"),
    ("budget", "Budgets"),
    ("command", "Refusals"),
    ("ledger", "The record"),
)
Word = Annotated[str, Query(max_length=MAX_FILTER)]


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A filter as a link."""

    label: str
    href: str
    on: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """An event as the page shows it."""

    event: Event
    who: str
    """Their name, or what stands for it."""
    what: str
    texts: Sequence[tuple[str, str]]
    """Name and text; an empty text was erased."""
    facts: Sequence[tuple[str, str]]


@router.get("")
async def audit_page(
    frame: Framed,
    subject: Word = "",
    person: Word = "",
    action: Word = "",
    before: Word = "",
) -> HTMLResponse:
    """A page of the record."""
    may_audit(frame.kit, frame.visitor.person)
    everywhere = audits_all(frame.visitor.person)
    async with frame.house.store.read() as tx:
        query = EventQuery(
            subjects=await story(tx, subject) if subject else (),
            person=person,
            brand="" if everywhere else frame.kit.id,
            action=action,
            before=before if is_id(before) else "",
            limit=PAGE + 1,
        )
        found = await tx.ledger.find(query)
        names = {member.id: member.name for member in await tx.people.all()}
        state = await chain_state(tx)
    filters = {"subject": subject, "person": person, "action": action}
    return frame.page(
        "audit.html",
        "audit",
        lines=[_line(event, names) for event in found[:PAGE]],
        state=state,
        everywhere=everywhere,
        chips=[_chip(filters, key, label) for key, label in KINDS],
        subject=subject,
        person_name=names.get(person, person) or "an erased member",
        person=person,
        older=_href({**filters, "before": found[PAGE - 1].id}) if len(found) > PAGE else "",
        newest=_href(filters) if before else "",
    )


@router.get("/export")
async def export(frame: Framed) -> Response:
    """The whole chain as a file that can be checked anywhere."""
    _whole(frame)
    await chain_all(frame.house)
    book = frame.house.anchors.book
    anchors = await book.all() if book else []
    name = f"ledger-{frame.house.clock.now():%Y-%m-%d}.jsonl"

    async def lines() -> AsyncIterator[bytes]:
        async for line in export_ledger(frame.house, anchors):
            yield line

    return StreamingResponse(
        lines(),
        media_type="application/x-ndjson",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


@router.post("/check")
async def check(frame: Framed) -> Response:
    """Walk the whole chain now; what came out stands on the page."""
    _whole(frame)
    await check_ledger(frame.house, actor=frame.visitor.person.id)
    return go("/audit")


def _whole(frame: Frame) -> None:
    may_audit(frame.kit, frame.visitor.person)
    if not audits_all(frame.visitor.person):
        raise NotAllowed(
            "The record as a whole is for auditors of all brands.",
            fix="Ask an admin for the role `auditor` in all brands.",
        )


def _chip(filters: Mapping[str, str], key: str, label: str) -> Chip:
    on = filters["action"].partition(".")[0] == key
    return Chip(label=label, href=_href({**filters, "action": key}), on=on)


def _href(filters: Mapping[str, str]) -> str:
    asked = urlencode({name: value for name, value in filters.items() if value})
    return f"/audit?{asked}" if asked else "/audit"


def _line(event: Event, names: Mapping[str, str]) -> Line:
    known = {"system": "Housestyle", "": "someone unknown"} | {
        key: name or "an erased member" for key, name in names.items()
    }
    return Line(
        event=event,
        who=known.get(event.actor, event.actor),
        what=event.action.replace(".", " ").replace("_", " "),
        texts=[(name, _text(event, name)) for name in event.commitments],
        facts=[(name, _plain(value)) for name, value in event.facts.items() if value not in ("",)],
    )


def _text(event: Event, name: str) -> str:
    text = event.personal.get(name)
    return text.value if text else ""


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
