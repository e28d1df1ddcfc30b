"""What `housestyle compare` asks for is taken by a model of every layout."""

from pathlib import Path

import pytest

from bot.cli.options import shipped_brands
from bot.core.comparing import recipes
from brand.kit_loader import load_kit
from brand.templates import Brief
from tests.unit.generation.rendering import new_engine

pytestmark = pytest.mark.model

KIT = load_kit(shipped_brands() / "northwind.toml")


def test_the_demo_kit_is_compared_on_models_of_every_layout(tiny_family: Path) -> None:
    engine = new_engine(tiny_family)
    for aspect in KIT.generation.aspects:
        brief = Brief(words="a red mug", aspect=aspect.name, steps=2)
        for model, spec in recipes(brief, KIT, engine.models(), [1]):
            engine.check(spec)
            if model.layout in {"sd3", "flux"}:
                assert spec.sampler == "euler"
