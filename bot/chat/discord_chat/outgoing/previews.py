"""Previews of pictures that are being made: files of the archive for a while.

An edit brings the bytes with it, so nothing has to stand at Discord before. The file goes with the
daily pruning, which takes what no row names.
"""

from bot.chat.discord_chat.places import PLATFORM
from bot.core.errors import ChatUnavailable, Unavailable
from bot.core.painting import Pace
from bot.core.ports import BlobStore

PACE = Pace(platform=PLATFORM, name="Discord", share_s=1.0, by_channel=True)
"""Discord lets the messages of one channel be changed about once a second."""
RETRY_S = 5.0


class Previews:
    """The painter's port to where previews are."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    async def temporary(self, team: str, data: bytes, alt: str) -> str | None:
        """The file's SHA-256. Raises ChatUnavailable."""
        try:
            return await self._blobs.put(data)
        except Unavailable as exc:
            raise ChatUnavailable(exc.message, retry_after_s=RETRY_S) from exc

    async def discard(self, team: str, file: str) -> None:
        """Nothing: the same bytes may be another's too, and unnamed files are pruned."""

    async def sweep(self) -> None:
        """Nothing is left at Discord."""
