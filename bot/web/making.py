"""In which ways a picture was made besides by words, as lines of its page."""

from collections.abc import Iterator
from dataclasses import dataclass

from brand.spec import ControlUse, HighRes, Outpaint, RenderSpec


@dataclass(frozen=True, kw_only=True)
class Way:
    """One line: what it is called, what it did, and the SHA-256 of the picture it took, if any."""

    label: str
    value: str
    file: str = ""


def ways_of(spec: RenderSpec) -> tuple[Way, ...]:
    """The ways of a recipe, in the order in which they act; empty for words alone."""
    return (*_begun(spec), *_led(spec), *_enlarged(spec))


def _begun(spec: RenderSpec) -> Iterator[Way]:
    if spec.init:
        strength = f"strength {spec.init.strength:g}"
        yield Way(label="reference", value=strength, file=spec.init.sha256)
    if spec.mask:
        anew = "black" if spec.mask.invert else "white"
        yield Way(label="mask", value=f"{anew} is painted anew", file=spec.mask.sha256)
    if spec.outpaint:
        yield Way(label="extended", value=_sides(spec.outpaint))


def _led(spec: RenderSpec) -> Iterator[Way]:
    for use in spec.controls:
        yield Way(label="led by", value=_control(use), file=use.sha256)
    if spec.image_prompt:
        weight = f"× {spec.image_prompt.weight:g}"
        yield Way(label="image prompt", value=weight, file=spec.image_prompt.sha256)


def _enlarged(spec: RenderSpec) -> Iterator[Way]:
    if spec.highres:
        yield Way(label="second pass", value=_second_pass(spec.highres))
    if spec.upscale > 1:
        yield Way(label="enlarged", value=f"× {spec.upscale}")


def _sides(outpaint: Outpaint) -> str:
    sides = ((side, getattr(outpaint, side)) for side in ("left", "right", "top", "bottom"))
    return ", ".join(f"{pixels} px {side}" for side, pixels in sides if pixels)


def _control(use: ControlUse) -> str:
    kind = f"{use.kind} map, as given" if use.ready else use.kind
    part = f", {use.start * 100:.0f} to {use.end * 100:.0f} % of the steps"
    return f"{kind} × {use.weight:g}{part if (use.start, use.end) != (0, 1) else ''}"


def _second_pass(use: HighRes) -> str:
    steps = f", {use.steps} steps" if use.steps else ""
    return f"× {use.scale:g}, strength {use.strength:g}{steps}"
