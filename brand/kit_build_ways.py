"""[ways] and [[recipes]] of a kit's file become values."""

from brand.kit import STAGE_MASKS, Recipe, Stage, WayPolicy
from brand.kit_reader import NAME, NAME_FORM, Section
from brand.spec import CONTROL_KINDS
from brand.words import nearest, one_of

MAX_SCALE = 4.0
BOX_SIDES = 4


def build_ways(section: Section) -> WayPolicy:
    """[ways]."""
    base = WayPolicy()
    found = WayPolicy(
        image=section.flag("image", default=base.image),
        inpaint=section.flag("inpaint", default=base.inpaint),
        outpaint=section.flag("outpaint", default=base.outpaint),
        controls=_kinds(section),
        image_prompt=section.flag("image_prompt", default=base.image_prompt),
        highres=section.number("highres", base.highres, low=0, high=MAX_SCALE),
    )
    section.finish()
    return found


def _kinds(section: Section) -> tuple[str, ...]:
    kinds = tuple(kind.casefold() for kind in section.texts("controls"))
    for index, kind in enumerate(kinds):
        if kind not in CONTROL_KINDS:
            suggestion = nearest(kind, CONTROL_KINDS)
            ask = f"Did you mean `{suggestion}`? " if suggestion else ""
            section.log.add(
                section.at("controls", index),
                f'"{kind}" isn\'t a kind of control',
                f"{ask}There are {one_of(CONTROL_KINDS, limit=20)}.",
            )
    return kinds


def build_recipe(item: Section) -> Recipe:
    """One of [[recipes]]."""
    found = Recipe(
        name=item.text("name", pattern=NAME, form=NAME_FORM),
        description=item.text("description", ""),
        stages=tuple(_stage(stage) for stage in item.items("stages")),
    )
    if len(found.stages) < 2:
        item.log.add(
            item.at("stages"), "a recipe has at least two stages", "Add [[recipes.stages]]."
        )
    if found.stages and found.stages[0].mask:
        item.log.add(
            item.at("stages"),
            "the first stage has no picture yet to paint a part of",
            "Leave its `mask` out.",
        )
    item.finish()
    return found


def _stage(item: Section) -> Stage:
    mask = item.choice("mask", ("", *STAGE_MASKS), "")
    found = Stage(
        name=item.text("name", pattern=NAME, form=NAME_FORM),
        words=item.texts("words"),
        strength=item.number("strength", 0.0, low=0, high=1) if "strength" in item else None,
        mask=mask,
        box=_box(item),
    )
    if bool(found.box) is not (mask in ("outside", "inside")):
        item.log.add(
            item.at("box"),
            "`box` goes with a mask outside or inside of it",
            'Write mask = "outside" and box = [0.2, 0.2, 0.8, 0.8].',
        )
    item.finish()
    return found


def _box(item: Section) -> tuple[float, ...]:
    raw = item.value("box")
    if raw is None:
        return ()
    sides = [side for side in raw if isinstance(side, int | float)] if isinstance(raw, list) else []
    if len(sides) == BOX_SIDES and isinstance(raw, list) and len(raw) == BOX_SIDES:
        left, top, right, bottom = (float(side) for side in sides)
        if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
            return left, top, right, bottom
    item.log.add(
        item.at("box"),
        "`box` is left, top, right, bottom in shares of the sides",
        "Write box = [0.2, 0.2, 0.8, 0.8].",
    )
    return ()
