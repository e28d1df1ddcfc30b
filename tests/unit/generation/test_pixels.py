"""Input pictures are read with suspicion; output is plain, equal and small."""

import contextlib
import io
import struct
import warnings
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from brand.spec import SpecInvalid
from generation.pixels import enlarged, fitted, read_picture, to_png, to_preview


def picture() -> Image.Image:
    image = Image.new("RGB", (40, 24), "teal")
    ImageDraw.Draw(image).ellipse((4, 4, 30, 20), fill="orange")
    return image


def as_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def read(folder: Path, data: bytes) -> Image.Image:
    (folder / "input").write_bytes(data)
    return read_picture(folder / "input")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "PNG"),
        ("L", "PNG"),
        ("P", "PNG"),
        ("I;16", "PNG"),
        ("CMYK", "JPEG"),
        ("RGBA", "WEBP"),
    ],
)
def test_every_kind_of_picture_becomes_rgb(tmp_path: Path, mode: str, kind: str) -> None:
    source = picture().convert("L").convert(mode) if mode == "I;16" else picture().convert(mode)
    found = read(tmp_path, as_bytes(source, kind))
    assert (found.mode, found.size) == ("RGB", (40, 24))


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    found = read(tmp_path, as_bytes(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG"))
    assert found.getpixel((1, 1)) == (255, 255, 255)


def test_a_turned_photograph_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    assert read(tmp_path, as_bytes(picture(), "JPEG", exif=exif)).size == (24, 40)


def bomb(side: int = 20_000) -> bytes:
    """A PNG that claims so many pixels a side in a few bytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        as_bytes(picture(), "GIF"),
        as_bytes(picture(), "BMP"),
        as_bytes(picture(), "TIFF"),
        as_bytes(picture(), "PNG")[:60],
        as_bytes(picture(), "JPEG")[:300],
        b"\x89PNG\r\n\x1a\n",
        bomb(),
    ],
    ids=["empty", "svg", "gif", "bmp", "tiff", "half png", "half jpeg", "magic only", "bomb"],
)
def test_anything_else_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SpecInvalid, match="reference picture"):
        read(tmp_path, data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_too_many_pixels_is_refused_with_their_number(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match="10000×10000 pixels; at most 64 million"):
        read(tmp_path, bomb(10_000))


class _Watching(type(Path())):  # type: ignore[misc]
    """A path that notes which filters are in force when its file is opened."""

    def __fspath__(self) -> str:
        self.seen = list(warnings.filters)
        return super().__fspath__()  # type: ignore[no-any-return]


def test_reading_leaves_the_filters_of_warnings_alone_which_all_threads_share(
    tmp_path: Path,
) -> None:
    path = _Watching(tmp_path / "input")
    path.write_bytes(as_bytes(picture(), "PNG"))
    assert read_picture(path).size == (40, 24)
    assert path.seen == list(warnings.filters)


def _mutant(data: st.DataObject) -> bytes:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"]))
    mutant = bytearray(as_bytes(picture(), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(mutant) - 1))
        if data.draw(st.booleans()):
            mutant[at] = data.draw(st.integers(0, 255))
        else:
            del mutant[at : at + data.draw(st.integers(1, len(mutant) // 4))]
            mutant += b"\0"
    return bytes(mutant)


def _read_or_refuse(folder: Path, data: bytes) -> None:
    with contextlib.suppress(SpecInvalid):
        assert read(folder, data).mode == "RGB"


@settings(
    max_examples=200, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_picture_is_read_or_refused_and_nothing_else(
    tmp_path: Path, data: st.DataObject
) -> None:
    _read_or_refuse(tmp_path, _mutant(data))


@pytest.mark.deep
@settings(
    max_examples=2000, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_two_thousand_damaged_pictures_are_read_or_refused(
    tmp_path: Path, data: st.DataObject
) -> None:
    _read_or_refuse(tmp_path, _mutant(data))


def test_fitting_keeps_proportions_and_enlarging_multiplies() -> None:
    wide = Image.new("RGB", (90, 30), "red")
    wide.paste("blue", (30, 0, 60, 30))
    assert fitted(wide, 30, 30).getcolors() == [(900, (0, 0, 255))]
    assert fitted(wide, 90, 30) is wide
    assert enlarged(wide, 3).size == (270, 90)
    assert enlarged(wide, 1) is wide


def test_equal_pixels_give_equal_files_without_metadata() -> None:
    marked = picture()
    marked.info["dpi"] = (300, 300)
    marked.info["Comment"] = "secret"
    assert to_png(marked) == to_png(picture())
    assert not Image.open(io.BytesIO(to_png(marked))).info


def test_a_preview_is_small_and_leaves_the_picture_alone() -> None:
    large = picture().resize((800, 400))
    preview = Image.open(io.BytesIO(to_preview(large)))
    assert (preview.format, preview.size, large.size) == ("JPEG", (256, 128), (800, 400))
