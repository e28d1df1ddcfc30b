"""LoRAs by the row: as diffusers and PEFT apply them, and whatever the neighbours ask for."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brand.spec import LoraRefused, LoraUse
from tests.unit.generation.lora_files import (
    BY_KOHYA,
    ON_BOTH,
    ON_UNET,
    SDXL_UNET,
    TEXT,
    UNET,
    UNET_2,
    UNSOUND,
    Tensors,
    peft_lora,
    safetensors,
)
from tests.unit.generation.rendering import STEPS, Folder, stock_pipeline

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline

    from generation.engine.denoisers.unet import UNetDenoiser
    from generation.engine.lora.bank import LoraBank

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

Loras = tuple[tuple[str, float], ...]
CONVOLUTION = "unet.down_blocks.0.resnets.0.conv1"
HALVED = "unet.down_blocks.0.downsamplers.0.conv"
TIME = "unet.time_embedding.linear_2"
ALPHA = {"unet.r": 4, "unet.lora_alpha": 16, "unet.target_modules": ["to_k"]}


def convolved(module: str, *, seed: int, rank: int = 4, size: int = 32, side: int = 3) -> Tensors:
    """A LoRA on a convolution, in diffusers' naming."""
    rng = np.random.default_rng(seed)
    down = rng.normal(0, 0.2, (rank, size, side, side)).astype(np.float32)
    up = rng.normal(0, 0.2, (size, rank, 1, 1)).astype(np.float32)
    return {f"{module}.lora_A.weight": down, f"{module}.lora_B.weight": up}


LOCON = (
    convolved(CONVOLUTION, seed=1)
    | convolved(HALVED, seed=2)
    | convolved("unet.down_blocks.0.attentions.0.proj_in", seed=4, side=1)
)
TIMED = peft_lora(TIME, seed=5, size=128)
WIDE = peft_lora(f"unet.{UNET}", f"unet.{UNET_2}", seed=11, rank=24)
FILES = {
    "both": safetensors(ON_BOTH),
    "unet": safetensors(ON_UNET),
    "kohya": safetensors(BY_KOHYA),
    "alpha": safetensors(ON_UNET, {"lora_adapter_metadata": json.dumps(ALPHA)}),
    "convolutions": safetensors(LOCON),
    "time": safetensors(TIMED),
    "wide": safetensors(WIDE),
}


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def pipe(tiny_models: Path) -> "DiffusionPipeline":
    return calmed(stock_pipeline(tiny_models, "sd1"))


@pytest.fixture
def bank(pipe: "DiffusionPipeline") -> "LoraBank":
    return new_bank(pipe)


def calmed(pipe: "DiffusionPipeline") -> "DiffusionPipeline":
    """With its attention as wide as it was drawn at first.

    As shipped to the tests the tiny SDXL model turns a millionth of its input into all of its
    output, so that no two orders of summing can agree.
    """
    from tests.fakes.tiny_models import TEMPERATURE

    for part in (pipe.unet, pipe.text_encoder, getattr(pipe, "text_encoder_2", None)):
        for name, weight in part.named_parameters() if part else ():
            if "to_" in name or "_proj" in name:
                weight.data.div_(TEMPERATURE)
    return pipe


def new_bank(pipe: "DiffusionPipeline", **room: int) -> "LoraBank":
    from generation.engine.lora.bank import LoraBank

    return LoraBank(pipe, **room)


def rows_with(*loras: Loras, seed: int = 3) -> list[Any]:
    """Rows of one lane, every one different, with these LoRAs."""
    import torch

    from generation.engine.flights import Row, Terms

    draw = torch.Generator().manual_seed(seed)
    return [
        Row(
            latents=torch.randn(4, 16, 16, generator=draw),
            timestep=500.0,
            terms=Terms(text=torch.randn(77, 32, generator=draw)),
            loras=one,
        )
        for one in loras
    ]


def drawn(pipe: "DiffusionPipeline") -> "np.ndarray[Any, Any]":
    """The picture that the pipeline draws as it is now."""
    import torch

    generator = torch.Generator("cpu").manual_seed(5)
    out = pipe("a red mug", num_inference_steps=STEPS, width=64, height=64, generator=generator)
    return np.asarray(out.images[0], np.int16)


def drawn_with(
    bank: "LoraBank", pipe: "DiffusionPipeline", uses: Sequence[LoraUse], inputs: Folder
) -> "np.ndarray[Any, Any]":
    """The pipeline's picture with the bank's LoRAs on the model's two rows and on its words."""
    with (
        bank.using(uses, inputs) as loras,
        bank.applied_to_text(loras),
        bank.applied(rows_with(loras, loras), 2),
    ):
        return drawn(pipe)


