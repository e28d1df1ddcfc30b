"""Pictures from outside, opened without trust; and the way between PNG bytes, pixels and hashes.

The pixel cap is checked between reading the header and reading the pixels. Pillow's own warnings
are not turned into errors by the `warnings` module: its filters belong to the whole process, and
two threads that set and restore them at once would leave them changed for good. What those
warnings are about (size, broken metadata) is refused or thrown away here.
"""

import hashlib
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from brand.color import PixelArray
from brand.errors import NotAPicture, PictureDamaged, PictureTooLarge

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 20_000_000
MAX_PIXELS = 4096 * 4096
"""Limits of a picture from outside."""
OWN_MAX_PIXELS = 16384 * 16384
"""Our own finished pictures may be enlarged ones."""

_BROKEN = (
    OSError,
    SyntaxError,  # Pillow's word for a broken PNG
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    MemoryError,
    NotImplementedError,
    SystemError,
    AssertionError,
    struct.error,
    zlib.error,
)
"""What Pillow and its codecs raise on damaged files, in this release or in one before it."""


def open_untrusted(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """The first frame of a PNG, JPEG or WebP: RGB, upright, over white, without any metadata.

    Raises the PictureRefused tree: NotAPicture, PictureTooLarge, PictureDamaged.
    """
    if len(data) > max_bytes:
        raise PictureTooLarge(
            f"The picture has {len(data):,} bytes; at most {max_bytes:,} are read. "
            "Scale it down and send it again."
        )
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_pixels(image.size, max_pixels)
            return _bare(_flat(_upright(image)))
    except UnidentifiedImageError as exc:
        raise NotAPicture(
            "This isn't a PNG, JPEG or WebP picture. Convert it and send it again."
        ) from exc
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise PictureTooLarge(
            f"The picture has more than {max_pixels:,} pixels. Scale it down and send it again."
        ) from exc
    except _BROKEN as exc:
        raise PictureDamaged(
            "The picture's file is damaged. Export it again from where it was made."
        ) from exc


def reencoded(data: bytes) -> bytes:
    """A picture from outside as fresh PNG bytes: same pixels, nothing else. Raises as above."""
    return to_png(open_untrusted(data))


def to_png(image: Image.Image) -> bytes:
    """PNG bytes of an RGB picture, without metadata."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def to_pixels(data: bytes) -> PixelArray:
    """Pixels (uint8, H x W x 3) of one of our own picture files. Raises as `open_untrusted`."""
    image = open_untrusted(data, max_bytes=len(data), max_pixels=OWN_MAX_PIXELS)
    return np.asarray(image, dtype=np.uint8)


def pixel_hash(image: Image.Image) -> str:
    """SHA-256 over mode, size and raw RGB: equal pixels, equal hash, whatever the file."""
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    digest = hashlib.sha256(f"RGB {rgb.width}x{rgb.height}\n".encode())
    digest.update(rgb.tobytes())
    return digest.hexdigest()


def pixel_hash_of_file(data: bytes) -> str:
    """The pixel hash of one of our own picture files. Raises as `open_untrusted`."""
    return pixel_hash(open_untrusted(data, max_bytes=len(data), max_pixels=OWN_MAX_PIXELS))


def _check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLarge(
            f"The picture has {width} × {height} pixels; at most {max_pixels:,} in all are read. "
            "Scale it down and send it again."
        )


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its camera says: that note is lost with the rest of the metadata."""
    return ImageOps.exif_transpose(image)


def _flat(image: Image.Image) -> Image.Image:
    """RGB, 8 bit; transparent parts over white."""
    if image.mode.startswith("I"):  # 16-bit grey, which convert() would clip instead of scaling
        grey = (np.asarray(image, dtype=np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(grey)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, rgba)
    return image.convert("RGB")


def _bare(image: Image.Image) -> Image.Image:
    """A new picture of the same pixels: no metadata can come along."""
    return Image.frombytes("RGB", image.size, image.tobytes())
