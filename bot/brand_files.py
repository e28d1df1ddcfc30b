"""Brand kits and their weights files from a folder into the store, at start and on reload.

A folder holds `NAME.toml` files, `lora/*.safetensors` and `embedding/*.safetensors` beside them.
The kit's approved lists are what makes a LoRA or an embedding serve; a file that is on no list
does not get into the archive.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core.errors import NotFound
from bot.core.ledger import Event
from bot.core.ports import BlobStore, Clock, Store, Transaction
from brand.kit import ApprovedLora, BrandKit
from brand.kit_loader import parse_kit
from brand.loras import LoraStatus, LoraVersion, may_serve
from brand.spec import sha256_hex

log = logging.getLogger(__name__)

WEIGHTS_FOLDERS = ("lora", "embedding")
UNKNOWN_DATASET = "0" * 64  # a kit lists weights, not what they were trained on


@dataclass(frozen=True, kw_only=True)
class KitFile:
    """A kit with the text it was read from and the weights files beside it, by hash."""

    kit: BrandKit
    source: str
    weights: dict[str, bytes]


async def load_brands(
    folder: Path, store: Store, blobs: BlobStore, clock: Clock
) -> Sequence[BrandKit]:
    """Bring every kit of `folder` into the store. Raises KitInvalid with all mistakes."""
    files = await asyncio.to_thread(_read_all, folder)
    for file in files:
        for data in file.weights.values():
            await blobs.put(data)
        async with store.write() as tx:
            await _keep(tx, file, clock)
    return [file.kit for file in files]


def _read_all(folder: Path) -> list[KitFile]:
    weights: dict[str, bytes] = {}
    for kind in WEIGHTS_FOLDERS:
        for path in sorted((folder / kind).glob("*.safetensors")):
            data = path.read_bytes()
            weights[sha256_hex(data)] = data
    files = []
    for path in sorted(folder.glob("*.toml")):
        source = path.read_text(encoding="utf-8")
        kit = parse_kit(source, path=path)
        listed = {lora.sha256: f"LoRA {lora.name}" for lora in kit.lora.approved}
        listed |= {item.sha256: f"embedding {item.name}" for item in kit.embeddings}
        for sha256, what in listed.items():
            if sha256 not in weights:
                log.warning("%s lists %s, but its file is not there", path.name, what)
        own = {sha256: data for sha256, data in weights.items() if sha256 in listed}
        files.append(KitFile(kit=kit, source=source, weights=own))
    return files


async def _keep(tx: Transaction, file: KitFile, clock: Clock) -> None:
    kit = file.kit
    if await tx.kits.put(kit, source=file.source, at=clock.now()):
        await tx.ledger.append(
            Event(
                action="kit.loaded",
                subject=f"kit:{kit.hash}",
                at=clock.now(),
                actor="system",
                brand=kit.id,
                facts={"version": kit.version},
            )
        )
    for lora in kit.lora.approved:
        await _approve(tx, kit, lora, clock)
    listed = {lora.sha256 for lora in kit.lora.approved}
    for version in await tx.loras.of_brand(kit.id):
        if may_serve(version) and version.sha256 not in listed:
            await _move(tx, version, LoraStatus.RETIRED, clock)


async def _approve(tx: Transaction, kit: BrandKit, lora: ApprovedLora, clock: Clock) -> None:
    try:
        version = await tx.loras.get(kit.id, lora.sha256)
    except NotFound:
        version = LoraVersion(
            brand=kit.id,
            name=lora.name,
            version=lora.version,
            sha256=lora.sha256,
            owner=kit.owner,
            dataset_sha256=lora.dataset_sha256 or UNKNOWN_DATASET,
            status=LoraStatus.APPROVED,
            weight=lora.weight,
            min_weight=lora.min_weight,
            max_weight=lora.max_weight,
            triggers=lora.triggers,
        )
        await tx.loras.add(version)
        await _note(tx, version, clock)
        return
    if not may_serve(version):
        log.warning(
            "%s lists %s, which is %s in the records and does not serve",
            kit.id,
            version.id,
            version.status.value,
        )


async def _move(tx: Transaction, version: LoraVersion, to: LoraStatus, clock: Clock) -> None:
    stored = await tx.loras.update(replace(version, status=to), was=version)
    await _note(tx, stored, clock)


async def _note(tx: Transaction, version: LoraVersion, clock: Clock) -> None:
    await tx.ledger.append(
        Event(
            action=f"lora.{version.status.value}",
            subject=f"lora:{version.sha256}",
            at=clock.now(),
            actor="system",
            brand=version.brand,
            facts={"name": version.name, "version": version.version},
        )
    )
