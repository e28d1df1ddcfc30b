"""The label of a picture: written into its master file and every rendition, and read back.

Order of writing: pixels, then text and XMP, then (where it is installed) C2PA, then upload exactly
those bytes. The label is XMP (ISO 16684-1) with IPTC's DigitalSourceType
(https://cv.iptc.org/newscodes/digitalsourcetype/), the asset's id and, if the kit says so, the
prompt. Pillow writes `xmp=` into JPEG and WebP but ignores it for PNG, which has its own chunk.
"""

import io
import re
from dataclasses import dataclass
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from brand.errors import LabelUnreadable
from brand.infotext import PARAMETERS_CHUNK, infotext
from brand.kit import BrandKit
from brand.pictures import FORMATS, OWN_MAX_PIXELS, open_untrusted, pixel_hash
from brand.spec import RenderSpec
from brand.words import clean

_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
AI_MADE = f"{_SOURCE}trainedAlgorithmicMedia"
AI_AND_PHOTO = f"{_SOURCE}compositeWithTrainedAlgorithmicMedia"
SOURCE_TYPES = (AI_MADE, AI_AND_PHOTO)
TOOL = "Housestyle"
MASTER = "master"
MIME = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
TRANSFORMS = {"png": "labelled-png", "jpeg": "jpeg", "webp": "webp"}
"""Names of the renditions by file format. Only a PNG keeps the master's pixels bit for bit."""
SMALLER = "smaller-jpeg"
"""Made where no other file is small enough for one of the kit's channels."""
QUALITIES = (90, 80, 70)
"""Of JPEG, one after the other before pixels are given up."""
PNG_XMP_CHUNK = "XML:com.adobe.xmp"
MAX_XMP = 65_000
"""Bytes; a JPEG segment holds 65,502."""

_NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}
_ASSET_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a picture's file says of itself."""

    asset: str
    source_type: str = AI_MADE
    """One of SOURCE_TYPES."""
    creator: str = ""
    prompt: str = ""

    def __post_init__(self) -> None:
        if self.source_type not in SOURCE_TYPES:
            raise ValueError(f"{self.source_type!r} is no DigitalSourceType of ours")
        if not _ASSET_ID.fullmatch(self.asset):
            raise ValueError("an asset id has 1 to 64 letters, digits, _ and -")


@dataclass(frozen=True, kw_only=True)
class LabelledFile:
    """A finished file and what is known of it. `transform` names how it was made."""

    transform: str
    data: bytes
    mime: str
    pixel_hash: str
    width: int
    height: int


def label_for(
    spec: RenderSpec, kit: BrandKit, asset_id: str, *, from_photo: bool | None = None
) -> Label:
    """The label of a published file. `from_photo` None: a recipe with a reference has a photo."""
    composite = spec.init is not None if from_photo is None else from_photo
    return Label(
        asset=asset_id,
        source_type=AI_AND_PHOTO if composite else AI_MADE,
        creator=kit.label.creator,
        prompt=spec.prompt if kit.label.prompt_in_published_file else "",
    )


def make_master(
    png: bytes,
    spec: RenderSpec,
    kit: BrandKit,
    *,
    asset_id: str,
    weights: str = "",
    from_photo: bool | None = None,
) -> LabelledFile:
    """The lossless file of the archive: PNG with the whole recipe as infotext, and the label.

    `png` is the renderer's picture; `weights` is the model's hash. The pixels stay as they are.
    Raises the PictureRefused tree.
    """
    image = _own_picture(png)
    label = label_for(spec, kit, asset_id, from_photo=from_photo)
    text = {PARAMETERS_CHUNK: infotext(spec, weights=weights)}
    return _file(MASTER, "png", image, _png(image, label, text))


def make_renditions(
    png: bytes, spec: RenderSpec, kit: BrandKit, *, asset_id: str, from_photo: bool | None = None
) -> tuple[LabelledFile, ...]:
    """The files that the kit publishes, in its order, each labelled; no prompt unless it says so.
    Where none of them is small enough for one of the kit's channels, one more that is.

    Raises the PictureRefused tree.
    """
    image = _own_picture(png)
    label = label_for(spec, kit, asset_id, from_photo=from_photo)
    files: list[LabelledFile] = []
    for kind in kit.label.renditions:
        if kind == "png":
            data, shown = _png(image, label, {}), image
        else:
            data = _lossy(image, label, kind, kit.label.quality)
            shown = _own_picture(data)
        files.append(_file(TRANSFORMS[kind], kind, shown, data))
    limit = kit.max_file
    if limit is not None and all(len(file.data) > limit for file in files):
        files.append(_smaller(image, label, limit))
    return tuple(files)


