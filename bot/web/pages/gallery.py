"""The gallery: pictures, a search that answers while one types, filters in the address."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from bot.core.assets import Asset, AssetQuery
from bot.core.cards import alt_text, quiet_line, shown_blob
from bot.core.ids import is_id
from bot.core.lives import AssetState
from bot.core.seeing import Sight
from bot.web.frame import Frame, Framed

router = APIRouter(prefix="/gallery")
PAGE = 48
MAX_SEARCH = 200
ROUNDS = 6
"""So many pages of the archive are looked through for one page that the visitor may see."""
WITHOUT_DISCARDED = tuple(s for s in AssetState if s is not AssetState.DISCARDED)
STATES = {
    "": ("All", WITHOUT_DISCARDED),
    "draft": ("Drafts", (AssetState.CANDIDATE,)),
    "in_review": ("In review", (AssetState.IN_REVIEW,)),
    "approved": ("Approved", (AssetState.APPROVED,)),
    "rejected": ("Rejected", (AssetState.REJECTED, AssetState.EXPIRED, AssetState.WITHDRAWN)),
    "discarded": ("Failed the brand check", (AssetState.DISCARDED,)),
}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is looked for, as it stands in the address."""

    q: str = ""
    state: str = ""
    mine: bool = False
    template: str = ""
    before: str = ""

    def href(self, **changes: object) -> str:
        """The gallery's address with these filters; a changed filter starts at the newest."""
        now = {
            "q": self.q,
            "state": self.state,
            "mine": "1" if self.mine else "",
            "template": self.template,
        }
        wanted = {name: value for name, value in (now | changes).items() if value}
        return "/gallery" + (f"?{urlencode(wanted)}" if wanted else "")


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A filter as a link."""

    label: str
    href: str
    on: bool
    group: str = ""
    """Heads the chips from this one on."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture of the gallery."""

    asset: Asset
    blob: str
    alt: str
    line: str


@router.get("")
async def gallery_page(
    frame: Framed,
    q: Annotated[str, Query(max_length=MAX_SEARCH)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    mine: str = "",
    template: Annotated[str, Query(max_length=100)] = "",
    before: str = "",
) -> HTMLResponse:
    """One page of pictures, newest first."""
    filters = Filters(
        q=q.strip(),
        state=state if state in STATES else "",
        mine=mine == "1",
        template=template if frame.kit.template(template) else "",
        before=before if is_id(before) else "",
    )
    assets, cursor = await find(frame, filters)
    facts: dict[str, Any] = {
        "filters": filters,
        "tiles": [_tile(asset, frame) for asset in assets],
        "more": filters.href(before=cursor) if cursor else "",
        "narrowed": bool(filters.q or filters.state or filters.mine or filters.template),
    }
    if frame.wants_fragment:
        return frame.fragment("gallery_tiles.html", **facts)
    return frame.page("gallery.html", "gallery", chips=chips(filters, frame), **facts)


async def find(frame: Frame, filters: Filters, limit: int = PAGE) -> tuple[list[Asset], str]:
    """Pictures that match and that the visitor may see; where the next page starts, or nothing."""
    seen: list[Asset] = []
    cursor = filters.before
    async with frame.house.store.read() as tx:
        sight = Sight(tx, frame.visitor.person)
        for _ in range(ROUNDS):
            page = await tx.assets.find(_query(frame, filters, cursor, limit + 1))
            seen += await sight.only_visible(page)
            if len(seen) > limit:
                return seen[:limit], seen[limit - 1].id
            if len(page) <= limit:
                return seen, ""
            cursor = page[-1].id
    return seen, cursor


def _query(frame: Frame, filters: Filters, before: str, limit: int) -> AssetQuery:
    return AssetQuery(
        brand=frame.kit.id,
        text=filters.q,
        states=STATES[filters.state][1],
        requester=frame.visitor.person.id if filters.mine else "",
        template=filters.template,
        before=before,
        limit=limit,
    )


def chips(filters: Filters, frame: Frame) -> list[Chip]:
    """States, then own ones, then the kit's templates."""
    out = [
        Chip(label=label, href=filters.href(state=name), on=filters.state == name)
        for name, (label, _) in STATES.items()
    ]
    mine = "" if filters.mine else "1"
    out.append(Chip(label="Mine", href=filters.href(mine=mine), on=filters.mine))
    for number, template in enumerate(frame.kit.templates):
        on = filters.template == template.name
        href = filters.href(template="" if on else template.name)
        group = "" if number else "Templates"
        out.append(Chip(label=template.name, href=href, on=on, group=group))
    return out


def _tile(asset: Asset, frame: Frame) -> Tile:
    return Tile(
        asset=asset,
        blob=shown_blob(asset),
        alt=alt_text(asset, frame.kit),
        line=quiet_line(asset),
    )
