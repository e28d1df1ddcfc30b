"""The ways of making a picture that a brief asks for, held against what the kit allows."""

import math
from dataclasses import dataclass, replace

from brand.brief import Brief, ControlWish
from brand.encoding import as_written
from brand.errors import BriefRefused, OutOfRange, UnknownChoice
from brand.kit import BrandKit
from brand.spec import (
    MAX_CONTROLS,
    ControlUse,
    HighRes,
    ImagePrompt,
    InitImage,
    Mask,
    Outpaint,
    is_sha256,
)
from brand.ways import LEAST_HIGHRES
from brand.words import clean, nearest, one_of

ALL_NEW = 1.0
"""Strength where only a part is painted: that part is new, unless the brief says otherwise."""
MAX_WEIGHT = 2.0
MAX_IMAGE_WEIGHT = 3.0
NEARLY_KEPT = 0.1
"""Strength of the greatest image weight: a strength of 0 would give the reference itself."""


@dataclass(frozen=True, kw_only=True)
class Ways:
    """The parts of a recipe that say in which way its picture is made."""

    init: InitImage | None = None
    mask: Mask | None = None
    outpaint: Outpaint | None = None
    controls: tuple[ControlUse, ...] = ()
    image_prompt: ImagePrompt | None = None
    highres: HighRes | None = None


def ways_of(brief: Brief, kit: BrandKit) -> Ways:
    """What the brief asks for. Raises the BriefRefused tree for what the kit does not allow."""
    return Ways(
        init=_init(brief, kit),
        mask=_mask(brief, kit),
        outpaint=_outpaint(brief, kit),
        controls=_controls(brief, kit),
        image_prompt=_like(brief, kit),
        highres=_highres(brief, kit),
    )


def within(field: str, value: float | None, low: float, high: float) -> None:
    """Raises OutOfRange unless the value is None or lies between both, ends included."""
    if value is None:
        return
    if isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        raise OutOfRange(
            f"`{field}` must be between {low} and {high}, not {value}. Nothing was queued.",
            field=field,
            value=str(value),
        )


def strength_of(image_weight: float, usual: float) -> float:
    """The strength that means this image weight, where `usual` is the kit's own: 0 is all new, 1
    the kit's, 3 nearly the reference; straight lines between them."""
    if image_weight <= 1:
        return 1 + (usual - 1) * image_weight
    least = min(usual, NEARLY_KEPT)
    return usual + (least - usual) * (image_weight - 1) / (MAX_IMAGE_WEIGHT - 1)


def _init(brief: Brief, kit: BrandKit) -> InitImage | None:
    within("strength", brief.strength, 0, 1)
    within("image_weight", brief.image_weight, 0, MAX_IMAGE_WEIGHT)
    _check_weights(brief)
    if not brief.reference:
        return None
    if not (brief.mask or brief.outpaint or kit.ways.image):
        raise _not_allowed("making pictures of pictures", "image", "reference", kit)
    in_part = bool(brief.mask or brief.outpaint)
    strength = ALL_NEW if in_part else kit.generation.strength
    if brief.strength is not None:
        strength = brief.strength
    elif brief.image_weight is not None:
        strength = strength_of(brief.image_weight, kit.generation.strength)
    return InitImage(sha256=_file(brief.reference, "reference"), strength=as_written(strength))


def _check_weights(brief: Brief) -> None:
    """Strength and image weight say the same thing, each about a reference that must be there."""
    said = (
        ("strength", brief.strength, "how far a reference picture is left"),
        ("image_weight", brief.image_weight, "how much a reference picture counts"),
    )
    for field, value, says in said:
        if value is not None and not brief.reference:
            raise BriefRefused(
                f"`{field}` says {says}, and there is none. Attach one, or leave `{field}` out. "
                "Nothing was queued.",
                field=field,
                value=str(value),
            )
    if brief.strength is not None and brief.image_weight is not None:
        raise BriefRefused(
            "`strength` and `image_weight` (`--iw`) say the same thing from both ends: leave one "
            "out. Nothing was queued.",
            field="image_weight",
            value=str(brief.image_weight),
        )


def _mask(brief: Brief, kit: BrandKit) -> Mask | None:
    if not brief.mask:
        return None
    if not kit.ways.inpaint:
        raise _not_allowed("painting a part anew", "inpaint", "mask", kit)
    _needs_reference(brief, "mask", "where a picture is painted anew")
    if brief.outpaint:
        raise BriefRefused(
            "A picture is painted anew under a mask, or over its edges, not both at once. "
            "Leave `mask` or `outpaint` out. Nothing was queued.",
            field="outpaint",
        )
    return Mask(sha256=_file(brief.mask, "mask"), invert=brief.invert)


