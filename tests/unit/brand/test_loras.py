"""LoRA versions: the only ways through their life, and who may serve."""

from dataclasses import replace

import pytest

from brand.errors import LoraMoveRefused
from brand.loras import LORA_STEPS, LoraStatus, LoraVersion, may_serve, moved

DRAFT = LoraVersion(
    brand="northwind",
    name="look",
    version="1",
    sha256="a" * 64,
    owner="p1",
    dataset_sha256="b" * 64,
)


def test_a_lora_reaches_approved_only_by_evaluation_and_review() -> None:
    lora = DRAFT
    for status in (LoraStatus.EVALUATED, LoraStatus.IN_REVIEW, LoraStatus.APPROVED):
        assert not may_serve(lora)
        lora = moved(lora, status)
    assert may_serve(lora)


@pytest.mark.parametrize("was", list(LoraStatus))
@pytest.mark.parametrize("to", list(LoraStatus))
def test_a_lora_takes_the_steps_of_the_table_and_no_other(was: LoraStatus, to: LoraStatus) -> None:
    lora = replace(DRAFT, status=was)
    if to in LORA_STEPS[was]:
        assert moved(lora, to) == replace(DRAFT, status=to)
    else:
        with pytest.raises(LoraMoveRefused, match=f"look@1 is {was}"):
            moved(lora, to)


def test_only_approved_versions_serve() -> None:
    serving = {status for status in LoraStatus if may_serve(replace(DRAFT, status=status))}
    assert serving == {LoraStatus.APPROVED}


def test_a_retired_lora_never_comes_back() -> None:
    assert LORA_STEPS[LoraStatus.RETIRED] == frozenset()


@pytest.mark.parametrize("field", ["sha256", "dataset_sha256"])
def test_a_lora_is_named_by_real_hashes(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(DRAFT, **{field: "../../etc/passwd"})


def test_the_weight_stands_within_its_own_limits() -> None:
    with pytest.raises(ValueError, match="min_weight"):
        replace(DRAFT, weight=2.0, max_weight=1.5)
    with pytest.raises(ValueError, match="min_weight"):
        replace(DRAFT, weight=0.4, min_weight=0.5)
    assert replace(DRAFT, weight=0.5, min_weight=0.5, max_weight=0.5).weight == 0.5
