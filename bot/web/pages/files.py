"""Picture bytes: only for those who may see them, by hash, for good."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from bot.core.errors import NotFound
from bot.core.ids import is_id
from bot.core.seeing import Sight
from bot.web.frame import Frame, Framed, FramedForReader
from bot.web.own_files import PREFIX
from bot.web.pages.chat import visible_message
from bot.web.site import site_of
from bot.web.theme import theme_css
from bot.web.thumbs import SIZES
from bot.web.visitor import SignedIn
from brand.spec import is_sha256

router = APIRouter()
FOR_GOOD = "private, max-age=31536000, immutable"
ANYBODY_FOR_GOOD = "public, max-age=31536000, immutable"
SHORTLY = "private, max-age=60"
_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@router.get(PREFIX + "/{version}/{name:path}")
async def own_file(request: Request, version: str, name: str) -> Response:
    """A style sheet, script or icon of the portal. An old version gets the file of today."""
    files = site_of(request).files
    found = files.get(name)
    if found is None:
        raise NotFound("There is no such file.")
    headers = {"Vary": "Accept-Encoding"}
    headers["Cache-Control"] = ANYBODY_FOR_GOOD if version == files.version else "no-cache"
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.gzipped, media_type=found.mime, headers=headers)
    return Response(found.data, media_type=found.mime, headers=headers)


@router.get("/theme/{kit_hash}.css")
async def theme_sheet(request: Request, visitor: SignedIn, kit_hash: str) -> Response:
    """The accent colour of a kit."""
    if not is_sha256(kit_hash):
        raise NotFound("There is no such kit.")
    async with site_of(request).house.store.read() as tx:
        kit = await tx.kits.get(kit_hash)
    return Response(theme_css(kit), media_type="text/css", headers={"Cache-Control": FOR_GOOD})


@router.get("/files/{sha256}")
async def picture_file(
    frame: FramedForReader,
    sha256: str,
    of: Annotated[str, Query(max_length=40)],
    w: int = 0,
    download: bool = False,
) -> Response:
    """A file of an asset or of a message (`of`), whole, or at most `w` pixels on its long side."""
    name = await _known(frame, sha256, of)
    etag = f'"{sha256}{f"-{w}" if w else ""}"'
    headers = {"Cache-Control": FOR_GOOD, "ETag": etag}
    if frame.request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if w:
        if w not in SIZES:
            raise NotFound("Pictures come in " + ", ".join(map(str, SIZES)) + " pixels.")
        small = await frame.site.thumbs.get(sha256, w)
        return Response(small, media_type="image/webp", headers=headers)
    data = await frame.house.blobs.get(sha256)
    mime = _mime(data)
    if download:
        suffix = mime.removeprefix("image/").replace("jpeg", "jpg")
        headers["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return Response(data, media_type=mime, headers=headers)


@router.get("/jobs/{job_id}/preview.jpg")
async def preview(frame: Framed, job_id: str) -> Response:
    """The newest preview of a running job; nothing (204) once it has ended."""
    if not is_id(job_id):
        raise NotFound("That isn't a job.")
    async with frame.house.store.read() as tx:
        job = await tx.jobs.get(job_id)
        if not await Sight(tx, frame.visitor.person).job(job):
            raise NotFound("That job isn't one that you can see.")
    live = frame.house.live.get(job_id)
    if live is None or not live.preview:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    return Response(live.preview, media_type="image/jpeg", headers={"Cache-Control": SHORTLY})


async def _known(frame: Frame, sha256: str, of: str) -> str:
    """A name for the file, if it belongs to what the visitor may see. Raises NotFound."""
    if is_sha256(sha256) and is_id(of):
        async with frame.house.store.read() as tx:
            try:
                asset = await tx.assets.get(of)
            except NotFound:
                asset = None
            if asset is not None:
                known = {asset.file_hash, *(r.file_hash for r in asset.renditions)}
                if sha256 in known and await Sight(tx, frame.visitor.person).asset(asset):
                    return f"{asset.brand}-{asset.id}"
        if asset is None and (await visible_message(frame, of)).blob == sha256:
            return f"picture-{of}"
    raise NotFound("That picture doesn't exist, or it isn't one that you can see.")


def _mime(data: bytes) -> str:
    """By the first bytes, never by what somebody says. Raises NotFound for what is no picture."""
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return mime
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise NotFound("That file isn't a picture.")
