"""Tiny random-weight models and an engine on them, made once for all tests that load torch."""

from pathlib import Path

import pytest

from generation.engines import Engine
from tests.unit.generation.rendering import new_engine


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with `sd1` and `sdxl`."""
    from tests.fakes.tiny_models import build_sd1, build_sdxl

    folder = tmp_path_factory.mktemp("tiny-models")
    build_sd1(folder / "sd1")
    build_sdxl(folder / "sdxl")
    return folder


@pytest.fixture(scope="session")
def tiny_family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with one of every layout that there is."""
    from tests.fakes import tiny_models, tiny_transformers

    folder = tmp_path_factory.mktemp("tiny-family")
    tiny_models.build_sd1(folder / "sd1")
    tiny_models.build_sd1_inpaint(folder / "sd1-inpaint")
    tiny_models.build_sdxl(folder / "sdxl")
    tiny_transformers.build_sd3(folder / "sd3")
    tiny_transformers.build_sd3(folder / "sd3-short", t5=False)
    tiny_transformers.build_flux(folder / "flux")
    tiny_transformers.build_flux(folder / "schnell", distilled=False)
    return folder


@pytest.fixture(scope="session")
def engine(tiny_models: Path) -> Engine:
    """A loaded diffusers engine on the tiny models."""
    return new_engine(tiny_models)
