"""Learned words: as the stock pipeline reads them, for one request and nobody else."""

import random
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pytest

from brand.spec import EmbeddingUse, LoraRefused
from generation.engines import Engine
from tests.unit.generation.lora_files import Tensors, safetensors
from tests.unit.generation.rendering import Folder, image_of, rendered, stock_pipeline, tiny

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline
    from torch import Tensor

    from generation.engine.words.embeddings import EmbeddingShelf

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

TOKEN = "acme-style"
PROMPT = "a mug in acme-style, on a table"


def vectors(count: int, width: int = 32, *, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    drawn = np.random.default_rng(seed).normal(0, 0.5, (count, width))
    return drawn.astype(np.float32)


ONE = {"emb_params": vectors(1)}
FLAT = {"acme": vectors(1)[0]}
THREE = {"emb_params": vectors(3, seed=1)}
BOTH = {"clip_l": vectors(2, seed=2), "clip_g": vectors(2, 48, seed=3)}


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def pipe(tiny_models: Path) -> "DiffusionPipeline":
    return stock_pipeline(tiny_models, "sd1")


def shelf_of(pipe: "DiffusionPipeline") -> "EmbeddingShelf":
    from generation.engine.words.embeddings import EmbeddingShelf

    return EmbeddingShelf(pipe)


def use_of(inputs: Folder, tensors: Tensors, token: str = TOKEN) -> EmbeddingUse:
    return EmbeddingUse(sha256=inputs.put(safetensors(tensors)), token=token)


def encoded(
    pipe: "DiffusionPipeline",
    prompt: str,
    uses: Sequence[EmbeddingUse] = (),
    inputs: Folder | None = None,
    *,
    layout: str = "sd1",
    shelf: "EmbeddingShelf | None" = None,
) -> "list[Tensor]":
    """The prompt's embedding, and its pooled one where the layout has it."""
    from generation.engine.aids import RequestText
    from generation.engine.lora.bank import LoraBank
    from generation.engine.words.prompts import PromptEncoder

    shelf = shelf or shelf_of(pipe)
    learned = shelf.learned(uses, inputs or Folder(Path("none")))
    text = RequestText(LoraBank(pipe), (), shelf, learned)
    found = PromptEncoder(pipe, layout).encode(
        prompt, "", guidance=1, width=64, height=64, changes=text
    )
    terms = found.terms[0]
    return [terms.text] if terms.pooled is None else [terms.text, terms.pooled]


def stock(
    models: Path, prompt: str, parts: Sequence[tuple[str, Tensors, str]], *, layout: str = "sd1"
) -> "list[Tensor]":
    """What diffusers makes of it; `parts` are (encoder, tensors, token)."""
    import torch

    pipe = stock_pipeline(models, layout)
    for encoder, tensors, token in parts:
        (name,) = tensors
        pipe.load_textual_inversion(
            {name: torch.from_numpy(tensors[name])},
            token=token,
            text_encoder=getattr(pipe, encoder),
            tokenizer=getattr(pipe, encoder.replace("text_encoder", "tokenizer")),
        )
    with torch.no_grad():
        out = pipe.encode_prompt(
            prompt, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False
        )
    return [out[0][0]] if layout == "sd1" else [out[0][0], out[2][0]]


@pytest.mark.parametrize("tensors", [ONE, FLAT, THREE], ids=["one", "flat", "three"])
def test_a_learned_word_reads_as_in_the_stock_pipeline(
    pipe: "DiffusionPipeline", inputs: Folder, tiny_models: Path, tensors: Tensors
) -> None:
    mine = encoded(pipe, PROMPT, [use_of(inputs, tensors)], inputs)
    theirs = stock(tiny_models, PROMPT, [("text_encoder", tensors, TOKEN)])
    assert mine[0].equal(theirs[0])
    assert not mine[0].equal(encoded(pipe, PROMPT)[0])


def test_two_learned_words_stand_in_one_prompt(
    pipe: "DiffusionPipeline", inputs: Folder, tiny_models: Path
) -> None:
    prompt = "fox-look, a mug in acme-style and acme-style"
    uses = [use_of(inputs, THREE), use_of(inputs, ONE, "fox-look")]
    mine = encoded(pipe, prompt, uses, inputs)
    parts = [("text_encoder", THREE, TOKEN), ("text_encoder", ONE, "fox-look")]
    assert mine[0].equal(stock(tiny_models, prompt, parts)[0])


def test_sdxl_reads_it_with_both_encoders(inputs: Folder, tiny_models: Path) -> None:
    pipe = stock_pipeline(tiny_models, "sdxl")
    mine = encoded(pipe, PROMPT, [use_of(inputs, BOTH)], inputs, layout="sdxl")
    parts = [
        ("text_encoder", {"x": BOTH["clip_l"]}, TOKEN),
        ("text_encoder_2", {"x": BOTH["clip_g"]}, TOKEN),
    ]
    theirs = stock(tiny_models, PROMPT, parts, layout="sdxl")
    assert all(my.equal(their) for my, their in zip(mine, theirs, strict=True))


def test_the_word_counts_only_where_it_stands_alone(
    pipe: "DiffusionPipeline", inputs: Folder
) -> None:
    uses = [use_of(inputs, ONE, "art")]
    assert encoded(pipe, "a party", uses, inputs)[0].equal(encoded(pipe, "a party")[0])
    small, large = (encoded(pipe, f"an {word} fair", uses, inputs)[0] for word in ("art", "ART"))
    assert small.equal(large)
    assert not small.equal(encoded(pipe, "an art fair")[0])


def test_the_word_can_be_weighted_and_fills_its_windows(
    pipe: "DiffusionPipeline", inputs: Folder
) -> None:
    uses = [use_of(inputs, THREE)]
    plain = encoded(pipe, "a mug in acme-style", uses, inputs)[0]
    assert not encoded(pipe, "a mug in (acme-style:1.3)", uses, inputs)[0].equal(plain)
    twice = encoded(pipe, "a mug in acme-style BREAK acme-style", uses, inputs)[0]
    assert twice.shape[0] == 2 * plain.shape[0]
    assert twice[: plain.shape[0]].equal(plain)
    many = encoded(pipe, "acme-style " * 26, uses, inputs)[0]  # 78 vectors
    assert many.shape[0] == 2 * plain.shape[0]


def test_nothing_of_it_stays_and_other_threads_do_not_see_it(
    pipe: "DiffusionPipeline", inputs: Folder
) -> None:
    import torch

    shelf = shelf_of(pipe)
    before = len(pipe.tokenizer), pipe.text_encoder.get_input_embeddings().num_embeddings
    plain = encoded(pipe, PROMPT, shelf=shelf)[0]
    learned = shelf.learned([use_of(inputs, THREE)], inputs)
    unknown = torch.tensor([[pipe.text_encoder.get_input_embeddings().num_embeddings]])
    failed: list[BaseException] = []

    def elsewhere() -> None:
        try:
            pipe.text_encoder.get_input_embeddings()(unknown)
        except IndexError as exc:
            failed.append(exc)

    with shelf.applied(learned):
        assert pipe.text_encoder.get_input_embeddings()(unknown).shape == (1, 1, 32)
        thread = Thread(target=elsewhere)
        thread.start()
        thread.join()
    elsewhere()
    assert len(failed) == 2
    assert encoded(pipe, PROMPT, shelf=shelf)[0].equal(plain)
    assert before == (len(pipe.tokenizer), pipe.text_encoder.get_input_embeddings().num_embeddings)


def broken(value: float) -> Tensors:
    found = vectors(2)
    found[1, 3] = value
    return {"emb_params": found}


UNSOUND: dict[str, bytes] = {
    "nothing": b"",
    "a pickle": b"\x80\x04K\x01.",
    "no tensor": safetensors({}),
    "three tensors": safetensors({name: vectors(1) for name in "abc"}),
    "another width": safetensors({"emb_params": vectors(1, 48)}),
    "one tensor too many": safetensors(BOTH),
    "too many vectors": safetensors({"emb_params": vectors(76)}),
    "no vectors": safetensors({"emb_params": vectors(0)}),
    "no width": safetensors({"emb_params": vectors(1, 0)}),
    "three dimensions": safetensors({"emb_params": vectors(4)[None]}),
    "a lone number": safetensors({"emb_params": np.float32(1).reshape(())}),
    "whole numbers": safetensors({"emb_params": np.ones((1, 32), np.int64)}),
    "not a number": safetensors(broken(np.nan)),
    "infinite": safetensors(broken(np.inf)),
    "cut short": safetensors(ONE)[:-1],
}


@pytest.mark.parametrize("kind", UNSOUND)
def test_an_unsound_embedding_is_refused_and_the_next_one_serves(
    pipe: "DiffusionPipeline", inputs: Folder, kind: str
) -> None:
    shelf = shelf_of(pipe)
    with pytest.raises(LoraRefused, match="embedding"):
        shelf.learned([EmbeddingUse(sha256=inputs.put(UNSOUND[kind]), token=TOKEN)], inputs)
    assert shelf.learned([use_of(inputs, ONE)], inputs).ids[0][TOKEN]


def test_a_file_for_one_of_two_encoders_is_refused(inputs: Folder, tiny_models: Path) -> None:
    shelf = shelf_of(stock_pipeline(tiny_models, "sdxl"))
    with pytest.raises(LoraRefused, match="32, 48"):
        shelf.learned([use_of(inputs, ONE)], inputs)


def test_a_file_that_changed_on_disk_is_refused(pipe: "DiffusionPipeline", inputs: Folder) -> None:
    use = use_of(inputs, ONE)
    inputs.path(use.sha256).write_bytes(safetensors(THREE))
    with pytest.raises(LoraRefused, match="has changed on disk"):
        shelf_of(pipe).learned([use], inputs)


def test_five_hundred_mutants_are_refused_or_read(
    pipe: "DiffusionPipeline", inputs: Folder
) -> None:
    shelf, sound, rng = shelf_of(pipe), safetensors(THREE), random.Random(2)
    refused = 0
    for _ in range(500):
        mutant = bytearray(sound)
        for _ in range(rng.randrange(1, 4)):
            mutant[rng.randrange(len(sound) if rng.random() < 0.3 else 100)] = rng.randrange(256)
        try:
            shelf.learned([EmbeddingUse(sha256=inputs.put(bytes(mutant)), token="x")], inputs)
        except LoraRefused:
            refused += 1
    assert 250 < refused < 500


def test_the_engines_picture_is_the_stock_pipelines(
    engine: Engine, inputs: Folder, tiny_models: Path
) -> None:
    import diffusers
    import torch

    spec = tiny(prompt=PROMPT, embeddings=(use_of(inputs, THREE),))
    mine = np.asarray(image_of(rendered(engine, spec, inputs=inputs)), np.int16)
    pipe = stock_pipeline(tiny_models, "sd1")
    pipe.load_textual_inversion({"x": torch.from_numpy(THREE["emb_params"])}, token=TOKEN)
    pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
        pipe.scheduler.config, use_karras_sigmas=True
    )
    out = pipe(
        PROMPT,
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        width=64,
        height=64,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
    )
    assert abs(mine - np.asarray(out.images[0], np.int16)).max() <= 1
    plain = np.asarray(image_of(rendered(engine, tiny(prompt=PROMPT))), np.int16)
    assert abs(mine - plain).max() > 1
