"""A brand's LoRA: small weights beside a frozen demo model, learnt from about 30 pictures.

Low-rank adaptation after Hu et al. (2022), here on every layer of the UNet: attention alone (the
usual choice for large models) never learnt a style on a model this small.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from torch import Tensor

from generation.train.export import ModelParts, load_parts
from generation.train.loop import Report, Stage, train_stage
from generation.train.text_encoder import encode, tokens_of
from generation.train.unet import DiffusionTraining
from generation.train.vae import as_tensor

_LAYERS = [
    "to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out",
    "conv1", "conv2", "conv_shortcut", "conv", "time_emb_proj", "linear_1", "linear_2",
]  # fmt: skip
_SEED_STREAM = 5


@dataclass(frozen=True, kw_only=True)
class LoraExample:
    """One picture of the brand, and the prompts it answers."""

    image: Image.Image
    """RGB, of the model's own size."""
    prompts: tuple[str, ...]
    """One of them, by chance, goes with the picture each time it is seen."""


@dataclass(frozen=True, kw_only=True)
class LoraOptions:
    """How a LoRA is trained."""

    model: Path
    """The finished model it is for, in diffusers' layout."""
    out: Path
    """The safetensors file to write."""
    work: Path
    """Folder for checkpoints; give the same one again to resume."""
    steps: int = 500
    rank: int = 32
    rate: float = 3e-3
    batch: int = 8
    empty_share: float = 0.12
    """Part of the pictures shown without words, so that guidance does not drive the look."""
    seed: int = 3
    threads: int = 1


def train_lora(options: LoraOptions, examples: list[LoraExample], report: Report) -> Path:
    """Train on the examples and return the safetensors file that `load_lora_weights` reads.

    Raises DivergedError and WrongCheckpointError (see options.py).
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    parts = load_parts(options.model)
    _add_lora(parts, options.rank)
    parts.text_encoder.requires_grad_(False)
    stage = Stage(
        name="lora",
        steps=options.steps,
        rate=options.rate,
        warmup=30,
        average=0.98,
        weight_decay=0.0,
    )
    loss = _lora_loss(parts, options, examples)
    train_stage(stage, parts.unet, loss, options.work, report)
    return _save(parts.unet, options.out)


def _add_lora(parts: ModelParts, rank: int) -> None:
    parts.unet.requires_grad_(False)
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=_LAYERS, init_lora_weights=True)
    parts.unet.add_adapter(config)


def _lora_loss(
    parts: ModelParts, options: LoraOptions, examples: list[LoraExample]
) -> Callable[[int], Tensor]:
    training = DiffusionTraining(parts.unet, parts.text_encoder)
    with torch.no_grad():
        latents = parts.vae.encode(
            as_tensor(np.stack([np.asarray(example.image) for example in examples]))
        ).latent_dist.mean
        words = [
            encode(parts.text_encoder, tokens_of(parts.tokenizer, list(example.prompts)))
            for example in examples
        ]
        silence = encode(parts.text_encoder, tokens_of(parts.tokenizer, [""]))[0]

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((options.seed, _SEED_STREAM, step))
        chosen = rng.integers(len(examples), size=options.batch)
        states = [
            silence
            if rng.random() < options.empty_share
            else words[index][int(rng.integers(len(words[index])))]
            for index in chosen
        ]
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 60)))
        return training.denoising_loss(
            latents[torch.from_numpy(chosen)], torch.stack(states), generator
        )

    return loss_of


def _save(unet: UNet2DConditionModel, out: Path) -> Path:
    # In peft's own names: diffusers' converter renames the attention layers alone, and a file of
    # both kinds loses them when it is loaded.
    state = get_peft_model_state_dict(unet)
    half = {name: tensor.half().contiguous() for name, tensor in state.items()}
    StableDiffusionPipeline.save_lora_weights(
        out.parent, unet_lora_layers=half, weight_name=out.name, safe_serialization=True
    )
    out.chmod(0o644)
    return out


def dataset_sha256(examples: list[LoraExample]) -> str:
    """Names what a LoRA was trained on: the hash of every picture's pixels and prompts."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(hashlib.sha256(example.image.tobytes()).digest())
        digest.update("\n".join(example.prompts).encode() + b"\0")
    return digest.hexdigest()


def sha256_of(file: Path) -> str:
    """The hash that names the LoRA on its brand's approved list."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
