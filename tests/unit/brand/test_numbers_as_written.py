"""A brief's numbers are rounded as its recipe writes them: what is rendered is what is kept."""

from dataclasses import replace

import pytest

from brand.brief import Brief, ControlWish
from brand.demo import demo_kit
from brand.errors import OutOfRange
from brand.kit import WayPolicy
from brand.spec import RenderSpec
from brand.templates import compile_brief

PICTURE = "b" * 64
KIT = replace(
    demo_kit(),
    ways=WayPolicy(image=True, controls=("canny",), image_prompt=True, highres=2.0),
)
FINE = 0.03125
"""With one decimal more than a recipe has."""


def controlled(start: float, end: float) -> Brief:
    wish = ControlWish(kind="canny", picture=PICTURE, weight=FINE, start=start, end=end)
    return Brief(words="a mug", controls=(wish,))


@pytest.mark.parametrize(
    "brief",
    [
        Brief(words="a mug", cfg=7 + FINE),
        Brief(words="a mug", reference=PICTURE, strength=FINE),
        Brief(words="a mug", like=PICTURE, like_weight=FINE),
        Brief(words="a mug", highres=1 + FINE),
        Brief(words="a mug", lora=f"{demo_kit().lora.default}:{0.5 + FINE}"),
        controlled(FINE, 0.5 + FINE),
    ],
)
def test_a_recipe_is_the_same_once_it_was_written_and_read(brief: Brief) -> None:
    spec = compile_brief(brief, KIT, 5)
    assert RenderSpec.decode(spec.encode()) == spec


def test_a_control_that_would_end_where_it_starts_is_refused_in_words() -> None:
    with pytest.raises(OutOfRange, match="starts before it ends"):
        compile_brief(controlled(0.30001, 0.30002), KIT, 5)
