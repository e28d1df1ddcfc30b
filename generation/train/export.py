"""A trained demo model becomes a folder in diffusers' layout, in half precision."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel, CLIPTokenizer

from generation.train.unet import noise_schedule

SETTINGS_FILE = "housestyle.json"
# What the shipped model looks best with; the engine takes it where a spec says nothing else.
GENERATION_DEFAULTS = {
    "steps": 20,
    "cfg": 3.0,
    "sampler": "dpmpp_2m_karras",
    "width": 128,
    "height": 128,
}
_KEPT = {SETTINGS_FILE, "judge", "README.md"}


@dataclass(frozen=True, kw_only=True)
class ModelParts:
    """The trained parts of a Stable Diffusion pipeline."""

    vae: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    unet: UNet2DConditionModel

    def pipeline(self) -> StableDiffusionPipeline:
        """An ordinary pipeline around these very modules."""
        return StableDiffusionPipeline(
            vae=self.vae,
            text_encoder=self.text_encoder,
            tokenizer=self.tokenizer,
            unet=self.unet,
            scheduler=DPMSolverMultistepScheduler.from_config(
                noise_schedule().config, algorithm_type="dpmsolver++", use_karras_sigmas=True
            ),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )


def export_model(parts: ModelParts, out: Path) -> Path:
    """Write the model to `out`, replacing what an earlier export left there; returns `out`."""
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    _half(parts).pipeline().save_pretrained(fresh, safe_serialization=True)
    text = json.dumps(GENERATION_DEFAULTS, indent=2)
    (fresh / SETTINGS_FILE).write_text(text + "\n")
    for file in fresh.rglob("*.safetensors"):
        file.chmod(0o644)
    out.mkdir(parents=True, exist_ok=True)
    for item in out.iterdir():
        if item.is_dir() and item.name not in _KEPT:
            shutil.rmtree(item)
    for item in fresh.iterdir():
        item.replace(out / item.name)
    fresh.rmdir()
    return out


def load_parts(folder: Path) -> ModelParts:
    """Read an exported model back, in full precision, ready to be trained further."""
    pipe = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, local_files_only=True, dtype=torch.float32
    )
    return ModelParts(
        vae=pipe.vae, text_encoder=pipe.text_encoder, tokenizer=pipe.tokenizer, unet=pipe.unet
    )


def _half(parts: ModelParts) -> ModelParts:
    """Copies in half precision; the originals stay as they are."""
    unet = UNet2DConditionModel.from_config(parts.unet.config)
    unet.load_state_dict(parts.unet.state_dict())
    vae = AutoencoderKL.from_config(parts.vae.config)
    vae.load_state_dict(parts.vae.state_dict())
    encoder = CLIPTextModel(parts.text_encoder.config)
    encoder.load_state_dict(parts.text_encoder.state_dict())
    return ModelParts(
        vae=vae.half(), text_encoder=encoder.half(), tokenizer=parts.tokenizer, unet=unet.half()
    )
