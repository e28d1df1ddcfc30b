"""A contact sheet: pictures side by side in rows, each with lines of text below it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

TILE = 320
"""Longest side of a picture on the sheet, in pixels."""
GAP = 16
TEXT_SIZE = 14
LINE_HEIGHT = 20
INK, QUIET, PAPER, EMPTY = (24, 24, 27), (96, 96, 104), (255, 255, 255), (232, 232, 236)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture of the sheet; without a PNG its place stays empty."""

    png: bytes = field(default=b"", repr=False)
    lines: tuple[str, ...] = ()
    """The first one stands out."""


def contact_sheet(rows: Sequence[Sequence[Tile]], *, title: str = "") -> bytes:
    """The sheet as a PNG: one row after another, columns in line. Raises ValueError if empty."""
    if not rows or not all(rows):
        raise ValueError("a contact sheet needs at least one row of at least one picture")
    columns = max(len(row) for row in rows)
    lines = max(len(tile.lines) for row in rows for tile in row)
    cell = TILE + GAP + lines * LINE_HEIGHT
    top = GAP + (2 * LINE_HEIGHT if title else 0)
    sheet = Image.new("RGB", (GAP + columns * (TILE + GAP), top + len(rows) * (cell + GAP)), PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        _text(draw, (GAP, GAP), title, sheet.width - 2 * GAP, size=TEXT_SIZE + 4)
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            _place(sheet, draw, tile, GAP + x * (TILE + GAP), top + y * (cell + GAP))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _place(sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, x: int, y: int) -> None:
    if tile.png:
        with Image.open(io.BytesIO(tile.png)) as opened:
            picture = opened.convert("RGB")
        factor = TILE / max(picture.size)
        size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
        sheet.paste(picture, (x + (TILE - size[0]) // 2, y + (TILE - size[1]) // 2))
    else:
        draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), fill=EMPTY)
    for number, line in enumerate(tile.lines):
        at = (x, y + TILE + GAP // 2 + number * LINE_HEIGHT)
        _text(draw, at, line, TILE, color=QUIET if number else INK)


def _text(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    width: int,
    *,
    size: int = TEXT_SIZE,
    color: tuple[int, int, int] = INK,
) -> None:
    """One line, cut where it would run over its width."""
    font = ImageFont.load_default(size)
    shown = text
    while shown and draw.textlength(shown, font) > width:
        shown = shown.removesuffix("…")[:-1] + "…" if len(shown) > 1 else ""
    draw.text(at, shown, fill=color, font=font)
