"""Every layout answers rows as its module does alone, with bits that depend on no neighbour."""

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.generation.fleets import loader_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from generation.engine.flights import Row
    from generation.engine.library.fleet import LoadedModel

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

LAYOUTS = ("sd1", "sd1-inpaint", "sdxl", "sd3", "sd3-short", "flux", "schnell")
BUCKETS = (2, 3, 4, 6, 8, 12)


@pytest.fixture(scope="module")
def load(tiny_family: Path) -> "Callable[[str], LoadedModel]":
    return loader_of(tiny_family)


def alone(model: "LoadedModel", row: "Row") -> Any:  # noqa: ANN401  # diffusers is untyped
    """What the module as diffusers made it says to this row twice, as stock guidance asks it."""
    import torch
    from diffusers import FluxPipeline

    module = plain_module(model)
    terms, latents = row.terms, torch.stack([row.latents] * 2)
    shared: dict[str, Any] = {
        "encoder_hidden_states": torch.stack([terms.text] * 2),
        "return_dict": False,
    }
    time = torch.tensor([row.timestep] * 2)
    pooled = None if terms.pooled is None else torch.stack([terms.pooled] * 2)
    with torch.no_grad():
        if model.layout in {"sd1", "sdxl"}:
            if terms.sizes is not None:
                sizes = torch.stack([terms.sizes.float()] * 2)
                shared["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": sizes}
            return module(latents, time, **shared)[0][0]
        if model.layout == "sd3":
            return module(latents, timestep=time, pooled_projections=pooled, **shared)[0][0]
        channels, height, width = row.latents.shape
        ids = (height // 2, width // 2, torch.device("cpu"), torch.float32)
        out = module(
            FluxPipeline._pack_latents(latents, 2, channels, height, width),
            timestep=time / 1000,
            guidance=torch.tensor([terms.guidance] * 2) if model.prompts.distilled else None,
            pooled_projections=pooled,
            txt_ids=torch.zeros(terms.text.shape[0], 3),
            img_ids=FluxPipeline._prepare_latent_image_ids(2, *ids),
            **shared,
        )[0]
        return FluxPipeline._unpack_latents(out, height * 8, width * 8, 8)[0]


def plain_module(model: "LoadedModel") -> "torch.nn.Module":
    import torch

    module = copy.deepcopy(model.module)
    for layer in module.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.__class__ = torch.nn.Linear
    return module


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_batch_of_rows_is_answered_as_the_module_answers_each_alone(
    load: "Callable[[str], LoadedModel]", layout: str
) -> None:
    model = load(layout)
    signature = model.signature(64, 48)
    rows = model.denoiser.sample_rows(signature, 3, seed=1)
    found = model.denoiser.predict(signature, rows, 4)
    assert found.shape == (3, model.codec.latent_channels, 24, 32)
    for mine, row in zip(found, rows, strict=True):
        stock = alone(model, row)
        assert float(stock.std()) > 0.01
        # The tiny models' weights are drawn wide, so that roundings grow in them.
        assert float((mine - stock).abs().max()) <= 1e-4


@pytest.mark.parametrize("side", [32, 64])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_bits_depend_on_neither_bucket_nor_slot_nor_neighbours(
    load: "Callable[[str], LoadedModel]", layout: str, side: int
) -> None:
    model = load(layout)
    signature = model.signature(side, side)
    rows = model.denoiser.sample_rows(signature, max(BUCKETS), seed=2)
    first = model.denoiser.predict(signature, rows[:1], 2)[0]
    for bucket in BUCKETS:
        together = model.denoiser.predict(signature, rows[:bucket], bucket)
        backwards = model.denoiser.predict(signature, rows[bucket - 1 :: -1], bucket)
        assert together[0].equal(first), bucket
        assert backwards[-1].equal(first), bucket


def test_the_shipped_model_answers_the_same_in_every_bucket(
    tmp_path: Path,
) -> None:
    from generation.engine.library.catalogue import find_models
    from generation.settings import SHIPPED_MODEL
    from tests.unit.generation.fleets import new_fleet

    fleet = new_fleet(tmp_path, sources=find_models(None, SHIPPED_MODEL))
    with fleet.use("demo") as model:
        signature = model.signature(128, 128)
        for row in model.denoiser.sample_rows(signature, 2, seed=9):
            found = model.denoiser.predict(signature, [row], 4)[0]
            assert float((found - alone(model, row)).abs().max()) <= 1e-5
        for side in (128, 256):
            signature = model.signature(side, side)
            rows = model.denoiser.sample_rows(signature, max(BUCKETS), seed=0)
            first = model.denoiser.predict(signature, rows[:1], 2)[0]
            for bucket in BUCKETS[1:]:
                found = model.denoiser.predict(signature, rows[:bucket], bucket)
                assert found[0].equal(first), (side, bucket)


def test_terms_are_stacked_once_for_an_unchanged_batch(
    load: "Callable[[str], LoadedModel]",
) -> None:
    import torch

    from generation.engine.denoisers.batching import TermsCache

    model = load("sdxl")
    rows = model.denoiser.sample_rows(model.signature(64, 64), 3, seed=3)
    cache = TermsCache(room=2)
    first = cache.stacked(rows, torch.float32)
    assert cache.stacked(rows, torch.float32) is first
    assert cache.stacked(rows[::-1], torch.float32) is not first
    cache.stacked(rows[:2], torch.float32)
    assert cache.stacked(rows, torch.float32) is not first  # only two batches are kept


def test_more_rows_than_the_bucket_holds_are_refused(
    load: "Callable[[str], LoadedModel]",
) -> None:
    model = load("sd1")
    signature = model.signature(64, 64)
    rows = model.denoiser.sample_rows(signature, 3, seed=4)
    with pytest.raises(ValueError, match="3 rows do not fit a bucket of 2"):
        model.denoiser.predict(signature, rows, 2)


def test_a_seamless_row_changes_nothing_for_the_next_one(
    load: "Callable[[str], LoadedModel]",
) -> None:
    from dataclasses import replace

    model = load("sd1")
    signature = model.signature(64, 64)
    rows = model.denoiser.sample_rows(signature, 1, seed=5)
    plain = model.denoiser.predict(signature, rows, 2)
    tiled = model.denoiser.predict(replace(signature, tile=True), rows, 2)
    assert not tiled.equal(plain)
    rolled = replace(rows[0], latents=rows[0].latents.roll(8, -1))
    again = model.denoiser.predict(replace(signature, tile=True), [rolled], 2)
    assert float((again - tiled.roll(8, -1)).abs().max()) < 1e-4
    assert model.denoiser.predict(signature, rows, 2).equal(plain)


@pytest.mark.parametrize("layout", ["sd3", "flux"])
def test_layouts_that_cannot_be_seamless_refuse_it(
    load: "Callable[[str], LoadedModel]", layout: str
) -> None:
    model = load(layout)
    signature = model.signature(64, 64, tile=True)
    rows = model.denoiser.sample_rows(signature, 1, seed=6)
    with pytest.raises(ValueError, match="no convolutions"):
        model.denoiser.predict(signature, rows, 2)


def test_latents_survive_packing() -> None:
    import torch

    from generation.engine.denoisers.flux import packed, unpacked

    latents = torch.randn(2, 16, 6, 10)
    assert packed(latents).shape == (2, 15, 64)
    assert unpacked(packed(latents), 6, 10).equal(latents)
