"""Which image-prompt weights lie on this machine; found without torch."""

from collections.abc import Callable
from pathlib import Path

from generation.engine.library.weights import WeightsDamaged, read_header

FOLDER = "image-prompts"
"""In the models folder: one folder for each set of weights."""
ENCODER = "image_encoder"
FIRST = "ip_adapter.1.to_k_ip.weight"
"""A tensor that every set holds; its width is that of the words it belongs beside."""


def find_image_prompts(
    models_dir: Path | None, left_out: Callable[[str, str], None] = lambda _name, _why: None
) -> dict[str, Path]:
    """Weights by name: the safetensors file of every folder that also has an encoder.

    `left_out` is told the name of what is not usable, and why.
    """
    folder = models_dir / FOLDER if models_dir else None
    if folder is None or not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.iterdir()):
        files = sorted(path.glob("*.safetensors")) if path.is_dir() else []
        if files and (path / ENCODER / "config.json").is_file():
            found[path.name] = files[0]
        elif path.is_dir():
            lacks = f"its CLIP encoder ({ENCODER}/config.json)" if files else "a safetensors file"
            left_out(path.name, f"{lacks} is missing.")
    return found


def text_width(file: Path) -> int:
    """Of the models that these weights fit. Raises WeightsDamaged."""
    facts = read_header(file).tensors.get(FIRST)
    if facts is None or not facts.shape:
        raise WeightsDamaged("it holds no image-prompt weights: no layer of it reads a picture.")
    return facts.shape[-1]
