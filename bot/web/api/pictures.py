"""Pictures that come inside of requests: base64 texts, masks by transparency or by brightness."""

import base64
import binascii
import io

from PIL import Image, ImageOps

from bot.core.uploads import bring
from bot.web.api.answered import InputOut
from bot.web.api.caller import Client
from bot.web.api.failures import ApiFailure
from brand.pictures import FORMATS, MAX_BYTES, open_untrusted

_DATA = "data:"
MAX_TEXT = MAX_BYTES * 4 // 3 + 200
"""Characters of the largest picture as base64, with its prefix."""


async def keep(client: Client, data: bytes, brand: str = "") -> InputOut:
    """The picture's pixels as a fresh file, for this client's person alone. Raises as `bring`."""
    kept = await bring(client.house, client.person, data, brand=brand)
    return InputOut(sha256=kept.sha256, width=kept.width, height=kept.height)


async def keep_mask(client: Client, data: bytes, brand: str) -> InputOut:
    """A mask by transparency as one by brightness: white where it was transparent. Raises as
    `bring`, and ApiFailure for a picture without transparency."""
    kept = await bring(client.house, client.person, data, brand=brand, opened=_by_brightness)
    return InputOut(sha256=kept.sha256, width=kept.width, height=kept.height)


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


def _by_brightness(data: bytes) -> Image.Image:
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
    return ImageOps.invert(alpha).convert("RGB")
