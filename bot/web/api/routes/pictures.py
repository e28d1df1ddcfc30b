"""Pictures: look, search, fetch the files, send to approval."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response

from bot.core.assets import Asset, AssetQuery
from bot.core.commands import SendToApproval
from bot.core.errors import NotFound
from bot.core.lives import AssetState
from bot.core.seeing import Sight
from bot.web.api.answered import PictureOut, PicturePage, ReviewOut
from bot.web.api.asked import ApprovalIn
from bot.web.api.caller import Client, Reading, Submitting
from bot.web.api.cursors import MAX_CURSOR, cursor_of, read_cursor
from bot.web.api.documents import problems
from bot.web.api.failures import ApiFailure
from bot.web.api.routes.jobs import MAX_PAGE, ROUNDS, say
from bot.web.api.shapes import ID, NAME
from bot.web.api.views import picture_out, review_out

router = APIRouter(prefix="/v1/pictures", tags=["pictures"])
PictureId = Annotated[str, Path(pattern=ID, description="A picture's id")]
MOMENT = r"^$|^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})$"
TRANSFORM = "^[a-z0-9][a-z0-9-]{0,39}$"
_ANY = {"type": "string", "format": "binary"}
_FILES = {mime: {"schema": _ANY} for mime in ("image/png", "image/jpeg", "image/webp")}


@router.get("", response_model=PicturePage, responses=problems())
async def list_pictures(
    client: Reading,
    brand: Annotated[NAME, Query(description="Of this brand alone")] = "",
    q: Annotated[str, Query(max_length=200, description="Words, prompt or template")] = "",
    state: Annotated[AssetState | None, Query(description="In this state alone")] = None,
    job: Annotated[str, Query(pattern=f"^$|{ID}", description="Of this job alone")] = "",
    template: Annotated[NAME, Query()] = "",
    mine: Annotated[bool, Query(description="What the key's member asked for")] = False,
    since: Annotated[
        str, Query(pattern=MOMENT, description="RFC 3339, with its zone: 2026-03-02T09:00:00Z")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
) -> PicturePage:
    """Pictures that the key's member may see, newest first."""
    filters = ("pictures", brand, q, state, job, template, mine, since, client.person.id)
    before = read_cursor(cursor, *filters)
    first = _moment(since)
    seen: list[Asset] = []
    more = False
    async with client.house.store.read() as tx:
        sight = Sight(tx, client.person)
        for _ in range(ROUNDS):
            query = AssetQuery(
                brand=brand,
                text=q,
                states=(state,) if state else (),
                requester=client.person.id if mine else "",
                template=template,
                job=job,
                since=first,
                before=before,
                limit=MAX_PAGE,
            )
            page = await tx.assets.find(query)
            seen += await sight.only_visible(page)
            before = page[-1].id if page else before
            more = len(page) == MAX_PAGE
            if len(seen) > limit or not more:
                break
    if len(seen) > limit:
        before, more = seen[limit - 1].id, True
    return PicturePage(
        data=[picture_out(asset) for asset in seen[:limit]],
        next=cursor_of(before, *filters) if more else None,
    )


@router.get("/{picture_id}", response_model=PictureOut, responses=problems(404))
async def look(client: Reading, picture_id: PictureId) -> PictureOut:
    """One picture with what was measured and how it was made."""
    return picture_out(await visible_asset(client, picture_id))


@router.get(
    "/{picture_id}/files/{transform}",
    response_class=Response,
    responses={
        200: {"description": "The file's bytes", "content": _FILES},
        304: {"description": "The file is the one that the client has"},
        **problems(404),
    },
)
async def file(
    client: Reading,
    picture_id: PictureId,
    transform: Annotated[str, Path(pattern=TRANSFORM, description="`master`, `labelled-png` …")],
    known: Annotated[str, Header(alias="If-None-Match", max_length=200)] = "",
) -> Response:
    """A file of a picture, by the name of its transform."""
    asset = await visible_asset(client, picture_id)
    rendition = asset.rendition(transform)
    if rendition is None:
        have = ", ".join(r.transform for r in asset.renditions)
        raise NotFound(f"This picture has no file `{transform}`.", fix=f"It has: {have}.")
    etag = f'"{rendition.file_hash}"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=31536000, immutable"}
    if known == etag:
        return Response(status_code=304, headers=headers)
    suffix = rendition.mime.removeprefix("image/").replace("jpeg", "jpg")
    name = f"{asset.id}-{rendition.transform}.{suffix}"
    headers["Content-Disposition"] = f'inline; filename="{name}"'
    data = await client.house.blobs.get(rendition.file_hash)
    return Response(data, media_type=rendition.mime, headers=headers)


@router.post(
    "/{picture_id}/approval",
    status_code=201,
    response_model=ReviewOut,
    responses=problems(404, 409, 413, 415),
)
async def send_to_approval(
    client: Submitting, picture_id: PictureId, wanted: ApprovalIn
) -> ReviewOut:
    """Ask for approval of a picture for one of the kit's channels."""
    await visible_asset(client, picture_id)
    await say(
        client, SendToApproval(asset=picture_id, channel=wanted.channel, caption=wanted.caption)
    )
    async with client.house.store.read() as tx:
        return review_out((await tx.reviews.of_asset(picture_id))[0])


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ApiFailure(
            status=422, code="no_time", detail=f"`{text}` is no time of a calendar.", param="since"
        ) from exc


async def visible_asset(client: Client, asset_id: str) -> Asset:
    """A picture that the member may see. Raises NotFound."""
    async with client.house.store.read() as tx:
        asset = await tx.assets.get(asset_id)
        if not await Sight(tx, client.person).asset(asset):
            raise NotFound("That picture isn't one that you can see.")
    return asset
