"""The lines of a picture's page that say in which ways it was made."""

from bot.web.making import ways_of
from brand.spec import (
    ControlUse,
    HighRes,
    ImagePrompt,
    InitImage,
    Mask,
    Outpaint,
    RenderSpec,
)

FILE = "ab" * 32
OTHER = "cd" * 32


def spec(**parts: object) -> RenderSpec:
    return RenderSpec(prompt="a red mug", model="demo", seed=1, **parts)  # type: ignore[arg-type]


def said(**parts: object) -> list[tuple[str, str, str]]:
    return [(way.label, way.value, way.file) for way in ways_of(spec(**parts))]


def test_a_picture_of_words_alone_has_no_lines() -> None:
    assert said() == []


def test_every_way_is_named_with_its_numbers_and_its_picture() -> None:
    lines = said(
        init=InitImage(sha256=FILE, strength=0.4),
        mask=Mask(sha256=OTHER),
        controls=(ControlUse(kind="canny", sha256=FILE, weight=0.8),),
        image_prompt=ImagePrompt(sha256=OTHER),
        highres=HighRes(scale=1.5, steps=12),
        upscale=2,
    )
    assert lines == [
        ("reference", "strength 0.4", FILE),
        ("mask", "white is painted anew", OTHER),
        ("led by", "canny × 0.8", FILE),
        ("image prompt", "× 0.6", OTHER),
        ("second pass", "× 1.5, strength 0.5, 12 steps", ""),
        ("enlarged", "× 2", ""),
    ]


def test_a_mask_the_other_way_round_says_so() -> None:
    lines = said(init=InitImage(sha256=FILE), mask=Mask(sha256=OTHER, invert=True))
    assert lines[1][1] == "black is painted anew"


def test_an_extended_picture_names_only_the_sides_that_grew() -> None:
    lines = said(init=InitImage(sha256=FILE), outpaint=Outpaint(left=64, bottom=32))
    assert lines[1] == ("extended", "64 px left, 32 px bottom", "")


def test_a_control_for_a_share_of_the_steps_says_which() -> None:
    use = ControlUse(kind="depth", sha256=FILE, start=0.25, end=0.75, ready=True)
    assert said(controls=(use,))[0][1] == "depth map, as given × 1, 25 to 75 % of the steps"