def drawn_by_peft(
    models: Path, folder: Path, layout: str, files: Sequence[tuple[bytes, float]]
) -> "np.ndarray[Any, Any]":
    pipe = calmed(stock_pipeline(models, layout))
    for number, (data, _) in enumerate(files):
        (folder / f"{number}.safetensors").write_bytes(data)
        name = f"{number}.safetensors"
        pipe.load_lora_weights(folder, weight_name=name, adapter_name=f"a{number}")
    weights = [weight for _, weight in files]
    pipe.set_adapters([f"a{number}" for number in range(len(files))], weights)
    return drawn(pipe)


SERVED = {
    "one": [("both", 1.0)],
    "a negative weight": [("both", -0.5)],
    "kohya's naming": [("kohya", 0.7)],
    "an alpha in the metadata": [("alpha", 1.0)],
    "convolutions": [("convolutions", 0.8)],
    "the time embedding": [("time", 0.4)],
    "two merged": [("both", 0.6), ("convolutions", -0.3)],
    "two of different ranks": [("unet", 0.5), ("wide", 0.25)],
    "three": [("both", 0.5), ("kohya", 0.5), ("wide", -0.2)],
}


@pytest.mark.parametrize("kind", SERVED)
def test_the_picture_is_that_of_diffusers_and_peft(
    bank: "LoraBank",
    pipe: "DiffusionPipeline",
    inputs: Folder,
    tiny_models: Path,
    tmp_path: Path,
    kind: str,
) -> None:
    files = [(FILES[name], weight) for name, weight in SERVED[kind]]
    uses = [LoraUse(sha256=inputs.put(data), weight=weight) for data, weight in files]
    mine = drawn_with(bank, pipe, uses, inputs)
    theirs = drawn_by_peft(tiny_models, tmp_path, "sd1", files)
    assert abs(mine - theirs).max() <= 1
    assert abs(mine - drawn(pipe)).max() > 1


def test_sdxl_takes_it_in_both_text_encoders(
    inputs: Folder, tiny_models: Path, tmp_path: Path
) -> None:
    tensors = peft_lora(f"unet.{SDXL_UNET}", size=64)
    tensors |= peft_lora(f"text_encoder.{TEXT}", seed=3)
    tensors |= peft_lora(f"text_encoder_2.{TEXT}", seed=4, size=48)
    pipe = calmed(stock_pipeline(tiny_models, "sdxl"))
    use = LoraUse(sha256=inputs.put(safetensors(tensors)), weight=0.8)
    mine = drawn_with(new_bank(pipe), pipe, [use], inputs)
    theirs = drawn_by_peft(tiny_models, tmp_path, "sdxl", [(safetensors(tensors), 0.8)])
    assert abs(mine - theirs).max() <= 1


@pytest.fixture
def denoiser(pipe: "DiffusionPipeline", bank: "LoraBank") -> "UNetDenoiser":
    from generation.engine.denoisers.unet import UNetDenoiser

    return UNetDenoiser(pipe.unet, loras=bank)


def predicted(denoiser: "UNetDenoiser", rows: list[Any], bucket: int) -> "torch.Tensor":
    from generation.engine.flights import Signature

    lane = Signature(model="sd1", channels=4, height=16, width=16)
    return denoiser.predict(lane, rows, bucket)


def asked(bank: "LoraBank", inputs: Folder) -> list[Loras]:
    """What rows may ask for: nothing, each LoRA alone, several, a weight of nought."""
    held = [inputs.put(data) for data in FILES.values()]
    for sha256 in held:
        bank.hold(sha256, inputs.path(sha256))
    alone: list[Loras] = [((sha256, 0.8),) for sha256 in held]
    several: list[Loras] = [
        ((held[0], 0.5), (held[4], -0.5)),
        ((held[1], 1.0), (held[6], 0.3), (held[4], 0.2)),
    ]
    return [(), *alone, *several, ((held[0], 0.0),)]


def test_a_rows_bits_depend_on_no_neighbour_slot_or_bucket(
    denoiser: "UNetDenoiser", bank: "LoraBank", inputs: Folder
) -> None:
    wanted = asked(bank, inputs)
    rng = random.Random(4)
    for number, loras in enumerate(wanted * 2):
        mine = rows_with(loras, seed=number)[0]
        alone = predicted(denoiser, [mine], 2)[0]
        for bucket in (2, 3, 4, 6, 8, 12):
            others = [rng.choice(wanted) for _ in range(rng.randrange(bucket))]
            rows = rows_with(*others, seed=rng.randrange(1000))
            slot = rng.randrange(len(rows) + 1)
            rows.insert(slot, mine)
            assert predicted(denoiser, rows, bucket)[slot].equal(alone), (loras, bucket, others)


