"""The archive: prove a picture, export it, find what was damaged, render it again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.assets import Asset
from bot.core.errors import Conflict, HousestyleError, NotFound
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.submitting import picture_of
from brand.spec import (
    InputMissing,
    LoraRefused,
    ModelMissing,
    Progress,
    RenderRequest,
    sha256_hex,
)

MASTER = "master"


@dataclass(frozen=True, kw_only=True)
class FileFinding:
    """What a check of one archived file found; `problem` is empty where all is well."""

    asset: str
    file_hash: str
    transform: str
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Rerendered:
    """A second render of an asset's recipe, compared with the archive."""

    asset: str
    png: bytes
    same_pixels: bool
    same_class: bool
    differences: tuple[str, ...]
    """What differs between the two reproduction classes, one phrase each."""
    max_difference: int
    """Largest difference of a channel value, 0 to 255; 0 when the pixels are the same."""
    was_class: str
    is_class: str


async def verify_asset(house: House, asset_id: str) -> list[FileFinding]:
    """Hash every file of an asset again, and its pixels. Raises NotFound for an unknown id."""
    async with house.store.read() as tx:
        asset = await tx.assets.get(asset_id)
    return [
        FileFinding(
            asset=asset.id,
            file_hash=rendition.file_hash,
            transform=rendition.transform,
            problem=await _file_problem(house, rendition.file_hash, rendition.pixel_hash),
        )
        for rendition in asset.renditions
    ]


async def check_archive(house: House) -> AsyncIterator[FileFinding]:
    """Hash every file of every asset again; yields each finding, good ones too."""
    async with house.store.read() as tx:
        files = [pair async for pair in tx.assets.file_hashes()]
    for asset_id, file_hash in dict.fromkeys(files):
        problem = await _file_problem(house, file_hash, "")
        yield FileFinding(asset=asset_id, file_hash=file_hash, transform="", problem=problem)


async def _file_problem(house: House, file_hash: str, pixel_hash: str) -> str:
    try:
        data = await house.blobs.get(file_hash)
    except NotFound:
        return "the file is missing"
    except HousestyleError as exc:
        return exc.message
    if sha256_hex(data) != file_hash:
        return "the file's bytes changed"
    if pixel_hash and await house.studio.pixel_hash(data) != pixel_hash:
        return "the pixels are not the recorded ones"
    return ""


def recipe_of(asset: Asset) -> dict[str, Any]:
    """All that explains a picture and re-renders it, as plain JSON types."""
    return {
        "asset": asset.id,
        "job": asset.job,
        "brand": asset.brand,
        "kit": asset.kit_hash,
        "words": asset.words,
        "template": asset.template,
        "spec": json.loads(asset.spec.encode()),
        "spec_hash": asset.spec.hash,
        "pixel_hash": asset.pixel_hash,
        "file_hash": asset.file_hash,
        "width": asset.width,
        "height": asset.height,
        "reproduction": asset.reproduction.to_dict(),
        "reproduction_class": asset.reproduction.id,
        "evidence": asset.evidence.to_dict(),
        "state": asset.state.value,
        "parent": asset.parent,
        "change": asset.change,
        "created_at": asset.created_at.isoformat(),
        "seconds": asset.seconds,
        "renditions": [
            {
                "transform": r.transform,
                "file_hash": r.file_hash,
                "pixel_hash": r.pixel_hash,
                "mime": r.mime,
                "bytes": r.bytes,
            }
            for r in asset.renditions
        ],
    }


async def proof_of(house: House, asset_id: str) -> dict[str, Any]:
    """The recipe, the votes, the posts and the ledger lines of one asset."""
    async with house.store.read() as tx:
        asset = await tx.assets.get(asset_id)
        reviews = await tx.reviews.of_asset(asset.id)
        posts = await tx.publications.of_asset(asset.id)
        subjects = [f"job:{asset.job}", f"asset:{asset.id}"]
        subjects += [f"review:{review.id}" for review in reviews]
        subjects += [f"publication:{post.id}" for post in posts]
        events = [e for s in subjects for e in reversed(await tx.ledger.recent(subject=s))]
    return {
        **recipe_of(asset),
        "reviews": [
            {
                "id": review.id,
                "state": review.state.value,
                "outcome": review.outcome.value if review.outcome else None,
                "pixel_hash": review.pixel_hash,
                "renditions": list(review.rendition_hashes),
                "votes": [
                    {
                        "person": vote.person,
                        "answer": vote.answer.value,
                        "at": vote.at.isoformat(),
                        "reason": vote.reason,
                        "own_request": vote.own_request,
                    }
                    for vote in review.votes
                ],
            }
            for review in reviews
        ],
        "publications": [
            {
                "id": post.id,
                "state": post.state.value,
                "target": str(post.target),
                "file_hash": post.file_hash,
                "sent_at": post.sent_at.isoformat() if post.sent_at else None,
                "message": post.receipt.message if post.receipt else "",
                "link": post.receipt.link if post.receipt else "",
            }
            for post in posts
        ],
        "ledger": [
            json.loads(event.body()) for event in sorted(events, key=lambda event: event.at)
        ],
    }


async def export_asset(house: House, asset_id: str, folder: Path) -> list[Path]:
    """Write the master, every rendition and `proof.json` into `folder`; the paths written.

    File names are made of the asset's id, never of a person's text.
    """
    async with house.store.read() as tx:
        asset = await tx.assets.get(asset_id)
    files = {
        f"{asset.id}-{r.transform}.{r.mime.removeprefix('image/')}": await house.blobs.get(
            r.file_hash
        )
        for r in asset.renditions
    }
    proof = json.dumps(await proof_of(house, asset_id), indent=2, ensure_ascii=False)
    files[f"{asset.id}-proof.json"] = proof.encode()
    return await asyncio.to_thread(_write_all, folder, files)


def _write_all(folder: Path, files: dict[str, bytes]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


async def rerender(
    house: House, asset_id: str, *, note: Callable[[Progress], None] = lambda _: None
) -> Rerendered:
    """Render an asset's recipe again and compare: equal inside its class, named outside it.

    Raises NotFound where nothing is left of the recipe, Conflict where its class is gone so far
    that nothing can be rendered: the model, a LoRA or an input is not there any more.
    """
    async with house.store.read() as tx:
        asset = await tx.assets.get(asset_id)
    if asset.is_erased:
        raise NotFound("This picture was erased with the person who asked for it.")
    request = RenderRequest(render_id=new_id(), brand=asset.brand, spec=asset.spec)
    try:
        picture = await picture_of(house, request, note)
    except (ModelMissing, LoraRefused, InputMissing, NotFound) as exc:
        raise _gone(asset, str(exc)) from exc
    same_pixels = await house.studio.pixel_hash(picture.png) == asset.pixel_hash
    difference = 0
    if not same_pixels:
        master = await house.blobs.get(asset.file_hash)
        difference = await house.studio.max_difference(master, picture.png)
    return Rerendered(
        asset=asset.id,
        png=picture.png,
        same_pixels=same_pixels,
        same_class=asset.reproduction.same_bits(picture.reproduction),
        differences=asset.reproduction.differences(picture.reproduction),
        max_difference=difference,
        was_class=asset.reproduction.id,
        is_class=picture.reproduction.id,
    )


def _gone(asset: Asset, why: str) -> Conflict:
    made = asset.reproduction
    return Conflict(
        f"Its reproduction class {made.id} is gone: {why}",
        fix=f"It was made by {made.engine} with the weights {made.weights[:12]} of "
        f"`{asset.spec.model}` on {made.device}; where those are, it can be rendered again.",
    )
