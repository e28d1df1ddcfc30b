"""Inputs: pictures to start from, masks, pictures that lead the composition."""

import asyncio

from fastapi import APIRouter, Request

from bot.web.api.caller import Client, Submitting
from bot.web.api.documents import problems
from bot.web.api.shapes import InputOut
from brand.pictures import MAX_BYTES, open_untrusted, to_png

router = APIRouter(prefix="/v1/inputs", tags=["inputs"])
_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.put(
    "",
    response_model=InputOut,
    responses=problems(413, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": dict.fromkeys(("image/png", "image/jpeg", "image/webp"), _BINARY),
        }
    },
)
async def put(client: Submitting, request: Request) -> InputOut:
    """Take in a picture: made anew from its pixels, so that nothing but those is kept. One that no
    job names within 24 hours is forgotten."""
    return await keep(client, await request.body())


async def keep(client: Client, data: bytes) -> InputOut:
    """The picture's pixels as a fresh file in the archive. Raises PictureRefused."""
    fresh, width, height = await asyncio.to_thread(_fresh, data)
    return InputOut(sha256=await client.house.blobs.put(fresh), width=width, height=height)


def _fresh(data: bytes) -> tuple[bytes, int, int]:
    image = open_untrusted(data, max_bytes=MAX_BYTES)
    return to_png(image), image.width, image.height
