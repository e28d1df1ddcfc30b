"""The pictures that go with a card, none larger than Discord takes.

A picture whose file is too large is shown by its largest listed rendition that is not; where there
is none, the card tells of it with a link. Nothing is scaled here: what approvers and the public see
are listed files alone.
"""

import logging
from collections.abc import Mapping

from bot.chat.discord_chat.outgoing.client import Upload
from bot.chat.discord_chat.rendering.cards import pictures_of
from bot.core.errors import CorruptBlob, NotFound
from bot.core.messages import Card
from bot.core.ports import BlobStore, Store

log = logging.getLogger(__name__)

MIB = 1024 * 1024
MAX_FILE = 10 * MIB
"""What every server takes (docs.discord.com, uploading files); boosted ones take more."""
MAX_REQUEST = 25 * MIB - 64 * 1024
"""All files of a message together, with room for its words."""
MAX_FILES = 10
TYPES = (
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"RIFF", "webp", "image/webp"),
)


def type_of(data: bytes) -> tuple[str, str]:
    """(ending, MIME type) of a picture's file."""
    for magic, ending, mime in TYPES:
        if data.startswith(magic):
            return ending, mime
    return "bin", "application/octet-stream"


class Pictures:
    """Reads what a card shows."""

    def __init__(self, blobs: BlobStore, store: Store | None) -> None:
        self._blobs = blobs
        self._store = store

    async def of(self, card: Card) -> tuple[Mapping[str, str], tuple[Upload, ...]]:
        """File name by blob of all that can be shown, and the files in that order. Raises
        Unavailable."""
        names: dict[str, str] = {}
        files: list[Upload] = []
        left = MAX_REQUEST
        for blob, alt in pictures_of(card)[:MAX_FILES]:
            data = await self._fitting(card, blob, min(MAX_FILE, left))
            if data is None:
                continue
            ending, mime = type_of(data)
            names[blob] = f"picture-{len(files) + 1}-{blob}.{ending}"
            files.append(Upload(name=names[blob], mime=mime, alt=alt, data=data))
            left -= len(data)
        return names, tuple(files)

    async def _fitting(self, card: Card, blob: str, most: int) -> bytes | None:
        """The picture in at most so many bytes; None where no file of it is so small or there."""
        data = await self._read(blob)
        if data is None or len(data) <= most:
            return data
        for smaller in await self._smaller(card, blob, most):
            data = await self._read(smaller)
            if data is not None and len(data) <= most:
                return data
        log.info("A picture is too large for a message of Discord", extra={"blob": blob})
        return None

    async def _smaller(self, card: Card, blob: str, most: int) -> list[str]:
        """Blobs of the picture's renditions of at most so many bytes, the largest first."""
        asset_id = next((ref.asset for ref in card.pictures if ref.blob == blob), "")
        if not asset_id or self._store is None:
            return []
        async with self._store.read() as tx:
            try:
                listed = (await tx.assets.get(asset_id)).renditions
            except NotFound:
                return []
        fitting = [r for r in listed if r.bytes <= most and r.mime.startswith("image/")]
        return [r.file_hash for r in sorted(fitting, key=lambda r: r.bytes, reverse=True)]

    async def _read(self, blob: str) -> bytes | None:
        try:
            return await self._blobs.get(blob)
        except (NotFound, CorruptBlob) as exc:
            log.warning("A picture can't be shown: %s", exc.message)
            return None
