"""The recipe of a picture that a client sends: from the archive, or as its own file tells it.

A published file carries no recipe, only the picture's id. Whoever may see that picture is told its
recipe, but only for exactly its pixels: an edited picture was not made by it.
"""

import asyncio
import io

from PIL import Image

from bot.core.errors import NotFound
from bot.core.seeing import Sight
from bot.web.api.caller import Client
from brand.errors import LabelUnreadable
from brand.infotext import PARAMETERS_CHUNK, infotext
from brand.pictures import FORMATS, MAX_BYTES, open_untrusted
from brand.provenance import read_label

MAX_RECIPE = 20_000
"""Characters of a recipe in a file; what is longer is none."""


async def recipe_of(client: Client, data: bytes) -> str:
    """The recipe as infotext; empty where there is none to tell. Raises PictureRefused."""
    asset_id, own = await asyncio.to_thread(_said, data)
    return (await _archived(client, asset_id, data) if asset_id else "") or own


async def _archived(client: Client, asset_id: str, data: bytes) -> str:
    house = client.house
    async with house.store.read() as tx:
        try:
            asset = await tx.assets.get(asset_id)
        except NotFound:
            return ""
        if not await Sight(tx, client.person).asset(asset):
            return ""
    if await house.studio.pixel_hash(data) != asset.pixel_hash:
        return ""
    return infotext(asset.spec, weights=asset.reproduction.weights)


def _said(data: bytes) -> tuple[str, str]:
    """The id in the file's label and the recipe in its text, each or an empty text."""
    open_untrusted(data, max_bytes=MAX_BYTES)  # judges the file before anything else reads it
    try:
        label = read_label(data)
    except LabelUnreadable:
        label = None
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        image.load()  # a PNG may have its texts behind the pixels
        text = image.info.get(PARAMETERS_CHUNK, "")
    said = str(text) if isinstance(text, str) and len(text) <= MAX_RECIPE else ""
    return label.asset if label else "", said