def _smaller(image: Image.Image, label: Label, limit: int) -> LabelledFile:
    """The picture in at most so many bytes: as a JPEG, if need be with fewer pixels."""
    shown = image
    while True:
        for quality in QUALITIES:
            data = _lossy(shown, label, "jpeg", quality)
            if len(data) <= limit or max(shown.size) == 1:
                return _file(SMALLER, "jpeg", _own_picture(data), data)
        sides = [max(side * 3 // 4, 1) for side in shown.size]
        shown = shown.resize((sides[0], sides[1]), Image.Resampling.LANCZOS)


def read_label(data: bytes) -> Label | None:
    """The label of a PNG, JPEG or WebP, or None where there is none of ours.

    Raises PictureDamaged or NotAPicture for other bytes, LabelUnreadable for a broken label.
    """
    packet = _packet(data)
    if not packet:
        return None
    found = _properties(packet)
    source_type = found.get("DigitalSourceType", "")
    if not source_type:
        return None
    try:
        return Label(
            asset=found.get("identifier", ""),
            source_type=source_type,
            creator=found.get("creator", ""),
            prompt=found.get("description", ""),
        )
    except ValueError as exc:
        raise LabelUnreadable(f"The picture's label is not one of ours: {exc}.") from exc


def xmp_packet(label: Label) -> bytes:
    """The label as an XMP packet, UTF-8."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    creator = (
        f"<dc:creator><rdf:Seq><rdf:li>{_text(label.creator)}</rdf:li></rdf:Seq></dc:creator>"
        if label.creator
        else ""
    )
    prompt = (
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
        f"{_text(label.prompt)}</rdf:li></rdf:Alt></dc:description>"
        if label.prompt
        else ""
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {spaces}><rdf:Description rdf:about="" '
        f'Iptc4xmpExt:DigitalSourceType="{_text(label.source_type)}" xmp:CreatorTool="{TOOL}">'
        f"<dc:identifier>{_text(label.asset)}</dc:identifier>{creator}{prompt}"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def _text(text: str) -> str:
    return escape(clean(text))


def _own_picture(data: bytes) -> Image.Image:
    return open_untrusted(data, max_bytes=len(data), max_pixels=OWN_MAX_PIXELS)


def _file(transform: str, kind: str, image: Image.Image, data: bytes) -> LabelledFile:
    return LabelledFile(
        transform=transform,
        data=data,
        mime=MIME[kind],
        pixel_hash=pixel_hash(image),
        width=image.width,
        height=image.height,
    )


def _png(image: Image.Image, label: Label, texts: dict[str, str]) -> bytes:
    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    info.add_itxt(PNG_XMP_CHUNK, xmp_packet(label).decode())
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _lossy(image: Image.Image, label: Label, kind: str, quality: int) -> bytes:
    options: dict[str, Any] = {"subsampling": 0, "optimize": True} if kind == "jpeg" else {}
    try:
        return _saved(image, label, kind, quality, options)
    except OSError:
        # Pillow keeps an optimized JPEG in a buffer of a byte a pixel: for noise that is too small.
        return _saved(image, label, kind, quality, options | {"optimize": False})


def _saved(
    image: Image.Image, label: Label, kind: str, quality: int, options: dict[str, Any]
) -> bytes:
    out = io.BytesIO()
    image.save(out, kind.upper(), quality=quality, xmp=xmp_packet(label), **options)
    return out.getvalue()


def _packet(data: bytes) -> bytes:
    open_untrusted(data, max_bytes=len(data), max_pixels=OWN_MAX_PIXELS)
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        image.load()
        raw = image.info.get("xmp") or image.info.get(PNG_XMP_CHUNK) or b""
    packet = raw.encode() if isinstance(raw, str) else bytes(raw)
    if len(packet) > MAX_XMP:
        raise LabelUnreadable(f"The picture's label has more than {MAX_XMP:,} bytes.")
    return packet


def _properties(packet: bytes) -> dict[str, str]:
    """The properties of the packet by their local names; of a list the first item."""
    try:
        root = fromstring(packet, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as exc:
        raise LabelUnreadable(f"The picture's label is not readable XMP: {exc}.") from exc
    found: dict[str, str] = {}
    for description in root.iter(f"{{{_NAMESPACES['rdf']}}}Description"):
        for name, value in description.attrib.items():
            found.setdefault(_local(name), value)
        for child in description:
            found.setdefault(_local(child.tag), _first_text(child))
    return found


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _first_text(element: Element) -> str:
    return next((text.strip() for text in element.itertext() if text.strip()), "")
