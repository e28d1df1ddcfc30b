"""Where the weights of preprocessors lie; found without torch."""

from pathlib import Path

from brand.spec import ModelMissing
from generation.engine.library.weights import WeightsDamaged, read_header

FOLDER = "preprocessors"
"""In the models folder: one folder for each kind, in transformers' layout."""
LEARNED = ("depth", "pose", "segmentation")
"""The kinds of weights; maps of normals are made with those of depth."""


def folder_of(models_dir: Path | None, kind: str) -> Path:
    """Where the weights of that kind lie. Raises ModelMissing saying where they belong."""
    folder = models_dir / FOLDER / kind if models_dir else None
    if folder is None or not (folder / "config.json").is_file():
        raise ModelMissing(
            f"There are no weights that make a {kind} map of a picture. Put such a model, as"
            f" transformers saves it (config.json, preprocessor_config.json, model.safetensors),"
            f" into {FOLDER}/{kind}/ in the models folder, or give a finished map and mark the"
            " control as ready."
        )
    return folder


def files_of(models_dir: Path | None, kind: str) -> tuple[tuple[str, Path], ...]:
    """(name, file) of everything that decides that kind's maps. Raises ModelMissing."""
    folder = folder_of(models_dir, kind)
    return tuple(
        (f"{FOLDER}/{kind}/{file.relative_to(folder).as_posix()}", file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix in {".json", ".safetensors"}
    )


def check_weights(folder: Path) -> None:
    """Raises WeightsDamaged."""
    files = list(folder.glob("*.safetensors"))
    if not files:
        raise WeightsDamaged("no safetensors file lies there.")
    for file in files:
        read_header(file)
