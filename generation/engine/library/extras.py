"""What lies in the models folder, models and all beside them, and what is left out and why.

Found without torch and by the engine's own rules, for `housestyle doctor`.
"""

from dataclasses import dataclass
from pathlib import Path

from brand.spec import ModelMissing
from generation.engine.control.sources import find_controls
from generation.engine.library.catalogue import find_models
from generation.engine.library.image_prompt_files import find_image_prompts, text_width
from generation.engine.library.weights import WeightsDamaged
from generation.engine.preprocess.places import FOLDER, LEARNED, check_weights, folder_of


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was looked for in one place."""

    found: tuple[str, ...]
    """Names of what is usable."""
    left_out: tuple[tuple[str, str], ...] = ()
    """(name, why) of what lies there and is not usable."""


def look_at_models(models_dir: Path | None, shipped: Path) -> Looked:
    """Models."""
    bad: list[tuple[str, str]] = []
    found = find_models(models_dir, shipped, lambda name, why: bad.append((name, why)))
    return Looked(found=tuple(sorted(found)), left_out=tuple(bad))


def look_at_controls(models_dir: Path | None, shipped: Path) -> Looked:
    """ControlNets, each with its kind."""
    bad: list[tuple[str, str]] = []
    found = find_controls(models_dir, shipped, lambda name, why: bad.append((name, why)))
    named = (f"{source.name} ({source.kind})" for _, source in sorted(found.items()))
    return Looked(found=tuple(named), left_out=tuple(bad))


def look_at_image_prompts(models_dir: Path | None) -> Looked:
    """Image-prompt weights."""
    bad: list[tuple[str, str]] = []
    good = []
    for name, file in find_image_prompts(
        models_dir, lambda name, why: bad.append((name, why))
    ).items():
        try:
            text_width(file)
        except WeightsDamaged as exc:
            bad.append((name, str(exc)))
        else:
            good.append(name)
    return Looked(found=tuple(good), left_out=tuple(bad))


def look_at_preprocessors(models_dir: Path | None) -> Looked:
    """Weights that make maps of pictures."""
    places = models_dir / FOLDER if models_dir else None
    there = {path.name for path in places.iterdir()} if places and places.is_dir() else set()
    looked = {name: _preprocessor(models_dir, name) for name in sorted(there)}
    return Looked(
        found=tuple(name for name, why in looked.items() if not why),
        left_out=tuple((name, why) for name, why in looked.items() if why),
    )


def _preprocessor(models_dir: Path | None, kind: str) -> str:
    """Why it is not usable, or empty."""
    if kind not in LEARNED:
        return f"no maps are made with it; known are {', '.join(LEARNED)}."
    try:
        check_weights(folder_of(models_dir, kind))
    except WeightsDamaged as exc:
        return str(exc)
    except ModelMissing:
        return "its config.json is missing."
    return ""
