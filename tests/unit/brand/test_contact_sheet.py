"""The contact sheet: every picture in its place, whatever its shape."""

import io

import pytest
from PIL import Image

from brand.contact_sheet import EMPTY, GAP, TILE, Tile, contact_sheet


def png(color: tuple[int, int, int], size: tuple[int, int] = (40, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


def opened(sheet: bytes) -> Image.Image:
    return Image.open(io.BytesIO(sheet)).convert("RGB")


def middle(column: int, row: int, lines: int = 0) -> tuple[int, int]:
    cell = TILE + GAP + lines * 20
    return GAP + column * (TILE + GAP) + TILE // 2, GAP + row * (cell + GAP) + TILE // 2


def test_pictures_stand_in_rows_and_columns() -> None:
    sheet = opened(
        contact_sheet(
            [
                [Tile(png=png((250, 0, 0))), Tile(png=png((0, 250, 0)))],
                [Tile(png=png((0, 0, 250)))],
            ]
        )
    )
    assert sheet.getpixel(middle(0, 0)) == (250, 0, 0)
    assert sheet.getpixel(middle(1, 0)) == (0, 250, 0)
    assert sheet.getpixel(middle(0, 1)) == (0, 0, 250)


def test_a_wide_picture_keeps_its_shape() -> None:
    sheet = opened(contact_sheet([[Tile(png=png((9, 9, 9), (400, 100)))]]))
    x, y = middle(0, 0)
    assert sheet.getpixel((x, y)) == (9, 9, 9)
    assert sheet.getpixel((x, y + TILE // 4)) != (9, 9, 9), "a quarter as high as wide"


def test_a_missing_picture_leaves_its_place_empty() -> None:
    sheet = opened(contact_sheet([[Tile(lines=("model-b", "needs more memory"))]]))
    assert sheet.getpixel(middle(0, 0, lines=2)) == EMPTY


def test_a_long_line_does_not_run_into_the_next_picture() -> None:
    # One picture a row, so that only paper stands right of the text.
    alone = opened(contact_sheet([[Tile(png=png((9, 9, 9)), lines=("word " * 200,))]]))
    right = alone.crop((alone.width - GAP, 0, alone.width, alone.height))
    assert right.getextrema() == ((255, 255), (255, 255), (255, 255))


@pytest.mark.parametrize("rows", [[], [[]]])
def test_an_empty_sheet_is_refused(rows: list[list[Tile]]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet(rows)