def _outpaint(brief: Brief, kit: BrandKit) -> Outpaint | None:
    if brief.outpaint is None:
        return None
    if not kit.ways.outpaint:
        raise _not_allowed("painting on over the edges", "outpaint", "outpaint", kit)
    _needs_reference(brief, "outpaint", "how far a picture goes on over its edges")
    return brief.outpaint


def _controls(brief: Brief, kit: BrandKit) -> tuple[ControlUse, ...]:
    if len(brief.controls) > MAX_CONTROLS:
        raise OutOfRange(
            f"At most {MAX_CONTROLS} pictures lead one. Nothing was queued.", field="control"
        )
    return tuple(_control(wish, kit) for wish in brief.controls)


def _control(wish: ControlWish, kit: BrandKit) -> ControlUse:
    allowed = kit.ways.controls
    if not allowed:
        raise _not_allowed("leading a picture by another", 'controls = ["canny"]', "control", kit)
    kind = clean(wish.kind).casefold()
    if kind not in allowed:
        suggestion = nearest(kind, allowed)
        ask = f"Did you mean `{suggestion}`? " if suggestion else ""
        raise UnknownChoice(
            f"`control:{clean(wish.kind)[:80]}` isn't a control of {kit.name}. {ask}"
            f"Choose one of {one_of(allowed)}. Nothing was queued.",
            field="control",
            value=wish.kind,
            allowed=allowed,
            suggestion=suggestion,
        )
    within("control weight", wish.weight, 0, MAX_WEIGHT)
    within("control start", wish.start, 0, 1)
    within("control end", wish.end, 0, 1)
    start, end = as_written(wish.start), as_written(wish.end)
    if start >= end:
        raise OutOfRange("A control starts before it ends. Nothing was queued.", field="control")
    return ControlUse(
        kind=kind,
        sha256=_file(wish.picture, "control"),
        weight=as_written(wish.weight if wish.weight is not None else 1.0),
        start=start,
        end=end,
        ready=wish.ready,
    )


def _like(brief: Brief, kit: BrandKit) -> ImagePrompt | None:
    within("like", brief.like_weight, 0, MAX_WEIGHT)
    if not brief.like:
        if brief.like_weight is not None:
            raise BriefRefused(
                "`like` weighs a picture that serves as a prompt, and there is none. Attach one. "
                "Nothing was queued.",
                field="like",
            )
        return None
    if not kit.ways.image_prompt:
        raise _not_allowed("pictures as prompts", "image_prompt", "like", kit)
    file = _file(brief.like, "like")
    if brief.like_weight is None:
        return ImagePrompt(sha256=file)
    return ImagePrompt(sha256=file, weight=as_written(brief.like_weight))


def _highres(brief: Brief, kit: BrandKit) -> HighRes | None:
    if brief.highres is None:
        for field in ("highres_strength", "highres_steps"):
            if getattr(brief, field) is not None:
                raise BriefRefused(
                    f"`{field}` is of a second pass, and there is none. Add `highres`, or leave it "
                    "out. Nothing was queued.",
                    field=field,
                )
        return None
    if not kit.ways.highres:
        raise _not_allowed("a second pass at a larger size", "highres = 2", "highres", kit)
    within("highres", brief.highres, 1, kit.ways.highres)
    within("highres_strength", brief.highres_strength, LEAST_HIGHRES, 1)
    within("highres_steps", brief.highres_steps, 1, kit.generation.max_steps)
    found = HighRes(scale=as_written(brief.highres), steps=brief.highres_steps or 0)
    if brief.highres_strength is None:
        return found
    return replace(found, strength=as_written(brief.highres_strength))


def _needs_reference(brief: Brief, field: str, says: str) -> None:
    if not brief.reference:
        raise BriefRefused(
            f"`{field}` says {says}, and there is none. Attach one. Nothing was queued.",
            field=field,
        )


def _file(sha256: str, field: str) -> str:
    if not is_sha256(sha256):
        raise BriefRefused(
            "A picture is named by the SHA-256 of its file: upload it first. Nothing was queued.",
            field=field,
            value=sha256,
        )
    return sha256


def _not_allowed(what: str, key: str, field: str, kit: BrandKit) -> BriefRefused:
    setting = key if "=" in key else f"{key} = true"
    return BriefRefused(
        f"{kit.name}'s kit doesn't allow {what}. Ask {kit.owner} to write `{setting}` under "
        "[ways]. Nothing was queued.",
        field=field,
    )
