"""The review board: a filmstrip of open reviews, one picture large with its evidence."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response

from bot.core.assets import Asset, AssetQuery
from bot.core.cards import alt_text, evidence_fields, picture_ref, posted_rendition, shown_blob
from bot.core.errors import HousestyleError, NotFound
from bot.core.ids import is_id
from bot.core.lives import AssetState
from bot.core.messages import PictureRef
from bot.core.policy import may_vote
from bot.core.ports import Transaction
from bot.core.reviews import Review
from bot.core.seeing import Sight, sees_wide
from bot.core.telling import current_review_card
from bot.web.frame import Frame, Framed, FramedForReader, go
from bot.web.words import short

router = APIRouter(prefix="/review")
STRIP = 60


@dataclass(frozen=True, kw_only=True)
class Pane:
    """One picture of the board with its brand check."""

    heading: str
    asset: Asset
    ref: PictureRef


@dataclass(frozen=True, kw_only=True)
class Step:
    """One picture of the filmstrip."""

    review: Review
    asset: Asset
    blob: str
    alt: str


@router.get("")
async def board(frame: Framed) -> Response:
    """The oldest open review, or what an empty board has to say."""
    async with frame.house.store.read() as tx:
        waiting = await open_reviews(tx, frame)
    if waiting and frame.reply is None:
        return go(f"/review/{waiting[0].id}")
    if waiting:
        return go(f"/review/{waiting[0].id}", reply=frame.request.query_params["reply"])
    return frame.page("review_empty.html", "review", undo=undo_asset(frame))


@router.get("/count")
async def count(frame: FramedForReader) -> JSONResponse:
    """How many reviews wait, for the badge."""
    return JSONResponse({"open": frame.open_reviews, "short": short(frame.open_reviews)})


@router.get("/{review_id}")
async def review_page(frame: Framed, review_id: str, compare: bool = False) -> HTMLResponse:
    """One review."""
    async with frame.house.store.read() as tx:
        review, asset = await _visible(tx, frame, review_id)
        kit = await tx.kits.current(review.brand)
        waiting = await open_reviews(tx, frame)
        card = await current_review_card(tx, review, asset, kit)
        film = [await _step(tx, frame, item) for item in waiting[:STRIP]]
        other = await _other(tx, frame, asset) if compare else None
    index = next((n for n, item in enumerate(waiting) if item.id == review.id), None)
    left, right = _neighbours(waiting, index)
    panes = [Pane(heading="To decide", asset=asset, ref=picture_ref(asset, kit))]
    if other is not None:
        panes.append(Pane(heading=other[0], asset=other[1], ref=picture_ref(other[1], kit)))
    return frame.page(
        "review.html",
        "review",
        review=review,
        card=card,
        panes=panes,
        fields=[evidence_fields(pane.asset.evidence) for pane in panes],
        compare=compare,
        film=film,
        waiting=len(waiting),
        index=index,
        left=left,
        right=right,
        after=_address(right or left),
        refusal=_refusal(frame, review),
        own=asset.requester == frame.visitor.person.id,
        undo=undo_asset(frame),
    )


async def open_reviews(tx: Transaction, frame: Frame) -> list[Review]:
    """Open ones of the brand, oldest first: all for reviewers, their own for everybody else."""
    wide = sees_wide(frame.kit, frame.visitor.person)
    return [
        review
        for review in await tx.reviews.open(brand=frame.kit.id)
        if wide or review.requester == frame.visitor.person.id
    ]


def undo_asset(frame: Frame) -> str:
    """The picture that was approved last, from the answer on top of the page; or empty."""
    reply = frame.reply
    if reply is None or reply.kind != "review" or not reply.pictures:
        return ""
    return reply.pictures[0].asset if not reply.draft else ""


async def _visible(tx: Transaction, frame: Frame, review_id: str) -> tuple[Review, Asset]:
    if is_id(review_id):
        review = await tx.reviews.get(review_id)
        asset = await tx.assets.get(review.asset)
        if await Sight(tx, frame.visitor.person).asset(asset):
            return review, asset
    raise NotFound("There is no review here that you can see.")


async def _step(tx: Transaction, frame: Frame, review: Review) -> Step:
    asset = await tx.assets.get(review.asset)
    posted = posted_rendition(review, asset, frame.kit)
    blob = posted.file_hash if posted else shown_blob(asset)
    return Step(review=review, asset=asset, blob=blob, alt=alt_text(asset, frame.kit))


async def _other(tx: Transaction, frame: Frame, asset: Asset) -> tuple[str, Asset] | None:
    """What to compare with: the picture it was made from, else the newest approved one."""
    sight = Sight(tx, frame.visitor.person)
    if asset.parent:
        try:
            parent = await tx.assets.get(asset.parent)
        except NotFound:
            parent = None
        if parent is not None and await sight.asset(parent):
            return "Made from", parent
    approved = await tx.assets.find(
        AssetQuery(brand=asset.brand, states=(AssetState.APPROVED,), limit=2)
    )
    for candidate in approved:
        if candidate.id != asset.id:
            return "Approved last", candidate
    return None


def _neighbours(waiting: list[Review], index: int | None) -> tuple[Review | None, Review | None]:
    if index is None:
        return None, waiting[0] if waiting else None
    left = waiting[index - 1] if index else None
    right = waiting[index + 1] if index + 1 < len(waiting) else None
    return left, right


def _address(review: Review | None) -> str:
    return f"/review/{review.id}" if review else "/review"


def _refusal(frame: Frame, review: Review) -> str:
    """Why the visitor can't vote; empty if they can."""
    if not review.is_waiting:
        return ""
    try:
        may_vote(frame.kit, frame.visitor.person, review, demo=frame.house.demo)
    except HousestyleError as exc:
        return f"{exc.message} {exc.fix}".strip()
    return ""
