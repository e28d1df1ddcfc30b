"""Learned words (textual inversions) of a kit: read with it, sent with it, gone with it."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.brand_files import load_brands
from bot.core.commands import Imagine
from brand.demo import demo_kit_source
from brand.kit import ApprovedEmbedding, BrandKit
from brand.spec import EmbeddingUse, sha256_hex
from brand.templates import Brief
from tests.fakes.town import Town
from tests.scenario.conftest import newest_asset

FILE = b"an embedding's bytes"
LISTED = ApprovedEmbedding(name="style", version="1", sha256=sha256_hex(FILE), token="acme-style")


async def put_kit(town: Town, kit: BrandKit) -> None:
    async with town.house.store.write() as tx:
        await tx.kits.put(kit, source="", at=town.clock.now())


async def test_a_learned_word_in_the_brief_renders_with_its_file(town: Town) -> None:
    await town.house.blobs.put(FILE)
    await put_kit(town, replace(town.kit, version="2", embeddings=(LISTED,)))
    await town.say(Imagine(brief=Brief(words="a red mug in acme-style")))
    await town.settle()
    asset = await newest_asset(town)
    use = EmbeddingUse(sha256=LISTED.sha256, token="acme-style", name="style@1")
    assert asset.spec.embeddings == (use,)
    assert LISTED.sha256 in town.renderer.allowed[town.kit.id]
    assert town.renderer.blobs[LISTED.sha256] == FILE


async def test_a_word_that_the_kit_gave_up_meanwhile_does_not_serve(town: Town) -> None:
    await town.house.blobs.put(FILE)
    await put_kit(town, replace(town.kit, version="2", embeddings=(LISTED,)))
    await town.say(Imagine(brief=Brief(words="a red mug in acme-style")))
    await put_kit(town, replace(town.kit, version="3"))
    await town.settle()
    assert LISTED.sha256 not in town.renderer.allowed[town.kit.id]
    assert town.chat.shown("drafts")[-1].state == "failed"


async def test_a_picture_of_a_word_that_the_kit_gave_up_is_not_taken_again(town: Town) -> None:
    await town.house.blobs.put(FILE)
    await put_kit(town, replace(town.kit, version="2", embeddings=(LISTED,)))
    ask = Imagine(brief=Brief(words="a red mug in acme-style", seed=7))
    await town.say(ask)
    await town.settle()
    first = await newest_asset(town)
    await town.say(ask)
    async with town.house.store.read() as tx:
        [job] = await tx.jobs.unfinished()
    assert job.items[0].reuse == first.id
    await put_kit(town, replace(town.kit, version="3"))
    await town.settle()
    assert (await newest_asset(town)).id == first.id
    assert town.chat.shown("drafts")[-1].state == "failed"


async def test_a_kits_folder_brings_the_files_that_the_kit_lists(
    town: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry = '\n[[embeddings]]\nname = "{}"\nversion = "1"\nsha256 = "{}"\ntoken = "{}"\n'
    here = entry.format("style", LISTED.sha256, "acme-style")
    away = entry.format("other", "1" * 64, "other-style")
    (tmp_path / "kit.toml").write_text(demo_kit_source() + here + away)
    (tmp_path / "embedding").mkdir()
    (tmp_path / "embedding" / "style.safetensors").write_bytes(FILE)
    (tmp_path / "embedding" / "unlisted.safetensors").write_bytes(b"something else")
    (kit,) = await load_brands(tmp_path, town.house.store, town.house.blobs, town.house.clock)
    assert [item.token for item in kit.embeddings] == ["acme-style", "other-style"]
    assert await town.house.blobs.get(LISTED.sha256) == FILE
    assert not await town.house.blobs.exists(sha256_hex(b"something else"))
    assert "lists embedding other, but its file is not there" in caplog.text
