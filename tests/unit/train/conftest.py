"""A base model at a size that trains in a second, for what is trained beside one."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained, in a folder as diffusers reads it; loads torch."""
    import torch

    from generation.train.export import ModelParts, export_model
    from generation.train.text_encoder import new_text_encoder
    from generation.train.tokenizer import new_tokenizer
    from generation.train.unet import new_unet
    from generation.train.vae import new_vae
    from tests.unit.train.tiny import TINY

    torch.manual_seed(1)
    tokenizer = new_tokenizer(2)
    parts = ModelParts(
        vae=new_vae(TINY.vae),
        text_encoder=new_text_encoder(TINY.text, tokenizer),
        tokenizer=tokenizer,
        unet=new_unet(TINY.unet, text_width=TINY.text.width),
    )
    return export_model(parts, tmp_path_factory.mktemp("model") / "tiny")
