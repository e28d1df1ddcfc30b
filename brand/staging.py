"""Recipes in several stages: what each stage renders, from the pictures of the stage before."""

import io
from dataclasses import replace

from PIL import Image, ImageDraw

from brand.brief import Brief
from brand.errors import MissingValue, UnknownChoice
from brand.kit import INSIDE, UPLOAD, BrandKit, Recipe, Stage
from brand.spec import RenderSpec
from brand.templates import compile_brief
from brand.words import clean, nearest, one_of

WORDS = "[WORDS]"
NEW, KEPT = 255, 0
_ANY_FILE = "0" * 64
"""Stands for pictures that are not there yet, where it is only asked whether a stage could be."""


def recipe_of(brief: Brief, kit: BrandKit) -> Recipe | None:
    """The recipe that the brief names; None without one. Raises the BriefRefused tree."""
    if not brief.recipe:
        return None
    found = kit.recipe(clean(brief.recipe))
    names = tuple(recipe.name for recipe in kit.recipes)
    if found is None:
        suggestion = nearest(clean(brief.recipe), names)
        ask = f"Did you mean `{suggestion}`? " if suggestion else ""
        have = f"Choose one of {one_of(names)}. " if names else "The kit has none yet. "
        raise UnknownChoice(
            f"`recipe:{clean(brief.recipe)[:80]}` isn't a recipe of {kit.name}. {ask}{have}"
            "Nothing was queued.",
            field="recipe",
            value=brief.recipe,
            allowed=names,
            suggestion=suggestion,
        )
    if found.needs_mask and not brief.mask:
        raise MissingValue(
            f"The recipe `{found.name}` paints a part anew under your mask, and there is none. "
            "Attach one. Nothing was queued.",
            field="mask",
        )
    return found


def first_stage(brief: Brief, kit: BrandKit, recipe: Recipe, seed: int) -> tuple[RenderSpec, ...]:
    """What the first stage renders. All later stages are looked at too, so that a word that the
    kit bans is refused before anything is rendered. Raises the BriefRefused tree."""
    begun = _in_one_pass(replace(brief, mask="" if recipe.needs_mask else brief.mask))
    stage = recipe.stages[0]
    if stage.strength is not None and brief.reference and _unsaid(brief):
        begun = replace(begun, strength=stage.strength)
    count = max(brief.n, 1)
    specs = [
        compile_brief(
            replace(begun, words=words), kit, seed, number * len(_texts(stage, brief)) + n
        )
        for number in range(count)
        for n, words in enumerate(_texts(stage, brief))
    ]
    for number in range(1, len(recipe.stages)):
        later_stage(brief, kit, recipe, number, seed=seed, file=_ANY_FILE, mask=_ANY_FILE)
    return tuple(specs)


def _unsaid(brief: Brief) -> bool:
    """Whether the brief leaves it to others how much its reference counts."""
    return brief.strength is None and brief.image_weight is None


def later_stage(
    brief: Brief, kit: BrandKit, recipe: Recipe, number: int, *, seed: int, file: str, mask: str
) -> tuple[RenderSpec, ...]:
    """What stage `number` makes of one picture: one recipe for each of its words. `file` is that
    picture's, `mask` that of `stage_mask`. Raises the BriefRefused tree."""
    stage = recipe.stages[number]
    last = number == len(recipe.stages) - 1
    begun = replace(
        brief.without_pictures(),
        reference=file,
        strength=stage.strength,
        image_weight=None,
        mask="" if not stage.mask else (brief.mask or mask) if stage.mask == UPLOAD else mask,
        invert=brief.invert and stage.mask == UPLOAD,
        like_weight=None,
    )
    if not last:
        begun = _in_one_pass(begun)
    texts = _texts(stage, brief)
    return tuple(
        compile_brief(replace(begun, words=words), kit, seed, index)
        for index, words in enumerate(texts)
    )


def pictures_from(recipe: Recipe, number: int, count: int) -> int:
    """How many pictures the stages after `number` make of `count` pictures in all."""
    total = 0
    for stage in recipe.stages[number + 1 :]:
        count *= max(len(stage.words), 1)
        total += count
    return total


def stage_mask(stage: Stage, width: int, height: int) -> bytes:
    """The stage's own mask as a PNG: white is painted anew. Sizes in pixels."""
    left, top, right, bottom = stage.box
    inside = NEW if stage.mask == INSIDE else KEPT
    image = Image.new("L", (width, height), NEW - inside)
    corners = (
        round(left * width),
        round(top * height),
        round(right * width) - 1,
        round(bottom * height) - 1,
    )
    ImageDraw.Draw(image).rectangle(corners, fill=inside)
    out = io.BytesIO()
    image.convert("RGB").save(out, "PNG")
    return out.getvalue()


def _in_one_pass(brief: Brief) -> Brief:
    return replace(brief, highres=None, highres_strength=None, highres_steps=None)


def _texts(stage: Stage, brief: Brief) -> tuple[str, ...]:
    """The words of each picture that the stage makes of one."""
    texts = (text.replace(WORDS, brief.words).strip(" ,") for text in stage.words)
    return tuple(texts) or (brief.words,)
