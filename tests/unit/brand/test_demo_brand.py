"""The demo brand: its gate tells its pictures from others, and its words are the illustrator's."""

import numpy as np
import pytest

from brand.demo import demo_kit
from brand.gates import brand_passes, motif_gate, palette_gate
from brand.templates import Brief, compile_brief
from generation.illustrator.brand_pictures import PALETTE, brand_pictures
from generation.illustrator.captions import COLOR_WORDS, PRODUCT_WORDS
from generation.illustrator.drawing import draw
from generation.illustrator.prompts import scene_from_prompt
from generation.illustrator.scene import random_scene

KIT = demo_kit()
DRAWN = 200


def test_the_illustrator_paints_in_the_kits_colours() -> None:
    assert {color.name: color.rgb for color in KIT.palette} == PALETTE


def test_the_brand_gate_tells_drawn_brand_pictures_from_others() -> None:
    own = [np.asarray(picture.image) for picture in brand_pictures(DRAWN, 501)]
    rng = np.random.default_rng(502)
    other = [np.asarray(draw(random_scene(rng, training=False))) for _ in range(DRAWN)]
    assert sum(brand_passes(pixels, KIT) for pixels in own) >= 0.95 * DRAWN
    assert sum(not brand_passes(pixels, KIT) for pixels in other) >= 0.95 * DRAWN
    # Neither half says yes to everything.
    assert sum(palette_gate(pixels, KIT).passed is False for pixels in other) > 0.5 * DRAWN
    assert sum(motif_gate(pixels, KIT).passed is False for pixels in other) > 0.5 * DRAWN


@pytest.mark.parametrize("template", [item.name for item in KIT.templates])
def test_every_value_of_every_template_is_understood_by_the_illustrator(template: str) -> None:
    found = KIT.template(template)
    assert found is not None
    for variable in found.variables:
        for value in variable.values:
            brief = Brief(words="", template=template, variables=((variable.name, value),))
            prompt = compile_brief(brief, KIT, 1).prompt
            scene = scene_from_prompt(prompt, "", 1)
            if variable.name == "PRODUCT":
                assert scene.product == value
            elif variable.name == "COLOR":
                assert scene.color == value
            elif variable.name == "LIGHT":
                assert scene.lighting == value.split()[0]
            elif variable.name in ("GROUND", "FIRST"):
                assert scene.backdrop_color == value


def test_the_kits_products_and_colours_are_the_demo_models() -> None:
    product = KIT.template("product")
    assert product is not None
    values = {variable.name: set(variable.values) for variable in product.variables}
    assert values["PRODUCT"] == set(PRODUCT_WORDS)
    assert values["COLOR"] == set(COLOR_WORDS)
