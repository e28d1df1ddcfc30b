"""Requests of AUTOMATIC1111's clients, field by field.

Every field that its clients send is here, so that none is dropped unseen: what the house can do
is taken over, what would change the picture in a way the house can't is refused by its type, and
what has no bearing on the picture is taken without effect.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from bot.web.api.shapes import MAX_WORDS, NAME, Off, Strict
from brand.spec import MAX_SEED

Zero = Annotated[float, Field(ge=0, le=0)] | None
One = Annotated[float, Field(ge=1, le=1)] | None
Words = Annotated[str, Field(max_length=MAX_WORDS)]
NoWords = Annotated[str, Field(max_length=0)] | None
Side = Annotated[int, Field(ge=8, le=8192)]
Any_ = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] | None
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Script(Strict):
    """Arguments of a script that always runs."""

    args: Annotated[list[Any], Field(max_length=40, default_factory=list)]


class Overrides(Strict):
    """The settings that one request may change."""

    sd_model_checkpoint: Annotated[str, Field(max_length=200)] | None = None
    """A name of /sdapi/v1/sd-models."""
    CLIP_stop_at_last_layers: Annotated[int, Field(ge=1, le=1)] | None = None


class Common(Strict):
    """What text to picture and picture to picture share."""

    prompt: Words = ""
    negative_prompt: Words = ""
    styles: Annotated[list[NAME], Field(max_length=1)] | None = None
    """A template of the kit."""
    seed: Annotated[int, Field(ge=-1, le=MAX_SEED)] | None = None
    subseed: Annotated[int, Field(ge=-1, le=MAX_SEED)] | None = None
    """Without effect while `subseed_strength` is 0."""
    subseed_strength: Zero = None
    seed_resize_from_h: Annotated[int, Field(ge=-1, le=0)] | None = None
    seed_resize_from_w: Annotated[int, Field(ge=-1, le=0)] | None = None
    sampler_name: NAME | None = None
    scheduler: NAME | None = None
    sampler_index: NAME | None = None
    batch_size: Annotated[int, Field(ge=1, le=100)] | None = None
    n_iter: Annotated[int, Field(ge=1, le=100)] | None = None
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    cfg_scale: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    width: Side | None = None
    height: Side | None = None
    restore_faces: Off | None = None
    tiling: Off | None = None
    do_not_save_samples: bool | None = None
    do_not_save_grid: bool | None = None
    eta: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    s_churn: Zero = None
    s_tmin: Zero = None
    s_tmax: Zero = None
    s_noise: One = None
    s_min_uncond: Zero = None
    denoising_strength: Share | None = None
    override_settings: Overrides | None = None
    override_settings_restore_afterwards: bool | None = None
    script_name: NoWords = None
    script_args: Annotated[list[Any], Field(max_length=0)] | None = None
    alwayson_scripts: Annotated[dict[NAME, Script], Field(max_length=20)] | None = None
    send_images: bool | None = None
    save_images: bool | None = None
    """Without effect: the archive keeps every picture."""
    force_task_id: NAME | None = None
    comments: dict[str, Any] | None = None
    refiner_checkpoint: NoWords = None
    refiner_switch_at: Any_ = None
    disable_extra_networks: Off | None = None
    infotext: NoWords = None


class TextIn(Common):
    """POST /sdapi/v1/txt2img."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"prompt": "a red mug on a wooden table", "seed": 42}]}
    )

    enable_hr: bool | None = None
    firstphase_width: Annotated[int, Field(ge=0, le=0)] | None = None
    firstphase_height: Annotated[int, Field(ge=0, le=0)] | None = None
    hr_scale: Annotated[float, Field(ge=1, le=4, allow_inf_nan=False)] | None = None
    hr_upscaler: NAME | None = None
    hr_second_pass_steps: Annotated[int, Field(ge=0, le=1000)] | None = None
    hr_resize_x: Annotated[int, Field(ge=0, le=0)] | None = None
    hr_resize_y: Annotated[int, Field(ge=0, le=0)] | None = None
    hr_checkpoint_name: NoWords = None
    hr_sampler_name: NoWords = None
    hr_scheduler: NoWords = None
    hr_prompt: NoWords = None
    hr_negative_prompt: NoWords = None


class PictureIn(Common):
    """POST /sdapi/v1/img2img."""

    init_images: Annotated[list[str], Field(min_length=1, max_length=1)]
    resize_mode: Annotated[int, Field(ge=0, le=0)] | None = None
    mask: str | None = None
    mask_blur: Annotated[int, Field(ge=0, le=64)] | None = None
    mask_blur_x: Annotated[int, Field(ge=0, le=64)] | None = None
    mask_blur_y: Annotated[int, Field(ge=0, le=64)] | None = None
    mask_round: bool | None = None
    inpainting_fill: Annotated[int, Field(ge=0, le=3)] | None = None
    inpaint_full_res: bool | Annotated[int, Field(ge=0, le=1)] | None = None
    inpaint_full_res_padding: Annotated[int, Field(ge=0, le=4096)] | None = None
    inpainting_mask_invert: Annotated[int, Field(ge=0, le=1)] | None = None
    initial_noise_multiplier: One = None
    image_cfg_scale: Any_ = None
    """Without effect: only models that edit by instruction read it."""
    latent_mask: NoWords = None
    include_init_images: bool | None = None


class UnitIn(Strict):
    """One unit of the ControlNet extension."""

    image: str | None = None
    input_image: str | None = None
    mask: NoWords = None
    module: NAME = "none"
    model: NAME = "None"
    weight: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 1.0
    resize_mode: NAME | int = "Resize and Fill"
    low_vram: bool | None = None
    lowvram: bool | None = None
    processor_res: Annotated[int, Field(ge=-1, le=8192)] | None = None
    threshold_a: Annotated[float, Field(allow_inf_nan=False)] | None = None
    threshold_b: Annotated[float, Field(allow_inf_nan=False)] | None = None
    guidance_start: Share = 0.0
    guidance_end: Share = 1.0
    control_mode: Literal["Balanced", 0] = "Balanced"
    pixel_perfect: bool | None = None
    hr_option: NAME | None = None
    enabled: bool = True
