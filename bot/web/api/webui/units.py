"""Units of the ControlNet extension as the pictures that lead a picture here.

A unit's module or model names the kind; which ControlNet leads by it is the house's to choose.
"""

import re

from pydantic import ValidationError

from bot.web.api.caller import Client
from bot.web.api.pictures import keep, picture_bytes
from bot.web.api.webui.refusing import refused
from bot.web.api.webui.shapes import Common, TextIn, UnitIn
from brand.brief import ControlWish
from brand.kit import BrandKit
from brand.spec import CONTROL_KINDS, MAX_CONTROLS

CONTROLNET = "controlnet"
_NOT_LED = ("none", "")
_KINDS = {
    "canny": "canny",
    "softedge": "softedge",
    "hed": "softedge",
    "pidi": "softedge",
    "lineart": "lineart",
    "depth": "depth",
    "openpose": "pose",
    "dw_openpose": "pose",
    "pose": "pose",
    "normal": "normal",
    "seg": "segmentation",
    "tile": "tile",
}
"""How a module's name begins or a model's is put together, and the kind that it means."""
_PASSES = ("", "both")


async def controls_of(
    client: Client, kit: BrandKit, wanted: Common, notes: list[str]
) -> tuple[ControlWish, ...]:
    """The units of the ControlNet extension; scripts that are switched off are left out. No
    picture is read before it is known that all of them may lead one."""
    units: list[tuple[int, UnitIn, str]] = []
    for name, script in (wanted.alwayson_scripts or {}).items():
        if name.casefold() == CONTROLNET:
            for number, raw in enumerate(script.args, start=1):
                unit = _unit(raw, number)
                if unit.enabled:
                    _check_passes(unit, wanted, number)
                    units.append((number, unit, _kind_of(kit, unit, number)))
        elif any(item not in (False, None) for item in script.args[:1]):
            raise refused("alwayson_scripts", f"The script `{name}` isn't known here.")
    if len(units) > MAX_CONTROLS:
        raise refused("alwayson_scripts", f"At most {MAX_CONTROLS} ControlNets lead one picture.")
    return tuple(
        [await _wish(client, kit, unit, kind, number, notes) for number, unit, kind in units]
    )


def _unit(raw: object, number: int) -> UnitIn:
    try:
        return UnitIn.model_validate(raw)
    except ValidationError as exc:
        error = exc.errors()[0]
        where = ".".join(str(part) for part in error["loc"])
        raise refused("alwayson_scripts", f"ControlNet {number}: {where}: {error['msg']}.") from exc


def _is_ready(unit: UnitIn) -> bool:
    """Whether its picture is what leads already, such as edges."""
    return unit.module.casefold() in _NOT_LED


def _kind_of(kit: BrandKit, unit: UnitIn, number: int) -> str:
    """Raises ApiFailure for a unit without a picture or of no kind that the kit allows."""
    if not (unit.image or unit.input_image):
        raise refused("alwayson_scripts", f"ControlNet {number} has no picture.")
    by_model = _kind_of_model(unit.model)
    kind = by_model if _is_ready(unit) else _kind_of_module(unit.module)
    if kind is None:
        raise refused(
            "alwayson_scripts",
            f"ControlNet {number}: neither module `{unit.module}` nor model `{unit.model}` is one "
            f"of {', '.join(CONTROL_KINDS)}.",
        )
    if by_model not in (None, kind):
        raise refused(
            "alwayson_scripts",
            f"ControlNet {number}: module `{unit.module}` makes {kind}, but model `{unit.model}` "
            f"is led by {by_model}.",
        )
    if kind not in kit.ways.controls:
        have = ", ".join(kit.ways.controls) or "none"
        raise refused(
            "alwayson_scripts",
            f"ControlNet {number}: `{kind}` isn't a control of {kit.name}. It has: {have}.",
        )
    return kind


async def _wish(
    client: Client, kit: BrandKit, unit: UnitIn, kind: str, number: int, notes: list[str]
) -> ControlWish:
    if unit.resize_mode not in ("Just Resize", 0):
        notes.append(f"ControlNet {number}: resize_mode: the picture is resized to the size asked")
    if not _is_ready(unit):
        notes.append(f"ControlNet {number}: thresholds and processor_res are those of the house")
    if unit.model.casefold() not in (*_NOT_LED, kind):
        notes.append(
            f"ControlNet {number}: model {unit.model}: the house chooses the one for {kind}"
        )
    text = unit.image or unit.input_image or ""
    kept = await keep(client, picture_bytes(text, "alwayson_scripts"), kit.id)
    return ControlWish(
        kind=kind,
        picture=kept.sha256,
        weight=unit.weight,
        start=unit.guidance_start,
        end=unit.guidance_end,
        ready=_is_ready(unit),
    )


def _check_passes(unit: UnitIn, wanted: Common, number: int) -> None:
    """A unit leads both passes of a picture, so one of them alone can't be asked for."""
    two = isinstance(wanted, TextIn) and wanted.enable_hr
    if two and (unit.hr_option or "").casefold() not in _PASSES:
        raise refused(
            "alwayson_scripts",
            f"ControlNet {number}: hr_option {unit.hr_option}: a unit leads both passes here. "
            "Send `Both`.",
        )


def _kind_of_module(name: str) -> str | None:
    """By how it begins: `scribble_hed` is none of ours."""
    word = name.strip().casefold()
    return next((kind for start, kind in _KINDS.items() if word.startswith(start)), None)


def _kind_of_model(name: str) -> str | None:
    """By one of its words: `control_v11p_sd15_canny`."""
    found = (_kind_of_module(word) for word in re.split(r"[^a-z]+", name.casefold()) if word)
    return next((kind for kind in found if kind), None)