def test_a_weight_of_nought_is_the_model_itself(
    denoiser: "UNetDenoiser", bank: "LoraBank", inputs: Folder
) -> None:
    sha256 = inputs.put(FILES["both"])
    bank.hold(sha256, inputs.path(sha256))
    none, nought, full = (rows_with(one)[0] for one in ((), ((sha256, 0.0),), ((sha256, 1.0),)))
    plain = predicted(denoiser, [none], 2)
    assert predicted(denoiser, [nought], 2).equal(plain)
    assert not predicted(denoiser, [full], 2).equal(plain)
    assert predicted(denoiser, [full, nought], 2)[1:].equal(
        predicted(denoiser, [none, none], 2)[:1]
    )


def test_nothing_of_a_lora_stays_in_the_model(
    bank: "LoraBank", pipe: "DiffusionPipeline", inputs: Folder
) -> None:
    plain = drawn(pipe)
    use = LoraUse(sha256=inputs.put(FILES["both"]))
    assert (drawn_with(bank, pipe, [use], inputs) != plain).any()
    assert (drawn(pipe) == plain).all()
    for layer in pipe.unet.modules():
        assert "forward" not in layer.__dict__


def test_another_threads_words_are_encoded_without_it(
    bank: "LoraBank", pipe: "DiffusionPipeline", inputs: Folder
) -> None:
    import torch

    def encoded() -> "torch.Tensor":
        with torch.no_grad():
            return pipe.text_encoder(torch.arange(77)[None])[0]  # type: ignore[no-any-return]

    plain, elsewhere = encoded(), []
    use = LoraUse(sha256=inputs.put(FILES["both"]))
    with bank.using([use], inputs) as loras, bank.applied_to_text(loras):
        assert not encoded().equal(plain)
        thread = Thread(target=lambda: elsewhere.append(encoded()))
        thread.start()
        thread.join()
    assert elsewhere[0].equal(plain)
    assert encoded().equal(plain)


def lora_number(seed: int) -> bytes:
    return safetensors(peft_lora(f"unet.{UNET}", seed=seed))


def test_the_least_recently_used_gives_way_but_never_one_in_the_air(
    pipe: "DiffusionPipeline", inputs: Folder
) -> None:
    bank = new_bank(pipe, room=2)
    hashes = [inputs.put(lora_number(seed)) for seed in range(5)]
    with bank.using([LoraUse(sha256=hashes[0])], inputs):
        for sha256 in hashes[1:4]:
            bank.hold(sha256, inputs.path(sha256))
        assert bank.held == (hashes[0], hashes[3])
        with bank.using([LoraUse(sha256=h) for h in (hashes[1], hashes[2])], inputs):
            assert set(bank.held) >= {hashes[0], hashes[1], hashes[2]}
    assert len(bank.held) == 2


def test_loras_give_way_by_their_bytes_too(pipe: "DiffusionPipeline", inputs: Folder) -> None:
    bank = new_bank(pipe, room_bytes=3 * 2 * 4 * 32 * 4)
    hashes = [inputs.put(lora_number(seed)) for seed in range(5)]
    for sha256 in hashes:
        bank.hold(sha256, inputs.path(sha256))
    assert bank.held == tuple(hashes[2:])


