"""Pictures that come inside of requests: base64 texts, masks by transparency or by brightness."""

import asyncio
import base64
import binascii
import io

from PIL import Image, ImageOps

from bot.web.api.caller import Client
from bot.web.api.failures import ApiFailure
from bot.web.api.shapes import InputOut
from brand.pictures import FORMATS, MAX_BYTES, open_untrusted, to_png

_DATA = "data:"
MAX_TEXT = MAX_BYTES * 4 // 3 + 200
"""Characters of the largest picture as base64, with its prefix."""


async def keep(client: Client, data: bytes) -> InputOut:
    """The picture's pixels as a fresh file in the archive. Raises PictureRefused."""
    fresh, width, height = await asyncio.to_thread(_fresh, data)
    return InputOut(sha256=await client.house.blobs.put(fresh), width=width, height=height)


async def keep_mask(client: Client, data: bytes) -> InputOut:
    """A mask by transparency as one by brightness: white where it was transparent. Raises
    PictureRefused, ApiFailure for a picture without transparency."""
    fresh, width, height = await asyncio.to_thread(_by_brightness, data)
    return InputOut(sha256=await client.house.blobs.put(fresh), width=width, height=height)


def picture_bytes(text: str, field: str) -> bytes:
    """The bytes of a base64 picture, with or without `data:…;base64,`. Raises ApiFailure."""
    if text[: len(_DATA)].lower() == _DATA:
        head, _, text = text.partition(",")
        if not head.lower().endswith(";base64"):
            raise _no_picture(field)
    if len(text) > MAX_TEXT:
        raise ApiFailure(
            status=413,
            code="too_large",
            detail=f"`{field}` has more than {MAX_BYTES:,} bytes. Scale it down.",
            param=field,
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _no_picture(field) from exc


def _no_picture(field: str) -> ApiFailure:
    return ApiFailure(
        status=422,
        code="not_base64",
        detail=f"`{field}` isn't a base64 PNG, JPEG or WebP.",
        param=field,
    )


def _fresh(data: bytes) -> tuple[bytes, int, int]:
    image = open_untrusted(data, max_bytes=MAX_BYTES)
    return to_png(image), image.width, image.height


def _by_brightness(data: bytes) -> tuple[bytes, int, int]:
    open_untrusted(data, max_bytes=MAX_BYTES)  # judges the file; what follows trusts its pixels
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        if "A" not in image.getbands() and "transparency" not in image.info:
            raise ApiFailure(
                status=422,
                code="no_transparency",
                detail="The mask has no transparent part: transparent is what is painted anew.",
                param="mask",
            )
        alpha = ImageOps.exif_transpose(image).convert("RGBA").getchannel("A")
    white = ImageOps.invert(alpha).convert("RGB")
    return to_png(white), white.width, white.height
