"""A brief's ways held against the kit: what is allowed becomes the recipe, the rest is refused."""

from dataclasses import replace

import pytest

from brand.brief import Brief, ControlWish
from brand.demo import demo_kit
from brand.errors import BriefRefused, MissingValue, OutOfRange, UnknownChoice
from brand.kit import WayPolicy
from brand.spec import ControlUse, HighRes, InitImage, Mask, Outpaint, RenderSpec
from brand.staging import first_stage, later_stage, pictures_from, recipe_of, stage_mask
from brand.templates import compile_brief

KIT = demo_kit()
ONE, TWO = "1" * 64, "2" * 64


def compiled(**fields: object) -> RenderSpec:
    """The recipe of a brief with these fields, by the demo kit."""
    return compile_brief(replace(Brief(words="a red mug"), **fields), KIT, 42)


def refused(kit_ways: WayPolicy = KIT.ways, **fields: object) -> BriefRefused:
    with pytest.raises(BriefRefused) as found:
        compile_brief(replace(Brief(words="a red mug"), **fields), replace(KIT, ways=kit_ways), 42)
    return found.value


def test_a_mask_paints_a_part_all_anew_unless_said_otherwise() -> None:
    spec = compiled(reference=ONE, mask=TWO, invert=True)
    assert spec.mask == Mask(sha256=TWO, invert=True)
    assert spec.init == InitImage(sha256=ONE, strength=1.0)
    assert compiled(reference=ONE, mask=TWO, strength=0.4).init == InitImage(
        sha256=ONE, strength=0.4
    )
    assert set(spec.inputs) >= {ONE, TWO}


def test_outpainting_a_second_pass_and_controls_become_parts_of_the_recipe() -> None:
    spec = compiled(reference=ONE, outpaint=Outpaint(left=32), highres=2)
    assert (spec.outpaint, spec.highres) == (Outpaint(left=32), HighRes(scale=2.0))
    assert spec.output_size == (256, 256)
    led = compiled(controls=(ControlWish(kind="Canny", picture=TWO, weight=0.8, end=0.5),))
    assert led.controls == (ControlUse(kind="canny", sha256=TWO, weight=0.8, end=0.5),)
    assert led.init is None


def test_a_brief_without_ways_keeps_its_recipe() -> None:
    assert "mask" not in compiled().to_dict()
    assert compiled().hash == compiled(fresh=True).hash


@pytest.mark.parametrize(
    ("fields", "field", "setting"),
    [
        ({"reference": ONE, "mask": TWO}, "mask", "inpaint = true"),
        ({"reference": ONE, "outpaint": Outpaint(left=8)}, "outpaint", "outpaint = true"),
        ({"controls": (ControlWish(kind="canny", picture=ONE),)}, "control", "controls"),
        ({"like": ONE}, "like", "image_prompt = true"),
        ({"highres": 2.0}, "highres", "highres = 2"),
        ({"reference": ONE}, "reference", "image = true"),
    ],
)
def test_what_the_kit_does_not_allow_is_refused_with_whom_to_ask(
    fields: dict[str, object], field: str, setting: str
) -> None:
    found = refused(WayPolicy(image=False), **fields)
    assert found.field == field
    assert setting in str(found)
    assert KIT.owner in str(found)
    assert "Nothing was queued" in str(found)