def test_many_threads_may_want_the_same_file(pipe: "DiffusionPipeline", inputs: Folder) -> None:
    bank = new_bank(pipe, room=1)
    uses = [LoraUse(sha256=inputs.put(lora_number(seed))) for seed in range(2)]
    wrong: list[object] = []

    def take(number: int) -> None:
        for turn in range(4):
            with bank.using([uses[(number + turn) % 2]], inputs) as loras:
                if loras[0][0] not in bank.held:
                    wrong.append(loras)

    threads = [Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(bank.held) == 1


@pytest.mark.parametrize("kind", UNSOUND)
def test_an_unsound_lora_is_refused_and_the_next_one_serves(
    bank: "LoraBank", inputs: Folder, kind: str
) -> None:
    sha256 = inputs.put(UNSOUND[kind]())
    with pytest.raises(LoraRefused):
        bank.hold(sha256, inputs.path(sha256))
    sound = inputs.put(FILES["unet"])
    bank.hold(sound, inputs.path(sound))
    assert bank.held == (sound,)


UNSERVED: dict[str, Callable[[], Tensors]] = {
    "a bias": lambda: ON_UNET | {f"unet.{UNET_2}.lora_B.bias": np.ones(32, np.float32)},
    "a magnitude": lambda: (
        ON_UNET | {f"unet.{UNET_2}.lora_magnitude_vector": np.ones((32, 1), np.float32)}
    ),
}


@pytest.mark.parametrize("kind", UNSERVED)
def test_a_kind_that_would_be_served_by_half_is_refused(
    bank: "LoraBank", inputs: Folder, kind: str
) -> None:
    sha256 = inputs.put(safetensors(UNSERVED[kind]()))
    with pytest.raises(LoraRefused):
        bank.hold(sha256, inputs.path(sha256))


def test_the_same_lora_twice_is_refused(bank: "LoraBank", inputs: Folder) -> None:
    use = LoraUse(sha256=inputs.put(FILES["unet"]))
    with pytest.raises(LoraRefused, match="twice"), bank.using([use, use], inputs):
        raise AssertionError("it was taken")


def test_a_lora_refused_lets_go_of_those_taken_before_it(
    pipe: "DiffusionPipeline", inputs: Folder
) -> None:
    bank = new_bank(pipe, room=0)
    good = LoraUse(sha256=inputs.put(FILES["unet"]))
    bad = LoraUse(sha256=inputs.put(b"no LoRA"))
    with pytest.raises(LoraRefused), bank.using([good, bad], inputs):
        raise AssertionError("it was taken")
    assert bank.held == ()


TRANSFORMERS = {
    "sd3": (
        "transformer_blocks.0.attn.to_q",
        "transformer_blocks.1.attn.add_k_proj",
        "transformer_blocks.1.ff.net.2",
        "transformer_blocks.0.norm1.linear",
    ),
    "flux": (
        "transformer_blocks.0.attn.to_q",
        "single_transformer_blocks.0.proj_out",
        "single_transformer_blocks.0.norm.linear",
        "time_text_embed.timestep_embedder.linear_2",
    ),
}


@pytest.mark.parametrize("layout", TRANSFORMERS)
def test_transformers_take_it_by_the_row_as_peft_gives_it_to_the_whole(
    tiny_family: Path, inputs: Folder, tmp_path: Path, layout: str
) -> None:
    import diffusers

    from generation.engine.denoisers.flux import FluxDenoiser
    from generation.engine.denoisers.sd3 import SD3Denoiser
    from generation.engine.flights import Signature

    kind = {"sd3": diffusers.StableDiffusion3Pipeline, "flux": diffusers.FluxPipeline}[layout]
    denoiser_of = {"sd3": SD3Denoiser, "flux": FluxDenoiser}[layout]
    pipe, theirs = (kind.from_pretrained(tiny_family / layout) for _ in range(2))
    tensors: Tensors = {}
    for number, path in enumerate(TRANSFORMERS[layout]):
        layer = pipe.transformer.get_submodule(path)
        rng = np.random.default_rng(number)
        down = rng.normal(0, 0.1, (6, layer.in_features)).astype(np.float32)
        up = rng.normal(0, 0.1, (layer.out_features, 6)).astype(np.float32)
        tensors[f"transformer.{path}.lora_A.weight"] = down
        tensors[f"transformer.{path}.lora_B.weight"] = up
    sha256 = inputs.put(safetensors(tensors))
    (tmp_path / "it.safetensors").write_bytes(safetensors(tensors))
    theirs.load_lora_weights(tmp_path, weight_name="it.safetensors", adapter_name="it")
    theirs.set_adapters(["it"], [0.7])
    bank = new_bank(pipe)
    bank.hold(sha256, inputs.path(sha256))
    mine, stock = denoiser_of(pipe.transformer, loras=bank), denoiser_of(theirs.transformer)
    lane = Signature(model=layout, channels=16, height=16, width=16)
    plain = mine.sample_rows(lane, 3, seed=1)
    wearing = [replace(row, loras=((sha256, 0.7),)) for row in plain]
    alone = mine.predict(lane, wearing, 4)
    assert float((alone - stock.predict(lane, plain, 4)).abs().max()) <= 1e-4
    assert not alone.equal(mine.predict(lane, plain, 4))
    mixed = mine.predict(lane, [plain[1], wearing[0], plain[2], wearing[2], plain[0]], 8)
    assert mixed[1].equal(alone[0])
    assert mixed[3].equal(alone[2])
    assert mixed[0].equal(mine.predict(lane, plain, 4)[1])
