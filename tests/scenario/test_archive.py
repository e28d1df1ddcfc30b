"""The archive proves, exports and re-renders its pictures, and finds any flipped bit."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.archive import check_archive, export_asset, proof_of, rerender, verify_asset
from bot.core.assets import Rendition
from bot.core.commands import Approve
from bot.core.errors import Conflict
from bot.core.ids import new_id
from brand.spec import LoraRefused, ModelMissing, RenderError, sha256_hex
from storage.blobs import FolderBlobs
from tests.fakes import renderer as fake
from tests.fakes.town import Town, make_town
from tests.scenario.conftest import candidate, in_review

FILES = 1000


@pytest.fixture
def on_disk(town: Town, tmp_path: Path) -> Town:
    """The same town with its files in a real folder."""
    town.house = replace(town.house, blobs=FolderBlobs(tmp_path / "blobs"))
    return town


def stored(folder: Path, sha256: str) -> Path:
    """Where the archive keeps a file."""
    [path] = folder.glob(f"blobs/sha256/**/{sha256}")
    return path


async def test_a_flipped_bit_in_any_of_a_thousand_files_is_found(tmp_path: Path) -> None:
    on_disk = await make_town()
    on_disk.house = replace(on_disk.house, blobs=FolderBlobs(tmp_path / "blobs"))
    asset = await candidate(on_disk)
    async with on_disk.house.store.write() as tx:
        for number in range(FILES - len(asset.renditions)):
            data = f"file {number}".encode() * 20
            await tx.assets.add_rendition(
                Rendition(
                    id=new_id(),
                    asset=asset.id,
                    transform=f"t{number}",
                    file_hash=await on_disk.house.blobs.put(data),
                    pixel_hash=sha256_hex(data),
                    mime="image/png",
                    bytes=len(data),
                    width=1,
                    height=1,
                )
            )
    findings = [finding async for finding in check_archive(on_disk.house)]
    assert len(findings) == FILES
    assert not any(finding.problem for finding in findings)

    rng = random.Random(7)
    damaged = rng.sample([f.file_hash for f in findings], 12)
    for sha256 in damaged:
        path = stored(tmp_path, sha256)
        data = bytearray(path.read_bytes())
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.chmod(0o600)
        path.write_bytes(data)
    found = {f.file_hash async for f in check_archive(on_disk.house) if f.problem}
    assert found == set(damaged)


async def test_a_missing_file_is_named(on_disk: Town, tmp_path: Path) -> None:
    asset = await candidate(on_disk)
    stored(tmp_path, asset.file_hash).unlink()
    problems = {f.transform: f.problem for f in await verify_asset(on_disk.house, asset.id)}
    assert problems == {"master": "the file is missing", "png": ""}


async def test_the_export_holds_every_file_and_the_whole_proof(
    on_disk: Town, tmp_path: Path
) -> None:
    review = await in_review(on_disk)
    await on_disk.say(Approve(review=review.id), "ana")
    await on_disk.settle()
    written = await export_asset(on_disk.house, review.asset, tmp_path / "out")
    hashes = {sha256_hex(path.read_bytes()) for path in written}
    assert hashes >= set(review.rendition_hashes)
    proof = json.loads(written[-1].read_text())
    assert proof["reviews"][0]["votes"][0]["person"] == on_disk.people["ana"].id
    assert proof["publications"][0]["state"] == "sent"
    actions = [event["action"] for event in proof["ledger"]]
    assert actions[0] == "job.queued"
    assert actions[-1] == "publication.sent"
    assert "a red mug" not in json.dumps(proof["ledger"]), "personal text is only committed to"


async def test_a_rerender_in_the_same_class_gives_the_same_pixels(town: Town) -> None:
    asset = await candidate(town)
    again = await rerender(town.house, asset.id)
    assert again.same_pixels
    assert again.same_class
    assert again.max_difference == 0


async def test_a_rerender_in_another_class_names_the_difference(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = await candidate(town)
    monkeypatch.setattr(fake, "CLASS", replace(fake.CLASS, threads=2))
    town.renderer.paint = lambda spec: fake.noise(spec).point(lambda value: value ^ 1)
    again = await rerender(town.house, asset.id)
    assert not again.same_pixels
    assert not again.same_class
    assert again.differences == ("threads: 1 there, 2 here",)
    assert again.max_difference == 1


async def test_a_profile_that_looked_at_more_buckets_of_the_same_set_is_the_same_class(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "CLASS", replace(fake.CLASS, row_bucket=2, buckets=(2, 4)))
    asset = await candidate(town)
    monkeypatch.setattr(fake, "CLASS", replace(fake.CLASS, buckets=(2, 4, 8)))
    again = await rerender(town.house, asset.id)
    assert (again.same_pixels, again.same_class, again.differences) == (True, True, ())
    assert again.was_class != again.is_class
    monkeypatch.setattr(fake, "CLASS", replace(fake.CLASS, row_bucket=4, buckets=(4, 8)))
    again = await rerender(town.house, asset.id)
    assert again.differences == ("row_bucket: 2 there, 4 here",)


@pytest.mark.parametrize("error", [ModelMissing, LoraRefused])
async def test_a_class_that_is_gone_is_said_plainly(town: Town, error: type[RenderError]) -> None:
    asset = await candidate(town)
    town.renderer.failures = [error("`demo` has other weights now.")]
    with pytest.raises(Conflict) as refused:
        await rerender(town.house, asset.id)
    assert f"class {asset.reproduction.id} is gone" in refused.value.message
    assert "other weights" in refused.value.message
    assert asset.reproduction.weights[:12] in refused.value.fix


async def test_the_proof_of_a_draft_has_no_votes(town: Town) -> None:
    asset = await candidate(town)
    proof = await proof_of(town.house, asset.id)
    assert proof["reviews"] == []
    assert proof["spec_hash"] == asset.spec.hash