@pytest.mark.parametrize(
    ("fields", "kind", "says"),
    [
        ({"mask": ONE}, BriefRefused, "there is none"),
        ({"outpaint": Outpaint(left=8)}, BriefRefused, "there is none"),
        (
            {"reference": ONE, "mask": TWO, "outpaint": Outpaint(left=8)},
            BriefRefused,
            "not both at once",
        ),
        ({"reference": ONE, "outpaint": Outpaint(left=4096)}, BriefRefused, "no room"),
        ({"controls": (ControlWish(kind="cany", picture=ONE),)}, UnknownChoice, "`canny`"),
        ({"controls": (ControlWish(kind="canny"),)}, BriefRefused, "upload it first"),
        (
            {"controls": (ControlWish(kind="canny", picture=ONE, weight=9),)},
            OutOfRange,
            "control weight",
        ),
        (
            {"controls": (ControlWish(kind="canny", picture=ONE, start=0.5, end=0.5),)},
            OutOfRange,
            "before it ends",
        ),
        (
            {"controls": (ControlWish(kind="canny", picture=ONE),) * 5},
            OutOfRange,
            "At most 4",
        ),
        ({"highres": 3.0}, OutOfRange, "between 1 and 2"),
        ({"highres": float("nan")}, OutOfRange, "highres"),
        ({"highres": 2.0, "highres_strength": 0.01}, OutOfRange, "between 0.05 and 1"),
        ({"highres": 2.0, "highres_steps": 0}, OutOfRange, "`highres_steps` must be between 1"),
        ({"highres": 2.0, "highres_steps": 1000}, OutOfRange, "`highres_steps` must be between 1"),
        ({"highres_strength": 0.4}, BriefRefused, "`highres_strength` is of a second pass"),
        ({"highres_steps": 9}, BriefRefused, "`highres_steps` is of a second pass"),
        ({"like_weight": 0.5}, BriefRefused, "there is none"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    fields: dict[str, object], kind: type[BriefRefused], says: str
) -> None:
    found = refused(**fields)
    assert type(found) is kind
    assert says in str(found)


def test_a_recipes_stages_are_compiled_from_the_picture_before() -> None:
    brief = Brief(words="a red mug", recipe="Scene", n=2, highres=2, highres_steps=9)
    recipe = recipe_of(brief, KIT)
    assert recipe is not None
    base = first_stage(brief, KIT, recipe, 7)
    assert [spec.seed for spec in base] == [7, 8]
    assert all(spec.highres is None and spec.init is None for spec in base)
    [background] = later_stage(brief, KIT, recipe, 1, seed=7, file=ONE, mask=TWO)
    assert (background.init, background.mask) == (
        InitImage(sha256=ONE, strength=1.0),
        Mask(sha256=TWO),
    )
    moods = later_stage(brief, KIT, recipe, 2, seed=7, file=ONE, mask="")
    assert [spec.mask for spec in moods] == [None, None]
    assert all(spec.highres == HighRes(scale=2.0, steps=9) for spec in moods)
    assert "a red mug, warm morning light" in moods[0].prompt
    assert pictures_from(recipe, 0, 2) == 2 + 4


def test_a_recipe_with_an_upload_asks_for_it() -> None:
    stages = KIT.recipes[0].stages
    patched = replace(KIT.recipes[0], stages=(stages[0], replace(stages[1], mask="upload", box=())))
    kit = replace(KIT, recipes=(patched,))
    with pytest.raises(MissingValue):
        recipe_of(Brief(words="a mug", recipe="scene"), kit)
    assert recipe_of(Brief(words="a mug", recipe="scene", mask=ONE), kit) == patched
    with pytest.raises(UnknownChoice) as found:
        recipe_of(Brief(words="a mug", recipe="secne"), kit)
    assert found.value.suggestion == "scene"


def test_the_same_mask_is_the_same_file() -> None:
    stage = KIT.recipes[0].stages[1]
    assert stage_mask(stage, 64, 48) == stage_mask(stage, 64, 48)


def test_an_image_weight_goes_from_all_new_to_nearly_kept_by_way_of_the_kits_strength() -> None:
    usual = KIT.generation.strength
    assert compiled(reference=ONE, image_weight=0.0).init == InitImage(sha256=ONE, strength=1.0)
    assert compiled(reference=ONE, image_weight=1.0).init == compiled(reference=ONE).init
    halfway = compiled(reference=ONE, image_weight=2.0).init
    assert halfway == InitImage(sha256=ONE, strength=round((usual + 0.1) / 2, 4))
    assert compiled(reference=ONE, image_weight=3.0).init == InitImage(sha256=ONE, strength=0.1)


def test_an_image_weight_counts_under_a_mask_too() -> None:
    spec = compiled(reference=ONE, mask=TWO, image_weight=1.0)
    assert spec.init == InitImage(sha256=ONE, strength=KIT.generation.strength)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"image_weight": 1.0}, "there is none"),
        ({"reference": ONE, "image_weight": 3.1}, "between 0 and 3"),
        ({"reference": ONE, "image_weight": 1.0, "strength": 0.5}, "leave one out"),
    ],
)
def test_an_image_weight_that_means_nothing_is_refused(
    fields: dict[str, object], says: str
) -> None:
    assert says in str(refused(**fields))


def test_a_tile_is_asked_for_in_the_recipe() -> None:
    assert compiled(tile=True).tile
    assert "tile" not in compiled().to_dict()


def test_an_image_weight_belongs_to_the_reference_and_to_no_later_stage() -> None:
    recipe = KIT.recipes[0]
    brief = Brief(words="a red mug", recipe=recipe.name, reference=ONE, image_weight=3.0)
    if recipe.needs_mask:
        brief = replace(brief, mask=TWO)
    begun = first_stage(brief, KIT, recipe, 1)[0]
    later = later_stage(brief, KIT, recipe, 1, seed=1, file=TWO, mask=ONE)[0]
    assert begun.init == InitImage(sha256=ONE, strength=0.1)
    assert later.init is not None
    assert later.init.strength == 1.0  # as every part that is painted anew under a mask
