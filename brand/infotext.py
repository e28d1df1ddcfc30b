"""The recipe as AUTOMATIC1111's "infotext", which many tools read from a PNG's `parameters` chunk.

Its form: the prompt; a line `Negative prompt: ...`; a line of `Key: value` pairs, where a value
with a comma or colon stands in quotes as a JSON string.
"""

import json

from brand.spec import RenderSpec

PARAMETERS_CHUNK = "parameters"
VERSION = "Housestyle 1"
SHORT_HASH = 10

_SAMPLER_NAMES = {
    "ddim": "DDIM",
    "deis": "DEIS",
    "dpmpp_2m": "DPM++ 2M",
    "dpmpp_2m_sde": "DPM++ 2M SDE",
    "dpmpp_3m": "DPM++ 3M",
    "euler": "Euler",
    "euler_a": "Euler a",
    "heun": "Heun",
    "kdpm2": "DPM2",
    "lms": "LMS",
    "pndm": "PLMS",
    "unipc": "UniPC",
}
_KARRAS = "_karras"


def infotext(spec: RenderSpec, *, weights: str = "") -> str:
    """The recipe as infotext; `weights` is the model's hash where the recipe pins none."""
    model_hash = (spec.model_sha256 or weights)[:SHORT_HASH]
    pairs: dict[str, object] = {
        "Steps": spec.steps,
        "Sampler": sampler_name(spec.sampler),
        "CFG scale": f"{spec.guidance:g}",
        "Seed": spec.seed,
        "Size": f"{spec.width}x{spec.height}",
    }
    if model_hash:
        pairs["Model hash"] = model_hash
    pairs["Model"] = spec.model
    if spec.init:
        pairs["Denoising strength"] = f"{spec.init.strength:g}"
    if spec.loras:
        names = [(_one_line(use.name or use.sha256[:SHORT_HASH]), use) for use in spec.loras]
        pairs["Lora hashes"] = ", ".join(f"{n}: {use.sha256[:SHORT_HASH]}" for n, use in names)
        pairs["Lora weights"] = ", ".join(f"{n}: {use.weight:g}" for n, use in names)
    if spec.upscale > 1:
        pairs["Hires upscale"] = spec.upscale
    pairs["Recipe"] = spec.hash
    pairs["Version"] = VERSION
    lines = [_one_line(spec.prompt)]
    if spec.negative:
        lines.append(f"Negative prompt: {_one_line(spec.negative)}")
    lines.append(", ".join(f"{key}: {_quoted(str(value))}" for key, value in pairs.items()))
    return "\n".join(lines)


def sampler_name(sampler: str) -> str:
    """The sampler's name as AUTOMATIC1111 writes it; our own where it has none."""
    bare = sampler.removesuffix(_KARRAS)
    if bare not in _SAMPLER_NAMES:
        return sampler
    return _SAMPLER_NAMES[bare] + (" Karras" if sampler.endswith(_KARRAS) else "")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if set(text) & set(',:"\n') else text
