"""The recipe's canonical encoding: names of pictures for good."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brand.spec import (
    MAX_SEED,
    InitImage,
    LoraUse,
    RenderSpec,
    ReproductionClass,
    SpecInvalid,
)

PLAIN = RenderSpec(prompt="a red mug", model="demo", seed=42)
FULL = RenderSpec(
    prompt="a red mug, café",
    negative="blurry",
    model="demo",
    model_sha256="c" * 64,
    seed=MAX_SEED,
    width=128,
    height=192,
    steps=20,
    guidance=4.25,
    sampler="euler",
    loras=(LoraUse(sha256="a" * 64, weight=0.8, name="house"),),
    init=InitImage(sha256="b" * 64, strength=0.35),
    upscale=2,
    tile=True,
)


def test_golden_encodings_never_change() -> None:
    assert PLAIN.encode() == b'{"model":"demo","prompt":"a red mug","seed":42,"v":1}'
    assert PLAIN.hash == "e3cba79bdd506afacfd2e99b88e5f650cbeb07ab0b8e75e60e69f28c4408a606"
    assert FULL.hash == "cf63e50c807caed378018a01a424e39fbeba17008c2773a481ed0084c684e25f"


def test_a_field_at_its_default_does_not_name_another_recipe() -> None:
    assert replace(PLAIN, guidance=7.5, upscale=1, tile=False).hash == PLAIN.hash


def test_numbers_that_people_cannot_tell_apart_are_one_recipe() -> None:
    four = replace(PLAIN, guidance=4)
    assert four.hash == replace(PLAIN, guidance=4.0).hash == replace(PLAIN, guidance=4.00001).hash
    assert b'"guidance":4,' in four.encode()


def test_composed_and_decomposed_text_are_one_recipe() -> None:
    assert replace(PLAIN, prompt="café").hash == replace(PLAIN, prompt="cafe\u0301").hash


@pytest.mark.parametrize("spec", [PLAIN, FULL])
def test_decoding_gives_the_recipe_back(spec: RenderSpec) -> None:
    assert RenderSpec.decode(spec.encode()) == spec


@given(
    prompt=st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=60),
    seed=st.integers(0, MAX_SEED),
    guidance=st.floats(0, 50),
    weight=st.floats(-4, 4),
    strength=st.floats(0, 1),
)
def test_encoding_is_stable_under_decoding(
    prompt: str, seed: int, guidance: float, weight: float, strength: float
) -> None:
    spec = RenderSpec(
        prompt=prompt,
        model="m",
        seed=seed,
        guidance=guidance,
        loras=(LoraUse(sha256="d" * 64, weight=weight),),
        init=InitImage(sha256="e" * 64, strength=strength),
    )
    assert RenderSpec.decode(spec.encode()).encode() == spec.encode()


@pytest.mark.parametrize(
    "change",
    [
        {"width": 100},
        {"width": 0},
        {"height": 8192},
        {"steps": 0},
        {"guidance": math.nan},
        {"guidance": 1e309},
        {"seed": -1},
        {"seed": MAX_SEED + 1},
        {"upscale": 9},
        {"prompt": "a\x00b"},
        {"prompt": "x" * 8001},
        {"prompt": "half \ud800"},
        {"model": ""},
        {"model_sha256": "nope"},
    ],
)
def test_values_outside_their_limits_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(SpecInvalid):
        replace(PLAIN, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [
        "[]",
        "{}",
        "not json",
        '{"v":2,"prompt":"a","model":"m","seed":1}',
        '{"v":1,"prompt":"a","model":"m"}',
        '{"v":1,"prompt":"a","model":"m","seed":"1"}',
        '{"v":1,"prompt":"a","model":"m","seed":true}',
        '{"v":1,"prompt":"a","model":"m","seed":1,"colour":"red"}',
        '{"v":1,"prompt":"a","model":"m","seed":1,"loras":{}}',
        '{"v":1,"prompt":"a","model":"m","seed":1,"init":[]}',
        '{"v":1,"prompt":"a","model":"m","seed":1,"loras":[{"sha256":"../x"}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_recipe_is_refused_with_a_typed_error(raw: str) -> None:
    with pytest.raises(SpecInvalid):
        RenderSpec.decode(raw)


def test_another_reproduction_class_names_what_differs() -> None:
    here = ReproductionClass(
        weights="w", engine="e/1", dtype="float32", device="cpu", capability="avx512", threads=2
    )
    there = replace(here, threads=1)
    assert here.id != there.id
    assert there.differences(here) == ("threads: 1 there, 2 here",)
    assert json.loads(json.dumps(here.to_dict()))["device"] == "cpu"


GPU_CLASS = ReproductionClass(
    weights="w", engine="e/1", dtype="bfloat16", device="cuda", capability="sm_90", threads=2
)


def test_a_difference_names_the_library_and_what_only_one_class_knows() -> None:
    old = replace(GPU_CLASS, libraries=("torch 2.13.0", "numpy 2.3.1"), host="AVX512")
    assert old.differences(replace(old, libraries=("torch 2.14.0", "numpy 2.3.1"))) == (
        "torch: 2.13.0 there, 2.14.0 here",
    )
    more = replace(old, libraries=(*old.libraries, "scipy 1.16.0"), host="AVX2")
    assert set(old.differences(more)) == {
        "host: AVX512 there, AVX2 here",
        "scipy: not named there, 1.16.0 here",
    }
    assert more.differences(replace(more, libraries=old.libraries)) == (
        "scipy: 1.16.0 there, not named here",
    )


def test_how_many_buckets_a_profile_looked_at_is_no_difference_but_their_set_is() -> None:
    one = replace(GPU_CLASS, row_bucket=2, buckets=(1, 2, 4))
    assert one.same_bits(replace(one, buckets=(2, 4, 8)))
    assert one.differences(replace(one, row_bucket=4)) == ("row_bucket: 2 there, 4 here",)
