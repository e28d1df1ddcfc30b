"""Pictures in and out of the engines: guarded reading, PNG, previews, plain enlarging.

Pillow's own warning of a huge picture is not made an error: the filters of `warnings` belong to
the whole process, and many threads read pictures. What it warns of is refused by its size.
"""

import io
from pathlib import Path

from PIL import Image, ImageOps

from brand.spec import SpecInvalid

MAX_INPUT_PIXELS = 64_000_000
INPUT_FORMATS = ("PNG", "JPEG", "WEBP")
PREVIEW_SIDE = 256
"""Longest side of a preview in pixels."""
_PREVIEW_QUALITY = 75
_PNG_LEVEL = 4
"""Of 9: level 6 costs three times as long and saves a twentieth."""
_LANCZOS = Image.Resampling.LANCZOS


def read_picture(path: Path) -> Image.Image:
    """An input picture as upright RGB, transparency laid on white. Raises SpecInvalid."""
    try:
        with Image.open(path, formats=INPUT_FORMATS) as image:
            if image.width * image.height > MAX_INPUT_PIXELS:
                raise SpecInvalid(
                    f"the reference picture has {image.width}×{image.height} pixels; "
                    f"at most {MAX_INPUT_PIXELS // 1_000_000} million are taken"
                )
            return _flat(ImageOps.exif_transpose(image))
    except SpecInvalid:
        raise
    except (
        OSError,
        SyntaxError,  # what Pillow says of some broken PNG files
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,  # where the whole process makes errors of warnings
    ) as exc:
        raise SpecInvalid("the reference picture is no readable PNG, JPEG or WebP file") from exc


def _flat(image: Image.Image) -> Image.Image:
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture at this size: its middle, never squeezed (Lanczos)."""
    if image.size == (width, height):
        return image
    return ImageOps.fit(image, (width, height), method=_LANCZOS)


def enlarged(image: Image.Image, factor: int) -> Image.Image:
    """The picture a whole factor larger (Lanczos)."""
    if factor == 1:
        return image
    return image.resize((image.width * factor, image.height * factor), _LANCZOS)


def to_png(image: Image.Image) -> bytes:
    """RGB, 8 bit, lossless, without metadata: equal pixels give equal bytes."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=_PNG_LEVEL)
    return out.getvalue()


def to_preview(image: Image.Image) -> bytes:
    """A small JPEG, at most PREVIEW_SIDE on its longest side."""
    small = image.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=_PREVIEW_QUALITY)
    return out.getvalue()
