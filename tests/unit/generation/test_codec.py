"""Pixels and latents as the stock pipelines turn them into each other."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.generation.fleets import loader_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from generation.engine.library.fleet import LoadedModel

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def load(tiny_family: Path) -> "Callable[[str], LoadedModel]":
    return loader_of(tiny_family)


@pytest.mark.parametrize("layout", ["sd1", "sdxl", "sd3", "flux"])
def test_a_picture_is_encoded_and_decoded_as_by_the_stock_pipeline(
    load: "Callable[[str], LoadedModel]", layout: str
) -> None:
    import torch

    model = load(layout)
    vae, config = model.pipe.vae, model.pipe.vae.config
    shift = getattr(config, "shift_factor", None) or 0.0
    pixels = torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    found = model.codec.encode(pixels, torch.Generator().manual_seed(7))
    with torch.no_grad():
        drawn = vae.encode(pixels[None]).latent_dist.sample(torch.Generator().manual_seed(7))
        stock = (drawn - shift) * config.scaling_factor
        shown = vae.decode(stock / config.scaling_factor + shift, return_dict=False)[0]
    assert found.shape == (model.codec.latent_channels, 24, 32)
    assert float((found - stock[0]).abs().max()) <= 1e-6
    assert float((model.codec.decode(stock[0]) - shown[0]).abs().max()) <= 1e-5
    middle = model.codec.encode(pixels, None)
    assert middle.equal(model.codec.encode(pixels, None))
    assert not middle.equal(found)


def test_an_sdxl_vae_in_half_precision_is_kept_in_full(tiny_family: Path) -> None:
    import torch
    from diffusers import AutoencoderKL

    from generation.engine.codec import Codec

    half, brain = (
        AutoencoderKL.from_pretrained(tiny_family / "sdxl" / "vae", dtype=dtype)
        for dtype in (torch.float16, torch.bfloat16)
    )
    assert Codec(half).vae.dtype == torch.float32
    codec = Codec(brain)
    assert codec.encode(torch.zeros(3, 32, 32), None).dtype == torch.float32
    assert codec.vae.dtype == torch.bfloat16


def test_memory_that_ends_while_weights_change_their_format_leaves_the_codec_as_it_was(
    tiny_family: Path,
) -> None:
    import torch
    from diffusers import AutoencoderKL

    from generation.engine.codec import Codec

    class Full(torch.nn.Module):
        """The last part of a model, for which there is no memory in another format."""

        full = True

        def _apply(self, fn: object, recurse: bool = True) -> "Full":
            if self.full:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return self

    vae = AutoencoderKL.from_pretrained(tiny_family / "sdxl" / "vae", dtype=torch.bfloat16)
    codec = Codec(vae)
    latents = torch.randn(codec.latent_channels, 8, 8)
    before = codec.decode(latents), codec.encode(torch.zeros(3, 32, 32), None)
    last = Full()
    vae.add_module("last", last)
    with pytest.raises(torch.OutOfMemoryError):
        codec.encode(torch.zeros(3, 32, 32), None)
    last.full = False
    assert codec.decode(latents).equal(before[0])
    assert codec.encode(torch.zeros(3, 32, 32), None).equal(before[1])
    assert {weight.dtype for weight in vae.parameters()} == {torch.bfloat16}


def test_a_seamless_picture_is_decoded_around_its_edges(
    load: "Callable[[str], LoadedModel]",
) -> None:
    import torch

    codec = load("sd1").codec
    latents = torch.randn(4, 24, 24, generator=torch.Generator().manual_seed(2))
    tiled = codec.decode(latents, tile=True)
    rolled = codec.decode(latents.roll(8, -1), tile=True)
    assert float((rolled - tiled.roll(16, -1)).abs().max()) < 1e-4
    assert not codec.decode(latents).equal(tiled)


def test_a_preview_from_sixteen_channels_resembles_the_picture(
    load: "Callable[[str], LoadedModel]",
) -> None:
    import numpy as np
    import torch

    from generation.illustrator.drawing import draw
    from generation.illustrator.scene import random_scene

    model = load("sd3")
    drawn = draw(random_scene(np.random.default_rng(9), training=False), 128, 128)
    pixels = torch.from_numpy(np.array(drawn)).permute(2, 0, 1).float() / 127.5 - 1
    preview = model.preview_map.picture(model.codec.encode(pixels, None)[None])
    shown = np.asarray(preview.resize((128, 128)), np.float32)
    assert (
        np.corrcoef(shown.ravel(), np.asarray(drawn, np.float32).ravel())[0, 1] > 0.5
    )  # of a VAE with random weights
