"""Pictures: mutants of five formats, files that pretend, bombs; by themselves and as uploads."""

import io
import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from brand.errors import PictureRefused
from brand.pictures import MAX_PIXELS, reencoded
from tests.fakes.portal import make_portal
from tests.hostile.score import Score, Taken

MUTANTS_A_FILE = 80
UPLOADS = 200
CANARY = b"hs-canary-in-metadata"
TAKEN = ("PNG", "JPEG", "WEBP")
REFUSED = ("GIF", "TIFF")
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


async def run() -> Score:
    """Try them all."""
    score, rng = Score(), random.Random(7)
    files = dict(_sound_files())
    for name, data in files.items():
        for number in range(MUTANTS_A_FILE):
            _try(score, f"{name} mutant {number}", mutant(data, rng))
    for name, data in _must_refuse(files):
        _try(score, name, data, must_refuse=True)
    for name, data in _polyglots(files):
        _try(score, name, data)
    await _uploads(score, files, rng)
    return score


def _try(score: Score, what: str, data: bytes, *, must_refuse: bool = False) -> None:
    with score.attempt(what, (PictureRefused,), must_refuse=must_refuse):
        _check_clean(reencoded(data))


def _check_clean(fresh: bytes) -> None:
    """Raises Taken unless it is a plain PNG of an allowed size that carries nothing along."""
    with Image.open(io.BytesIO(fresh), formats=("PNG",)) as image:
        image.load()
        if image.info or image.getexif() or CANARY in fresh or b"<script" in fresh:
            raise Taken("metadata came along")
        if image.width * image.height > MAX_PIXELS or image.mode != "RGB":
            raise Taken(f"it became {image.mode} {image.size}")


def _sound_files() -> Iterator[tuple[str, bytes]]:
    """Small files of five formats in several modes, each with a canary in its metadata."""
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()
    info = PngInfo()
    info.add_text("Comment", CANARY.decode())
    for kind in (*TAKEN, *REFUSED):
        for mode in ("RGB", "L", "P", "RGBA", "CMYK", "1"):
            options: dict[str, object] = {"pnginfo": info} if kind == "PNG" else {}
            if kind in ("JPEG", "WEBP"):
                options["exif"] = exif
            try:
                yield f"{kind} {mode}", _file(picture.convert(mode), kind, **options)
            except (OSError, ValueError):
                continue  # the format has no such mode
    sixteen = Image.fromarray(rng.integers(0, 65536, (16, 16), dtype=np.uint16))
    yield "PNG 16-bit", _file(sixteen, "PNG")
    for kind in ("WEBP", "PNG"):
        frames = [picture.rotate(turn) for turn in range(0, 90, 30)]
        yield f"{kind} animated", _file(frames[0], kind, save_all=True, append_images=frames[1:])


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def mutant(data: bytes, rng: random.Random) -> bytes:
    """The file with one to six cuts, flips, doublings or foreign numbers in it."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        if not changed:
            break
        at = rng.randrange(len(changed))
        match rng.randrange(5):
            case 0:
                del changed[at:]
            case 1:
                changed[at] ^= 1 << rng.randrange(8)
            case 2:
                changed[at : at + 4] = struct.pack(">I", rng.choice((0, 1, 2**31, 2**32 - 1)))
            case 3:
                changed[at:at] = changed[at : at + rng.randint(1, 60)]
            case _:
                del changed[at : at + rng.randint(1, 60)]
    return bytes(changed)


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 4_000_000, 9)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _must_refuse(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for size in ((20_000, 20_000), (65_535, 6_104), (2**31 - 1, 1), (2**31 - 1, 2**31 - 1)):
        yield f"bomb {size}", bomb(*size)
    many = Image.new("P", (2, 2))
    frames = [Image.new("P", (2, 2), turn % 256) for turn in range(1, 10_000)]
    yield "10,000 frames", _file(many, "GIF", save_all=True, append_images=frames)
    yield "an SVG with a script", SCRIPT
    yield "XML before an SVG", b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]>' + SCRIPT
    yield "HTML", b"<html><script>alert(1)</script></html>"
    yield "a PDF", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
    yield "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) print\n"
    yield "a zip", b"PK\x03\x04" + b"\0" * 200
    yield "an ELF program", b"\x7fELF" + b"\0" * 200
    yield "nothing", b""
    yield "only zeros", b"\0" * 1000
    yield "21 MB", files["PNG RGB"] + b"\0" * 21_000_000
    for kind in ("BMP", "ICO", "PPM", "TGA", "PCX", "DDS", "ICNS"):
        yield kind, _file(Image.new("RGB", (16, 16)), kind)
    for name, data in files.items():
        if name.startswith(REFUSED):
            yield f"{name} as it is", data
    for magic in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x10\0\0\0WEBPVP8 "):
        yield f"magic {magic[:4]!r} before a script", magic + SCRIPT


def _polyglots(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Sound pictures with something else behind or inside: only the pixels may come through."""
    zipped = b"PK\x05\x06" + b"\0" * 18
    for name, data in files.items():
        for label, more in (("script", SCRIPT), ("zip", zipped), ("canary", CANARY * 50)):
            yield f"{name} with a {label} behind", data + more


async def _uploads(score: Score, files: dict[str, bytes], rng: random.Random) -> None:
    """The same through the portal's chat: no answer may be a failure of ours."""
    portal = await make_portal()
    names = sorted(files)
    async with portal.browser("mia") as browser:
        for number in range(UPLOADS):
            name = rng.choice(names)
            with score.attempt(f"upload of a {name} mutant {number}"):
                answer = await browser.post(
                    "/chat/drafts",
                    data={"text": "/imagine a red mug"},
                    files={"picture": (f"../../{name}\0.png", mutant(files[name], rng), "x/y")},
                )
                if answer.status_code >= 500:
                    raise RuntimeError(f"the page answered {answer.status_code}")
        async for sha256 in portal.town.house.blobs.all():
            with score.attempt("what the uploads left"):
                _check_clean(await portal.town.house.blobs.get(sha256))
