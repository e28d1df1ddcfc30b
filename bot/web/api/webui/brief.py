"""A request of an AUTOMATIC1111 client as the Brief that a chat would make.

What a client sends by habit and the house does in its own way (how a mask is filled, thresholds of
edges) is noted and told in the answer; what is refused is in `shapes`.
"""

from dataclasses import dataclass, field, replace

from bot.web.api.caller import Client
from bot.web.api.naming import Meant, aspect_of, meant_by
from bot.web.api.pictures import keep, picture_bytes
from bot.web.api.webui.networks import none_in, taken_out
from bot.web.api.webui.refusing import refused
from bot.web.api.webui.samplers import sampler_of
from bot.web.api.webui.shapes import Common, PictureIn, TextIn
from bot.web.api.webui.units import controls_of
from brand.brief import Brief
from brand.kit import BrandKit
from brand.ways import LEAST_HIGHRES

FEATHER = 4


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
    words, lora = taken_out(wanted.prompt)
    brief = Brief(
        words=words,
        template=_template(wanted, meant),
        negative=none_in(wanted.negative_prompt, "negative_prompt"),
        aspect=_aspect(kit, wanted),
        n=(wanted.batch_size or 1) * (wanted.n_iter or 1),
        seed=wanted.seed if wanted.seed is not None and wanted.seed >= 0 else None,
        steps=wanted.steps,
        cfg=wanted.cfg_scale,
        sampler=sampler_of(kit, wanted, notes),
        lora=lora,
        controls=await controls_of(client, kit, wanted, notes),
    )
    if isinstance(wanted, TextIn):
        brief = _twice(wanted, brief, notes)
    if isinstance(wanted, PictureIn):
        brief = await _from_picture(client, kit, wanted, brief, notes)
    return Understood(meant=meant, brief=brief, notes=notes)


def _template(wanted: Common, meant: Meant) -> str:
    style = (wanted.styles or [""])[0]
    if style and meant.template not in ("", style):
        raise refused(
            "styles",
            f"`styles` says {style}, the checkpoint {meant.template}: a picture has one template.",
        )
    return style or meant.template


def _aspect(kit: BrandKit, wanted: Common) -> str:
    if wanted.width is None and wanted.height is None:
        return ""
    first = kit.generation.aspects[0]
    return aspect_of(kit, wanted.width or first.width, wanted.height or first.height).name


def _twice(wanted: TextIn, brief: Brief, notes: list[str]) -> Brief:
    """With a second pass, where it is asked for; its strength means what it does for a picture."""
    if not wanted.enable_hr:
        return brief
    if wanted.hr_upscaler not in (None, "Lanczos"):
        notes.append(f"hr_upscaler {wanted.hr_upscaler}: the first pass is enlarged by Lanczos")
    strength = wanted.denoising_strength
    if strength is not None and strength < LEAST_HIGHRES:
        notes.append(f"denoising_strength: a second pass has {LEAST_HIGHRES} at least")
        strength = LEAST_HIGHRES
    return replace(
        brief,
        highres=wanted.hr_scale or 2.0,
        highres_strength=strength,
        highres_steps=wanted.hr_second_pass_steps or None,  # 0: as many as in the first
    )


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
