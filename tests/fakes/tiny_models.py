"""Random-weight models of a few hundred kilobytes in the real layouts: everything but the sense.

Building takes about a second after torch and diffusers are imported.
"""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTH = 32
"""Of the text encoders and of the UNet's narrowest level, in channels."""
WIDTH_2 = 48
"""Of SDXL's second text encoder."""
CONTEXT = 77
TEMPERATURE = 4.0
"""Weights are drawn wider than usual, so that words and steps change the pixels."""
_SD_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
_SD_OPTIONS = {
    "clip_sample": False, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1
}  # fmt: skip
"""As published models have them."""
_MERGES = [("r", "e"), ("re", "d</w>"), ("m", "u"), ("mu", "g</w>"), ("o", "n</w>")]


def tiny_tokenizer(*, pad: str = "<|endoftext|>") -> CLIPTokenizer:
    """CLIP's byte-pair tokenizer with a handful of merges; every text can be written with it."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - 188)]
    words = [*letters, *(letter + "</w>" for letter in letters), *map("".join, _MERGES)]
    vocab = {word: index for index, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(
        vocab=vocab,
        merges=_MERGES,
        bos_token="<|startoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        pad_token=pad,
        model_max_length=CONTEXT,
    )


def text_config(tokenizer: CLIPTokenizer, width: int = WIDTH) -> CLIPTextConfig:
    """A two-layer text encoder for this tokenizer."""
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=CONTEXT,
        projection_dim=width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def tiny_vae(**changes: object) -> AutoencoderKL:
    """Four latent channels, one latent for 2×2 pixels."""
    plain: dict[str, object] = {"latent_channels": 4, "norm_num_groups": 4, "sample_size": 64}
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        **plain | changes,
    )


def build_sd1_inpaint(folder: Path, *, seed: int = 0) -> Path:
    """A Stable Diffusion 1.x folder whose UNet reads a mask: nine channels. Returns it."""
    return build_sd1(folder, seed=seed, channels=9)


def build_sd1(folder: Path, *, seed: int = 0, channels: int = 4) -> Path:
    """A Stable Diffusion 1.x folder; returns it."""
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    unet = UNet2DConditionModel(
        sample_size=32,
        in_channels=channels,
        block_out_channels=(WIDTH, 2 * WIDTH),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        norm_num_groups=8,
    )
    pipe = StableDiffusionPipeline(
        vae=tiny_vae(),
        text_encoder=CLIPTextModel(text_config(tokenizer)),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=PNDMScheduler.from_config({**_SD_BETAS, **_SD_OPTIONS}),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    widen(pipe.text_encoder, pipe.unet)
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def build_sdxl(folder: Path, *, seed: int = 0) -> Path:
    """A Stable Diffusion XL folder; its two text encoders differ in width. Returns it."""
    torch.manual_seed(seed)
    tokenizer, tokenizer_2 = tiny_tokenizer(), tiny_tokenizer(pad="!")
    unet = UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(WIDTH, 2 * WIDTH),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH + WIDTH_2,
        attention_head_dim=(2, 4),
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=6 * 8 + WIDTH_2,
    )
    pipe = StableDiffusionXLPipeline(
        vae=tiny_vae(),
        text_encoder=CLIPTextModel(text_config(tokenizer)),
        text_encoder_2=CLIPTextModelWithProjection(text_config(tokenizer_2, WIDTH_2)),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        unet=unet,
        scheduler=EulerDiscreteScheduler.from_config(
            {**_SD_BETAS, **_SD_OPTIONS, "timestep_spacing": "leading"}
        ),
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    )
    # Wider, the rounding of single operations would show in the pixels.
    widen(pipe.text_encoder, pipe.text_encoder_2, pipe.unet, by=TEMPERATURE / 2)
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def widen(*modules: torch.nn.Module, by: float = TEMPERATURE) -> None:
    """Make attention and projections stronger than they are drawn."""
    with torch.no_grad():
        for module in modules:
            for name, weight in module.named_parameters():
                if "to_" in name or "_proj" in name:
                    weight.mul_(by)
