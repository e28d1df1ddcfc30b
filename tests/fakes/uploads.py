"""Pictures that people in a town bring."""

import io

from PIL import Image

from bot.core.uploads import bring
from tests.fakes.town import Town


def png(color: str = "red", size: tuple[int, int] = (64, 64)) -> bytes:
    """A flat picture's file."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


async def brought(town: Town, who: str = "mia", color: str = "red") -> str:
    """The hash of a picture that this person has brought."""
    return (await bring(town.house, town.people[who], png(color), brand="acme")).sha256
