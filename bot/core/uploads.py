"""Pictures that people bring: who may, how many may wait, and whose they are afterwards.

Every surface takes pictures in here: the chats, the portal, the API with all its faces, the
terminal. The right is looked at before anything is read or stored. What was brought is for that
person alone to begin from (`references`); it is forgotten a day later if no job has used it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.errors import TooMuchWaiting
from bot.core.house import House
from bot.core.limits import MIB
from bot.core.people import Person
from bot.core.policy import may_request, may_request_somewhere, not_blocked
from bot.core.ports import Transaction, Upload
from bot.core.pruning import KEEP_FILES
from brand.pictures import open_untrusted, to_png
from brand.spec import sha256_hex

if TYPE_CHECKING:
    from PIL import Image

Opened = Callable[[bytes], "Image.Image"]
"""From the bytes of an unknown file to RGB pixels. Raises PictureRefused."""


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A picture that was taken in: a PNG of nothing but its pixels."""

    sha256: str
    width: int
    height: int


async def may_bring(house: House, person: Person, *, brand: str = "") -> None:
    """Whether this person may bring a picture for this brand (empty: for any of them) now.
    Raises NotAllowed, TooMuchWaiting."""
    not_blocked(person)
    async with house.store.read() as tx:
        if brand:
            may_request(await tx.kits.current(brand), person)
        else:
            may_request_somewhere(await tx.kits.all(), person)
        await _has_room(house, tx, person, more=1)


async def bring(
    house: House, person: Person, data: bytes, *, brand: str = "", opened: Opened = open_untrusted
) -> Brought:
    """Take a picture in. Raises NotAllowed, TooMuchWaiting, PictureRefused; then nothing of it is
    kept."""
    await may_bring(house, person, brand=brand)
    fresh, width, height = await asyncio.to_thread(_made, data, opened)
    upload = Upload(
        person=person.id, sha256=sha256_hex(fresh), bytes=len(fresh), at=house.clock.now()
    )
    async with house.store.write() as tx:
        # Brought again it takes no more room.
        if await tx.uploads.get(person.id, upload.sha256) is None:
            await _has_room(house, tx, person, more=upload.bytes)
        await tx.uploads.put(upload)
    await house.blobs.put(fresh)
    return Brought(sha256=upload.sha256, width=width, height=height)


def _made(data: bytes, opened: Opened) -> tuple[bytes, int, int]:
    image = opened(data)
    return to_png(image), image.width, image.height


async def _has_room(house: House, tx: Transaction, person: Person, *, more: int) -> None:
    limits = house.uploads
    waiting = await tx.uploads.waiting(person.id, house.clock.now() - KEEP_FILES)
    if waiting.files < limits.files and waiting.bytes + more <= limits.bytes:
        return
    raise TooMuchWaiting(
        f"That would be one too many: {waiting.files:,} pictures of yours wait already, with "
        f"{waiting.bytes / MIB:,.1f} MiB, and no picture was finished from them yet. At most "
        f"{limits.files:,} may, with {limits.mib:,} MiB in all.",
        fix="Let your jobs end, or wait: one that no job uses is forgotten after 24 hours. An "
        "admin can raise `uploads.files` and `uploads.mib`.",
    )
