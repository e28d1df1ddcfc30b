"""A reference picture from a file: checked and written anew, so that nothing odd gets in."""

from pathlib import Path

from bot.core.errors import NotFound
from brand.pictures import reencoded


def read_picture(path: Path) -> bytes:
    """The picture in this file as a PNG. Raises NotFound and PictureRefused."""
    try:
        data = path.read_bytes()
    except OSError as exc:
        why = exc.strerror or type(exc).__name__
        raise NotFound(
            f"{path} can't be read: {why}.", fix="--ref takes a picture file or a picture's id."
        ) from exc
    return reencoded(data)
