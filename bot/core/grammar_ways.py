"""The flags that say in which way a picture is made: controls, masks, larger frames, passes."""

import re
from dataclasses import replace

from bot.core.grammar_mistakes import mistake, shown
from bot.core.grammar_values import DECIMAL, Flag, Value, choice, decimal, whole
from bot.core.ids import is_id
from bot.core.vocabulary import Range, Vocabulary
from brand.brief import ControlWish
from brand.spec import CONTROL_KINDS, Outpaint, SpecInvalid, is_sha256
from brand.ways import LEAST_HIGHRES

SIDES = ("left", "right", "top", "bottom")
WEIGHT = Range(low=0, high=2)
SHARE = Range(low=0, high=1)
SECOND = Range(low=LEAST_HIGHRES, high=1)
"""Strength of a second pass."""
STEP = 8
"""Sizes are multiples of so many pixels."""
MAX_SIDE = 4096
_CONTROL = re.compile(
    r"(?P<kind>[A-Za-z]{1,20})(?:@(?P<weight>[0-9.,]{1,12}))?"
    r"(?:@(?P<start>[0-9.,]{1,12})-(?P<end>[0-9.,]{1,12}))?(?P<ready>!)?(?::(?P<picture>.{1,80}))?"
)
_SIDE = re.compile(r"(?:(left|right|top|bottom)=)?([0-9]{1,5})(?:px)?", re.IGNORECASE)


def is_picture(text: str) -> bool:
    """Whether a word names a picture."""
    bare = text.removeprefix("asset:")
    return is_id(bare) or is_sha256(bare)


def picture_id(value: Value) -> str:
    """A picture's id, or the SHA-256 of its file. Raises Mistake."""
    if is_picture(value.text):
        return value.text.removeprefix("asset:")
    raise mistake(
        f"`--{value.flag} {shown(value.text)}` isn't a picture's id. "
        "An id has 22 letters and digits and stands on the picture's card.",
        value.position,
        field=value.flag,
    )


def _mask(value: Value, _vocabulary: Vocabulary) -> str:
    return picture_id(value) if value.text else ""


def _like(value: Value, _vocabulary: Vocabulary) -> tuple[str, float | None]:
    """(picture, weight), each of which may be left out."""
    named, at, weight = value.text.partition("@")
    if not at and DECIMAL.fullmatch(named):
        named, weight = "", named
    picture = picture_id(replace(value, text=named)) if named else ""
    return picture, decimal(replace(value, text=weight), WEIGHT) if weight or at else None


def _is_like(text: str) -> bool:
    named, at, weight = text.partition("@")
    if not named:
        return bool(at and DECIMAL.fullmatch(weight))
    return is_picture(named) or (not at and bool(DECIMAL.fullmatch(named)))


def _control(value: Value, vocabulary: Vocabulary) -> ControlWish:
    match = _CONTROL.fullmatch(value.text)
    if match is None:
        raise mistake(
            f"`--control {shown(value.text)}` isn't a control. Write its kind, then how much it "
            "counts, as in `control:canny@0.8`.",
            value.position,
            field="control",
            allowed=vocabulary.controls or CONTROL_KINDS,
        )
    kind = choice(
        replace(value, text=match["kind"]),
        vocabulary.controls or CONTROL_KINDS,
        vocabulary,
        "control",
    )
    start, end = (_share(value, match[name]) for name in ("start", "end"))
    wish = ControlWish(
        kind=kind,
        picture=picture_id(replace(value, text=match["picture"])) if match["picture"] else "",
        weight=decimal(replace(value, text=match["weight"]), WEIGHT) if match["weight"] else None,
        start=start if start is not None else 0.0,
        end=end if end is not None else 1.0,
        ready=bool(match["ready"]),
    )
    if wish.start >= wish.end:
        raise mistake(
            "A control must start before it ends, as in `control:canny@0.8@0-0.6`.",
            value.position,
            field="control",
        )
    return wish


def _share(value: Value, text: str | None) -> float | None:
    return decimal(replace(value, text=text), SHARE) if text else None


def read_sides(value: Value) -> Outpaint:
    """`left=128,top=64`; a bare number goes for all sides. Raises Mistake."""
    sides: dict[str, int] = {}
    for part in value.text.replace("+", ",").split(","):
        match = _SIDE.fullmatch(part.strip())
        if match is None or int(match[2]) > MAX_SIDE:
            raise _no_sides(value)
        pixels = round(int(match[2]) / STEP) * STEP
        for side in (match[1].casefold(),) if match[1] else SIDES:
            sides[side] = pixels
    try:
        return Outpaint(**sides)
    except SpecInvalid as exc:
        raise _no_sides(value) from exc


def _no_sides(value: Value) -> Exception:
    return mistake(
        f"`--outpaint {shown(value.text)}` doesn't say how far. Write sides and pixels, as in "
        "`outpaint:left=128,right=64`.",
        value.position,
        field="outpaint",
        allowed=tuple(f"{side}=128" for side in SIDES),
    )


def _highres(value: Value, vocabulary: Vocabulary) -> tuple[float, float | None, int | None]:
    """(scale, strength, steps) of a second pass; the latter two may be left out."""
    scale, more, rest = value.text.partition("@")
    strength, at, steps = rest.partition("@")
    return (
        decimal(replace(value, text=scale.strip("xX×")), vocabulary.highres),
        decimal(replace(value, text=strength), SECOND) if strength or (more and not at) else None,
        whole(replace(value, text=steps), vocabulary.steps) if at else None,
    )


def _recipe(value: Value, vocabulary: Vocabulary) -> str:
    return choice(value, vocabulary.recipes, vocabulary, "recipe", none="It has none yet.")


WAY_FLAGS = (
    Flag(
        name="control",
        takes="KIND[@WEIGHT][:ID]",
        about="a picture that leads the composition",
        read=_control,
        again=True,
        parameter=lambda text: _CONTROL.fullmatch(text.rstrip(",;")) is not None,
    ),
    Flag(
        name="mask",
        takes="[ID]",
        about="where the reference is painted anew",
        read=_mask,
        optional=is_picture,
        parameter=lambda text: is_picture(text.rstrip(",;")),
    ),
    Flag(name="invert", takes="", about="paint anew where the mask is black"),
    Flag(
        name="outpaint",
        takes="SIDE=PIXELS",
        about="go on over the reference's edges",
        read=lambda v, _w: read_sides(v),
        parameter=lambda text: text[:1].isdigit() or "=" in text,
    ),
    Flag(
        name="highres",
        takes="SCALE[@STRENGTH][@STEPS]",
        about="a second pass at a larger size",
        read=_highres,
        parameter=lambda _: True,
    ),
    Flag(
        name="like",
        takes="[ID][@WEIGHT]",
        about="a picture that serves as a prompt",
        read=_like,
        optional=_is_like,
        parameter=lambda text: _is_like(text.rstrip(",;")),
    ),
    Flag(
        name="recipe",
        takes="NAME",
        about="several stages, one after the other",
        read=_recipe,
        parameter=lambda _: True,
    ),
    Flag(name="fresh", takes="", about="render also what the archive has already"),
)
