"""Words become embeddings: unweighted ones exactly as in the stock pipelines."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.generation.rendering import stock_pipeline

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline
    from torch import Tensor

pytestmark = pytest.mark.model

PROMPTS = (
    "",
    "a red mug on a wooden table",
    "  Ünïcode,   white space\tand CAPITALS  ",
    "emoji 🦊, " * 3,
)


@pytest.fixture(scope="module", params=["sd1", "sdxl"])
def pipe(request: pytest.FixtureRequest, tiny_models: Path) -> "DiffusionPipeline":
    return stock_pipeline(tiny_models, request.param)


def stock(pipe: "DiffusionPipeline", prompt: str, negative: str | None) -> "list[Tensor]":
    import torch

    with torch.no_grad():
        return list(
            pipe.encode_prompt(
                prompt=prompt,
                negative_prompt=negative,
                device="cpu",
                num_images_per_prompt=1,
                do_classifier_free_guidance=True,
            )
        )


def ours(pipe: "DiffusionPipeline", prompt: str, negative: str = "") -> "list[Tensor]":
    """In the stock pipeline's order: text, negative text, and the pooled ones if there are."""
    from generation.engine.words.prompts import PromptEncoder

    layout = "sdxl" if hasattr(pipe, "text_encoder_2") else "sd1"
    encoder = PromptEncoder(pipe, layout)
    away, towards = encoder.encode(prompt, negative, guidance=5, width=64, height=64).terms
    found = [towards.text, away.text, towards.pooled, away.pooled]
    return [tensor[None] for tensor in found if tensor is not None]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("negative", ["", "blurry, ugly"])
def test_unweighted_prompts_encode_exactly_as_the_stock_pipeline(
    pipe: "DiffusionPipeline", prompt: str, negative: str
) -> None:
    mine, theirs = ours(pipe, prompt, negative), stock(pipe, prompt, negative or None)
    assert len(mine) == len(theirs)
    for my, their in zip(mine, theirs, strict=True):
        assert my.dtype == their.dtype
        assert float((my - their).abs().max()) == 0.0


def test_a_weight_changes_its_words_most_and_keeps_the_mean_size(pipe: "DiffusionPipeline") -> None:
    plain, weighted = ours(pipe, "a red mug")[0], ours(pipe, "a (red:1.5) mug")[0]
    assert float(weighted.abs().mean()) == pytest.approx(float(plain.abs().mean()), rel=1e-4)
    change = (weighted / plain)[0].mean(-1)
    assert int(change.argmax()) == 2  # start, a, red
    assert change[2] > 1.3 * change[1]


def test_brackets_that_weigh_nothing_change_nothing(pipe: "DiffusionPipeline") -> None:
    assert ours(pipe, "a (red:1.0) mug")[0].equal(ours(pipe, "a red mug")[0])


def test_a_long_prompt_is_read_to_its_end(pipe: "DiffusionPipeline") -> None:
    long = "a mug, " * 40
    first, second = ours(pipe, long + "red")[0], ours(pipe, long + "blue")[0]
    assert first.shape[1] > 77
    assert first.shape[1] % 77 == 0
    assert not first.equal(second)
    assert first[:, :77].equal(second[:, :77])


def test_the_shorter_of_two_prompts_is_filled_up_with_empty_windows(
    pipe: "DiffusionPipeline",
) -> None:
    prompt, negative = ours(pipe, "a mug, " * 40, "ugly")[:2]
    assert prompt.shape == negative.shape
    assert negative[:, 77:154].equal(ours(pipe, "", "x")[0])


def test_break_starts_a_new_window(pipe: "DiffusionPipeline") -> None:
    both = ours(pipe, "a red mug BREAK a blue ball")[0]
    assert both[:, :77].equal(ours(pipe, "a red mug")[0])
    assert both[:, 77:].equal(ours(pipe, "a blue ball")[0])


def test_without_guidance_no_negative_prompt_is_encoded(pipe: "DiffusionPipeline") -> None:
    from generation.engine.words.prompts import PromptEncoder

    layout = "sdxl" if hasattr(pipe, "text_encoder_2") else "sd1"
    encoder = PromptEncoder(pipe, layout)
    assert len(encoder.encode("a mug", "ugly", guidance=1, width=64, height=64).terms) == 1


@pytest.mark.parametrize("pipe", ["sd1"], indirect=True)
def test_an_attention_mask_is_used_where_the_model_asks_for_it(pipe: "DiffusionPipeline") -> None:
    before = ours(pipe, "a red mug")[0]
    pipe.text_encoder.config.use_attention_mask = True
    try:
        masked = ours(pipe, "a red mug")[0]
        assert float((masked - stock(pipe, "a red mug", None)[0]).abs().max()) == 0.0
    finally:
        del pipe.text_encoder.config.use_attention_mask
    assert not masked.equal(before)
