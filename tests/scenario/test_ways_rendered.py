"""The ways that chat offers, through the real engine on a tiny model: each leaves its traces."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.core.assets import Asset
from bot.core.commands import Extend, Imagine
from brand.templates import Brief
from generation.engines import Engine
from storage.database import open_store
from tests.fakes.drawn import EngineRenderer
from tests.fakes.tiny_models import build_sd1
from tests.fakes.town import KIT, Town, make_town
from tests.unit.generation.rendering import new_engine

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A loaded engine on one tiny model."""
    folder = tmp_path_factory.mktemp("models")
    build_sd1(folder / "sd1")
    return new_engine(folder)


@pytest.fixture
async def town(engine: Engine, tmp_path: Path) -> AsyncIterator[Town]:
    """The town with that engine and a kit for it."""
    defaults = replace(KIT.generation, model="sd1", steps=3)
    store = await open_store("memory:")
    made = await make_town(replace(KIT, generation=defaults), store=store)
    made.house = replace(made.house, renderer=EngineRenderer(tmp_path, engine))
    yield made
    await store.close()


async def made(town: Town, command: object) -> list[Asset]:
    card = await town.say(command)
    assert card.kind == "job", card
    await town.settle()
    async with town.house.store.read() as tx:
        [job, *_] = await tx.jobs.recent(limit=1)
        assert job.error == ""
        return list(await tx.assets.of_job(job.id))


async def pixels(town: Town, asset: Asset) -> np.ndarray:
    with Image.open(io.BytesIO(await town.house.blobs.get(asset.file_hash))) as image:
        return np.asarray(image.convert("RGB")).astype(int)


async def test_a_recipe_in_stages_keeps_what_its_mask_keeps(town: Town) -> None:
    base, background, *moods = await made(
        town, Imagine(brief=Brief(words="a red mug", recipe="scene", seed=7))
    )
    assert len(moods) == 2
    before, after = await pixels(town, base), await pixels(town, background)
    changed = np.abs(before - after).max(axis=2)
    assert changed[24:40, 24:40].mean() < changed[:8].mean()
    assert moods[0].pixel_hash != moods[1].pixel_hash
    assert base.reproduction.weights == moods[0].reproduction.weights


async def test_extending_keeps_the_picture_in_the_middle(town: Town) -> None:
    [base] = await made(town, Imagine(brief=Brief(words="a red mug", seed=7)))
    [wide] = await made(town, Extend(asset=base.id))
    assert (wide.width, wide.height) == (96, 64)
    before, after = await pixels(town, base), await pixels(town, wide)
    middle = np.abs(before[:, 16:48] - after[:, 32:64]).mean()
    assert middle < np.abs(before[:, :32] - after[:, :32]).mean()


async def test_a_second_pass_and_an_identical_recipe(town: Town) -> None:
    brief = Brief(words="a red mug", seed=7, highres=2)
    [large] = await made(town, Imagine(brief=brief))
    assert (large.width, large.height) == (128, 128)
    [again] = await made(town, Imagine(brief=brief))
    assert (again.reused, again.pixel_hash) == (large.id, large.pixel_hash)
