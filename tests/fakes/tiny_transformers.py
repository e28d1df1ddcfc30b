"""Random-weight models of a few hundred kilobytes in the layouts of Stable Diffusion 3 and Flux."""

from pathlib import Path

import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from transformers import (
    CLIPTextModel,
    CLIPTextModelWithProjection,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from tests.fakes.tiny_models import WIDTH, WIDTH_2, text_config, tiny_tokenizer, tiny_vae, widen

T5_WIDTH = 96
_LATENT_CHANNELS = 16
_WORDS = ("▁a", "▁red", "▁mug", "▁blue", "▁on", "re", "mu", "▁")


def tiny_t5_tokenizer(length: int) -> T5Tokenizer:
    """T5's unigram tokenizer with a few pieces; every text of printable ASCII can be written."""
    letters = [chr(code) for code in range(33, 127)]
    scores = {word: -2.0 - len(word) / 10 for word in _WORDS}
    scores |= dict.fromkeys(letters, -8.0)
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0), *scores.items()]
    return T5Tokenizer(vocab=vocab, extra_ids=0, model_max_length=length)


def tiny_t5(tokenizer: T5Tokenizer) -> T5EncoderModel:
    """A two-layer T5 encoder for this tokenizer."""
    return T5EncoderModel(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=T5_WIDTH,
            d_kv=16,
            d_ff=2 * T5_WIDTH,
            num_layers=2,
            num_heads=2,
            pad_token_id=0,
            eos_token_id=1,
            feed_forward_proj="gated-gelu",
        )
    )


def build_sd3(folder: Path, *, seed: int = 0, t5: bool = True) -> Path:
    """A Stable Diffusion 3 folder, with or without its third text encoder. Returns it."""
    torch.manual_seed(seed)
    tokenizer, tokenizer_2 = tiny_tokenizer(), tiny_tokenizer(pad="!")
    long = tiny_t5_tokenizer(256)
    transformer = SD3Transformer2DModel(
        sample_size=32,
        in_channels=_LATENT_CHANNELS,
        out_channels=_LATENT_CHANNELS,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=T5_WIDTH,
        caption_projection_dim=32,
        pooled_projection_dim=WIDTH + WIDTH_2,
        pos_embed_max_size=48,
    )
    pipe = StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=tiny_vae(**_flow_vae(1.5305, 0.0609)),
        text_encoder=CLIPTextModelWithProjection(text_config(tokenizer)),
        tokenizer=tokenizer,
        text_encoder_2=CLIPTextModelWithProjection(text_config(tokenizer_2, WIDTH_2)),
        tokenizer_2=tokenizer_2,
        text_encoder_3=tiny_t5(long) if t5 else None,
        tokenizer_3=long if t5 else None,
    )
    widen(pipe.text_encoder, pipe.text_encoder_2, transformer)
    with torch.no_grad():  # single files hold no projection for it: diffusers takes the identity
        pipe.text_encoder.text_projection.weight.copy_(torch.eye(WIDTH))
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def build_flux(folder: Path, *, seed: int = 0, distilled: bool = True) -> Path:
    """A Flux folder; `distilled`: with guidance as an input (dev), else without (schnell)."""
    torch.manual_seed(seed)
    tokenizer, long = tiny_tokenizer(), tiny_t5_tokenizer(512)
    transformer = FluxTransformer2DModel(
        in_channels=4 * _LATENT_CHANNELS,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=T5_WIDTH,
        pooled_projection_dim=WIDTH,
        guidance_embeds=distilled,
        axes_dims_rope=(4, 6, 6),
    )
    pipe = FluxPipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(
            shift=3.0 if distilled else 1.0, use_dynamic_shifting=distilled
        ),
        vae=tiny_vae(**_flow_vae(0.3611, 0.1159)),
        text_encoder=CLIPTextModel(text_config(tokenizer)),
        tokenizer=tokenizer,
        text_encoder_2=tiny_t5(long),
        tokenizer_2=long,
    )
    widen(pipe.text_encoder, transformer)
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def _flow_vae(scale: float, shift: float) -> dict[str, object]:
    return {
        "latent_channels": _LATENT_CHANNELS,
        "scaling_factor": scale,
        "shift_factor": shift,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
    }
