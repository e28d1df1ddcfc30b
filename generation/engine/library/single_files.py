"""One safetensors file as a model: which layout it has, what it holds and what must lie beside it.

Files of Stable Diffusion 1.x and SDXL hold everything but the tokenizer. Those of SD3 and Flux
often hold the transformer alone; what lacks lies in NAME.config/ beside NAME.safetensors, in the
folders that a diffusers copy of the family has.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generation.engine.library.sources import ModelSource, Unusable, reads_mask
from generation.engine.library.weights import Header, TensorFacts, read_header

CONFIGS = Path(__file__).parent / "configs"
"""Config folders of the layouts; tokenizers are not among them."""
DEFAULT_SIDES = {"sd1": 512, "sdxl": 1024, "sd3": 1024, "flux": 1024}
_INNER = "model.diffusion_model."
_LAYOUTS = {
    "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": "sd1",
    "conditioner.embedders.1.model.token_embedding.weight": "sdxl",
    "joint_blocks.0.context_block.adaLN_modulation.1.bias": "sd3",
    "double_blocks.0.img_attn.norm.key_norm.scale": "flux",
}
_FIRST_LAYERS = {
    "sd1": "input_blocks.0.0.weight",
    "sdxl": "input_blocks.0.0.weight",
    "sd3": "x_embedder.proj.weight",
    "flux": "img_in.weight",
}
_CLIP = "text_encoders.{}.transformer.text_model.embeddings.token_embedding.weight"
_T5 = "text_encoders.t5xxl.transformer.shared.weight"
_VAES = ("first_stage_model.decoder.conv_in.weight", "vae.decoder.conv_in.weight")
_PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sd3": {
        "vae": _VAES,
        "text_encoder": (_CLIP.format("clip_l"),),
        "text_encoder_2": (_CLIP.format("clip_g"),),
        "text_encoder_3": (_T5,),
    },
    "flux": {"vae": _VAES, "text_encoder": (_CLIP.format("clip_l"),), "text_encoder_2": (_T5,)},
}
"""Which tensor shows that a part is in the file, where not every file holds every part."""
_OPTIONAL = {("sd3", "text_encoder_3")}
_TOKENIZERS = {"sd1": 1, "sdxl": 2, "sd3": 3, "flux": 2}
_SHARED_TOKENIZER = {("sdxl", "tokenizer_2"), ("sd3", "tokenizer_2")}
"""Both CLIP encoders may read with the first one's."""
_TOKENIZER_FILES = ("vocab.json", "tokenizer.json", "spiece.model")
_HEAD_CHANNELS = 64


def single_file(name: str, path: Path) -> ModelSource:
    """The model in this file. Raises Unusable, WeightsDamaged."""
    header = read_header(path)
    layout = _layout(header)
    folder = path.with_suffix(".config")
    own_config = (folder / "model_index.json").is_file()
    config = folder if own_config else CONFIGS / layout
    beside = tuple(_beside(folder, layout, header))
    has_t5 = layout != "sd3" or _T5 in header.tensors or "text_encoder_3" in dict(beside)
    tokenizers = tuple(_tokenizers(folder, layout, has_t5))
    read = {*tokenizers, config, *(part for _, part in beside)}
    settings = {
        (f"{place.name}/{file.relative_to(place).as_posix()}", file)
        for place in read
        for file in place.rglob("*")
        if file.suffix in {".json", ".txt", ".model"}
        or (file.suffix == ".safetensors" and place != config)
    }
    return ModelSource(
        name=name,
        path=path,
        layout=layout,
        width=DEFAULT_SIDES[layout],
        height=DEFAULT_SIDES[layout],
        inpaints=_inpaints(layout, header),
        config=config,
        tokenizers=tokenizers,
        beside=beside,
        changes={} if own_config else _changes(layout, header),
        files=(("weights", path), *sorted(settings)),
    )


def _layout(header: Header) -> str:
    for name, layout in _LAYOUTS.items():
        if name in header.tensors or _INNER + name in header.tensors:
            return layout
    raise Unusable("it holds no checkpoint of Stable Diffusion 1.x, SDXL, SD3 or Flux.")


def _inner(header: Header, name: str) -> TensorFacts | None:
    """A tensor of the denoiser, whose names may have a prefix."""
    return header.tensors.get(_INNER + name) or header.tensors.get(name)


def _inpaints(layout: str, header: Header) -> bool:
    first = _inner(header, _FIRST_LAYERS[layout])
    if first is None or len(first.shape) < 2:
        raise Unusable("its denoiser is missing.")
    return reads_mask(layout, first.shape[1])


def _beside(folder: Path, layout: str, header: Header) -> Iterator[tuple[str, Path]]:
    """The parts that lie beside the file, which go before its own."""
    lacking = []
    for part, signs in _PARTS.get(layout, {}).items():
        if any((folder / part).glob("*.safetensors")):
            yield part, folder / part
        elif not any(sign in header.tensors for sign in signs) and (layout, part) not in _OPTIONAL:
            lacking.append(part)
    if lacking:
        raise Unusable(
            f"it does not hold its {', '.join(lacking)}. Put the folders of these names, with their"
            f" weights, of any diffusers copy of this family into {folder.name}/ beside the file."
        )


def _tokenizers(folder: Path, layout: str, has_t5: bool) -> Iterator[Path]:
    names = ["tokenizer", "tokenizer_2", "tokenizer_3"][: _TOKENIZERS[layout]]
    for name in names if has_t5 else names[:2]:
        if any((folder / name / file).is_file() for file in _TOKENIZER_FILES):
            yield folder / name
        elif (layout, name) in _SHARED_TOKENIZER:
            yield folder / names[0]
        else:
            raise Unusable(
                f"a single file does not hold its tokenizers. Put the `{name}` folder of any"
                f" diffusers copy of this family into {folder.name}/ beside the file."
            )


def _changes(layout: str, header: Header) -> dict[str, Any]:
    """How this file's denoiser differs from the one that the shipped configuration describes."""
    if layout == "flux":
        return {
            "num_layers": _count(header, "double_blocks."),
            "num_single_layers": _count(header, "single_blocks."),
            "guidance_embeds": _inner(header, "guidance_in.in_layer.weight") is not None,
        }
    if layout != "sd3":
        return {"in_channels": 9} if _inpaints(layout, header) else {}
    layers = _count(header, "joint_blocks.")
    width = _side(header, "context_embedder.weight", 0)
    twice = tuple(
        n for n in range(layers) if _inner(header, f"joint_blocks.{n}.x_block.attn2.qkv.weight")
    )
    normed = _inner(header, "joint_blocks.0.x_block.attn.ln_q.weight")
    return {
        "num_layers": layers,
        "num_attention_heads": width // _HEAD_CHANNELS,
        "caption_projection_dim": width,
        "pos_embed_max_size": math.isqrt(_side(header, "pos_embed", 1)),
        "qk_norm": "rms_norm" if normed else None,
        "dual_attention_layers": twice,
    }


def _side(header: Header, name: str, dimension: int) -> int:
    facts = _inner(header, name)
    if facts is None or len(facts.shape) <= dimension:
        raise Unusable(f"it lacks {name}.")
    return facts.shape[dimension]


def _count(header: Header, prefix: str) -> int:
    """How many numbered blocks there are."""
    numbers = {
        name.removeprefix(_INNER).removeprefix(prefix).partition(".")[0]
        for name in header.tensors
        if name.removeprefix(_INNER).startswith(prefix)
    }
    return len(numbers)
