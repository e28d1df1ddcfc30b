"""Only LoRAs and embeddings on the brand's own list may serve."""

from pathlib import Path

import pytest

from brand.spec import EmbeddingUse, LoraRefused, LoraUse, RenderSpec, SpecInvalid
from generation.approved import ApprovedLoras

ONE, TWO = "1" * 64, "2" * 64


def using(*hashes: str) -> RenderSpec:
    loras = tuple(LoraUse(sha256=sha256) for sha256 in hashes)
    return RenderSpec(prompt="x", model="m", seed=1, loras=loras)


def lists(path: Path) -> ApprovedLoras:
    return ApprovedLoras(path / "approved.json", max_listed=3)


def test_nothing_is_approved_before_a_list_comes(tmp_path: Path) -> None:
    approved = lists(tmp_path)
    approved.check("acme", using())
    with pytest.raises(LoraRefused, match="'acme'"):
        approved.check("acme", using(ONE))


def test_each_brand_has_its_own_list(tmp_path: Path) -> None:
    approved = lists(tmp_path)
    approved.replace("acme", [ONE])
    approved.check("acme", using(ONE))
    with pytest.raises(LoraRefused):
        approved.check("globex", using(ONE))
    with pytest.raises(LoraRefused, match=TWO[:12]):
        approved.check("acme", using(ONE, TWO))


def test_a_learned_word_must_be_listed_as_a_lora_must(tmp_path: Path) -> None:
    approved = lists(tmp_path)
    word = EmbeddingUse(sha256=TWO, token="acme-style", name="style@1")
    spec = RenderSpec(prompt="x", model="m", seed=1, embeddings=(word,))
    approved.replace("acme", [ONE])
    with pytest.raises(LoraRefused, match="The embedding 'style@1'"):
        approved.check("acme", spec)
    approved.replace("acme", [ONE, TWO])
    approved.check("acme", spec)


def test_a_new_list_replaces_the_old_one_and_outlives_a_restart(tmp_path: Path) -> None:
    lists(tmp_path).replace("../acme", [ONE])
    lists(tmp_path).replace("../acme", [TWO])
    again = lists(tmp_path)
    again.check("../acme", using(TWO))
    with pytest.raises(LoraRefused):
        again.check("../acme", using(ONE))


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"acme": ["x"]}', b'{"acme": "1"}', b"\xff"])
def test_a_broken_list_allows_nothing(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "approved.json").write_bytes(broken)
    with pytest.raises(LoraRefused):
        lists(tmp_path).check("acme", using(ONE))


def test_a_list_holds_hashes_and_not_too_many(tmp_path: Path) -> None:
    approved = lists(tmp_path)
    with pytest.raises(SpecInvalid, match="sha256"):
        approved.replace("acme", ["teal.safetensors"])
    with pytest.raises(SpecInvalid, match="at most 3"):
        approved.replace("acme", [ONE] * 4)
