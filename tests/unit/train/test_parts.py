"""The parts of the recipe: tokenizer, VAE, noise schedule, loop and checkpoint."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import CLIPTokenizer

from generation.train.checkpoint import load_checkpoint, save_checkpoint
from generation.train.loop import Stage, rate_factor, train_stage
from generation.train.options import DivergedError, WrongCheckpointError
from generation.train.text_encoder import tokens_of
from generation.train.threads import ThreadChoice
from generation.train.tokenizer import CONTEXT, END, learn_merges, new_tokenizer
from generation.train.vae import VaeSize, new_vae, standardize
from tests.unit.train.tiny import silent

pytestmark = pytest.mark.model


def test_merges_are_learnt_from_the_most_frequent_pair_down() -> None:
    merges = learn_merges(Counter({"mug": 5, "mud": 3}), 3)
    assert merges == [("m", "u"), ("mu", "g</w>"), ("mu", "d</w>")]


def test_a_saved_tokenizer_reads_any_text_as_before(tmp_path: Path) -> None:
    tokenizer = new_tokenizer(2)
    tokenizer.save_pretrained(tmp_path)
    again = CLIPTokenizer.from_pretrained(tmp_path)
    prompts = ["a red and white striped t-shirt", "Zürich 8k, (weird) ☂ xyzzy", ""]
    assert torch.equal(tokens_of(tokenizer, prompts), tokens_of(again, prompts))
    assert tokenizer.convert_tokens_to_ids(END) == len(tokenizer) - 1
    assert tokens_of(tokenizer, prompts).shape == (3, CONTEXT)


def test_vocabulary_words_are_single_tokens() -> None:
    tokenizer = new_tokenizer(2)
    assert tokenizer.tokenize("red umbrella") == ["red</w>", "umbrella</w>"]


def test_standardized_latents_are_zero_mean_and_unit_spread_and_decode_as_before() -> None:
    torch.manual_seed(1)
    vae = new_vae(VaeSize(channels=(8, 8, 8, 8)))
    pictures = torch.rand(4, 3, 128, 128) * 2 - 1
    with torch.no_grad():
        raw = vae.encode(pictures).latent_dist
        decoded = vae.decode(raw.mean).sample
        latents = standardize(vae, raw.mean)
        again = vae.encode(pictures).latent_dist
        assert torch.allclose(again.mean, latents, atol=1e-4)
        spread = raw.mean.std((0, 2, 3))[:, None, None]
        assert torch.allclose(again.std * spread, raw.std, rtol=1e-3)
        assert torch.allclose(vae.decode(latents).sample, decoded, atol=1e-4)
    assert torch.allclose(latents.mean((0, 2, 3)), torch.zeros(4), atol=1e-4)
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(4), atol=1e-3)


def test_the_rate_rises_then_falls_to_its_last_part() -> None:
    stage = Stage(name="x", steps=1000, rate=1.0, warmup=100)
    factors = [rate_factor(stage, step) for step in range(1001)]
    assert factors[0] == pytest.approx(0.01)
    assert max(factors) == pytest.approx(factors[99], rel=0.01)
    assert factors[1000] == pytest.approx(0.04)


def test_a_diverged_loss_stops_the_run_with_the_remedy(tmp_path: Path) -> None:
    module = nn.Linear(1, 1)

    def loss_of(step: int) -> Tensor:
        loss: Tensor = module(torch.ones(1, 1)).sum() * float("nan")
        return loss

    with pytest.raises(DivergedError, match="lower its rate"):
        train_stage(Stage(name="x", steps=3, rate=0.1), module, loss_of, tmp_path, silent)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    stage = Stage(name="x", steps=1, rate=0.1)
    wide, narrow = nn.Linear(3, 1), nn.Linear(2, 1)
    train_stage(stage, wide, lambda _: wide(torch.ones(1, 3)).sum(), tmp_path, silent)
    with pytest.raises(WrongCheckpointError, match="another work folder"):
        train_stage(stage, narrow, lambda _: narrow(torch.ones(1, 2)).sum(), tmp_path, silent)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    save_checkpoint(path, {"step": 3})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(WrongCheckpointError, match=r"x\.pt"):
        load_checkpoint(path)


def test_a_save_that_dies_half_way_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    save_checkpoint(path, {"step": 3})
    with pytest.raises(Exception, match=r"pickle|local"):
        save_checkpoint(path, {"step": 4, "odd": lambda: None})
    state = load_checkpoint(path)
    assert state is not None
    assert state["step"] == 3


def test_threads_fall_back_to_one_when_a_core_is_taken_and_return_when_it_is_free() -> None:
    before = torch.get_num_threads()
    choice = ThreadChoice(2)

    def run(steps: int, pair_seconds: float) -> None:
        for _ in range(steps):
            choice.before_step()
            choice.after_step(pair_seconds if torch.get_num_threads() == 2 else 1.0)

    try:
        run(20, 0.6)
        assert choice.current == 2
        run(20, 3.0)
        assert choice.current == 1
        run(80, 0.6)
        assert choice.current == 2
    finally:
        torch.set_num_threads(before)
