"""Answers in AUTOMATIC1111's shapes."""

import json
from typing import Any

from bot.core.jobs import Job
from bot.core.live import LiveProgress
from bot.web.api.results import Finished
from bot.web.api.webui.brief import Understood
from bot.web.api.webui.shapes import Common
from brand.infotext import infotext, sampler_name
from brand.kit import BrandKit

BULKY = {"init_images", "mask", "alwayson_scripts"}
"""Left out of the parameters that are sent back."""


def result(wanted: Common, asked: Understood, job: Job, pictures: list[Finished]) -> dict[str, Any]:
    """The pictures, what was asked for, and how they were made."""
    return {
        "images": [] if wanted.send_images is False else [one.b64 for one in pictures],
        "parameters": wanted.model_dump(mode="json", exclude=BULKY),
        "info": json.dumps(_info(asked, job, pictures), ensure_ascii=False),
    }


def _info(asked: Understood, job: Job, pictures: list[Finished]) -> dict[str, Any]:
    first = pictures[0].asset
    spec, seeds = first.spec, [one.asset.spec.seed for one in pictures]
    weights = first.reproduction.weights
    return {
        "prompt": spec.prompt,
        "all_prompts": [one.asset.spec.prompt for one in pictures],
        "negative_prompt": spec.negative,
        "all_negative_prompts": [one.asset.spec.negative for one in pictures],
        "seed": spec.seed,
        "all_seeds": seeds,
        "subseed": -1,
        "all_subseeds": [-1] * len(seeds),
        "subseed_strength": 0,
        "width": first.width,
        "height": first.height,
        "sampler_name": sampler_name(spec.sampler),
        "cfg_scale": spec.guidance,
        "steps": spec.steps,
        "batch_size": len(pictures),
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": spec.model,
        "sd_model_hash": weights[:10],
        "sd_vae_name": None,
        "sd_vae_hash": None,
        "seed_resize_from_w": -1,
        "seed_resize_from_h": -1,
        "denoising_strength": spec.init.strength if spec.init else None,
        "extra_generation_params": {},
        "index_of_first_image": 0,
        "infotexts": [infotext(one.asset.spec, weights=weights) for one in pictures],
        "styles": [job.brief.template] if job.brief.template else [],
        "job_timestamp": f"{job.created_at:%Y%m%d%H%M%S}",
        "clip_skip": 1,
        "is_using_inpainting_conditioning": False,
        "version": "housestyle",
        "housestyle": {
            "job": job.id,
            "brand": job.brand,
            "pictures": [one.asset.id for one in pictures],
            "states": [one.asset.state.value for one in pictures],
            "discarded": len(job.items) - len(pictures),
            "notes": asked.notes,
        },
    }


def progress(
    live: LiveProgress | None, waiting: int, preview: str | None, *, steps: int
) -> dict[str, Any]:
    """How far the newest request of the key's member is."""
    fraction = live.fraction if live else 0.0
    return {
        "progress": round(fraction, 4),
        "eta_relative": (live.eta_s if live else None) or 0.0,
        "state": {
            "skipped": False,
            "interrupted": False,
            "stopping_generation": False,
            "job": "",
            "job_count": waiting,
            "job_timestamp": "0",
            "job_no": 0,
            "sampling_step": round(fraction * steps),
            "sampling_steps": steps,
        },
        "current_image": preview,
        "textinfo": None,
    }


def samplers(kits: list[BrandKit]) -> list[dict[str, Any]]:
    """Those of all kits, by AUTOMATIC1111's names; ours stand among the aliases."""
    every = dict.fromkeys(name for kit in kits for name in kit.generation.samplers)
    return [{"name": sampler_name(name), "aliases": [name], "options": {}} for name in every]


def loras(kits: list[BrandKit]) -> list[dict[str, Any]]:
    """Those on the kits' lists; files and paths are nobody's business."""
    return [
        {
            "name": lora.name,
            "alias": f"{lora.name}@{lora.version}",
            "path": "",
            "metadata": {"sha256": lora.sha256, "brand": kit.id},
        }
        for kit in kits
        for lora in kit.lora.approved
    ]


def styles(kits: list[BrandKit]) -> list[dict[str, Any]]:
    """The templates: they are what a style is elsewhere."""
    return [
        {"name": template.name, "prompt": template.text, "negative_prompt": ""}
        for kit in kits
        for template in kit.templates
    ]
