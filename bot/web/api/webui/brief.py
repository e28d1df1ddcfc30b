"""A request of an AUTOMATIC1111 client as the Brief that a chat would make.

What a client sends by habit and the house does in its own way (how a mask is filled, thresholds of
edges) is noted and told in the answer; what is refused is in `shapes`.
"""

import re
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from bot.web.api.caller import Client
from bot.web.api.failures import ApiFailure
from bot.web.api.naming import Meant, aspect_of, meant_by
from bot.web.api.pictures import keep, picture_bytes
from bot.web.api.webui.shapes import Common, PictureIn, TextIn, UnitIn
from brand.brief import Brief, ControlWish
from brand.infotext import sampler_name
from brand.kit import BrandKit
from brand.lora_rules import lora_text
from brand.spec import MAX_CONTROLS

_LORA = re.compile(r"<lora:([^:<>+]{1,100})(?::(-?[0-9.]{1,8}))?>")
_AUTOMATIC = ("", "automatic", "use same scheduler")
_ANCESTRAL = ("_a", "_sde", "lcm")
"""Endings of samplers that put noise in at every step: AUTOMATIC1111's `eta` 1."""
FEATHER = 4
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
"""How a module's or model's name begins or is put together, and the kind that it means."""


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What was asked for. `notes` say what the house does in its own way."""

    meant: Meant
    brief: Brief
    notes: list[str] = field(default_factory=list)


async def understood(client: Client, wanted: Common) -> Understood:
    """The brief of a request, its pictures taken in. Raises ApiFailure, PictureRefused."""
    settings = wanted.override_settings
    meant = await meant_by(client, (settings.sd_model_checkpoint if settings else None) or "")
    kit, notes = meant.kit, list[str]()
    words, lora = _lora(wanted.prompt)
    brief = Brief(
        words=words,
        template=(wanted.styles or [""])[0] or meant.template,
        negative=wanted.negative_prompt,
        aspect=_aspect(kit, wanted),
        n=(wanted.batch_size or 1) * (wanted.n_iter or 1),
        seed=wanted.seed if wanted.seed is not None and wanted.seed >= 0 else None,
        steps=wanted.steps,
        cfg=wanted.cfg_scale,
        sampler=_sampler(kit, wanted),
        lora=lora,
        controls=await _controls(client, kit, wanted, notes),
    )
    if isinstance(wanted, TextIn):
        brief = replace(brief, highres=_highres(wanted, notes))
    if isinstance(wanted, PictureIn):
        brief = await _from_picture(client, kit, wanted, brief, notes)
    return Understood(meant=meant, brief=brief, notes=notes)


def refused(param: str, detail: str) -> ApiFailure:
    """What can't be done as it was asked for."""
    return ApiFailure(status=422, code="not_supported", detail=detail, param=param)


def _lora(prompt: str) -> tuple[str, str]:
    """The words without their `<lora:NAME:WEIGHT>`, and these as the house writes them."""
    found = _LORA.findall(prompt)
    try:
        choices = tuple((name, float(weight) if weight else None) for name, weight in found)
    except ValueError as exc:
        raise refused("prompt", "A LoRA's weight is a number: <lora:NAME:0.8>.") from exc
    words = " ".join(_LORA.sub(" ", prompt).split()) if found else prompt
    return words, lora_text(choices)


def _aspect(kit: BrandKit, wanted: Common) -> str:
    if wanted.width is None and wanted.height is None:
        return ""
    first = kit.generation.aspects[0]
    return aspect_of(kit, wanted.width or first.width, wanted.height or first.height).name


def _sampler(kit: BrandKit, wanted: Common) -> str:
    """The kit's sampler of this name and schedule of noise."""
    name = wanted.sampler_name or wanted.sampler_index or ""
    if not name:
        return ""
    schedule = (wanted.scheduler or "").strip().casefold()
    endings = ["", " karras"] if schedule in _AUTOMATIC else [f" {schedule}"]
    bare = name.strip().casefold()
    tried = [bare + ending for ending in endings]
    tried += [(bare + ending).replace(" ", "_") for ending in endings]
    if schedule in ("normal", "uniform", "simple") or bare.endswith(schedule or "\0"):
        tried.insert(0, bare)
    known = {sampler_name(item).casefold(): item for item in kit.generation.samplers}
    known |= {item.casefold(): item for item in kit.generation.samplers}
    found = next((known[text] for text in tried if text in known), "")
    if not found:
        have = ", ".join(sampler_name(item) for item in kit.generation.samplers)
        said = name if schedule in _AUTOMATIC else f"{name} with {schedule}"
        raise refused("sampler_name", f"{kit.name}'s kit has no sampler {said}. It has: {have}.")
    _check_eta(found, wanted.eta)
    return found


def _check_eta(sampler: str, eta: float | None) -> None:
    bare = sampler.removesuffix("_karras")
    if eta is None or (bare not in ("ddim",) and not bare.endswith(_ANCESTRAL)):
        return
    own = 0.0 if bare == "ddim" else 1.0
    if eta != own:
        raise refused("eta", f"`eta` of {sampler_name(sampler)} is {own:g} here. Leave it out.")


def _highres(wanted: TextIn, notes: list[str]) -> float | None:
    if not wanted.enable_hr:
        return None
    if wanted.hr_upscaler not in (None, "Lanczos"):
        notes.append(f"hr_upscaler {wanted.hr_upscaler}: the first pass is enlarged by Lanczos")
    if wanted.hr_second_pass_steps:
        notes.append("hr_second_pass_steps: the second pass has as many steps as the first")
    if wanted.denoising_strength is not None:
        notes.append("denoising_strength: the second pass has the strength of the house")
    return wanted.hr_scale or 2.0


async def _from_picture(
    client: Client, kit: BrandKit, wanted: PictureIn, brief: Brief, notes: list[str]
) -> Brief:
    picture = await keep(client, picture_bytes(wanted.init_images[0], "init_images"), kit.id)
    brief = replace(brief, reference=picture.sha256, strength=wanted.denoising_strength)
    if not wanted.mask:
        return brief
    mask = await keep(client, picture_bytes(wanted.mask, "mask"), kit.id)
    if {wanted.mask_blur, wanted.mask_blur_x, wanted.mask_blur_y} - {None, FEATHER}:
        notes.append(f"mask_blur: the edge of a mask is {FEATHER} pixels soft here")
    if wanted.inpainting_fill not in (None, 1):
        notes.append("inpainting_fill: what is under the mask starts from the picture itself")
    if wanted.inpaint_full_res:
        notes.append("inpaint_full_res: the whole picture is rendered, not the mask's part alone")
    return replace(brief, mask=mask.sha256, invert=bool(wanted.inpainting_mask_invert))


async def _controls(
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
    kind = _kind(unit.model if _is_ready(unit) else unit.module)
    if kind is None:
        raise refused(
            "alwayson_scripts",
            f"ControlNet {number}: neither module `{unit.module}` nor model `{unit.model}` is one "
            f"of {', '.join(sorted(set(_KINDS.values())))}.",
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


def _kind(name: str) -> str | None:
    words = re.split(r"[^a-z]+", name.casefold().replace("dw_openpose", "openpose"))
    for word in words:
        for start, kind in _KINDS.items():
            if word.startswith(start):
                return kind
    return None
