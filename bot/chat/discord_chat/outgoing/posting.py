"""Posting an approved picture: exactly its bytes, once.

The publication's id is the nonce, by which Discord knows it again for some minutes, and the file's
name, by which it is found after that.
"""

from typing import Any

from bot.chat.discord_chat.outgoing.attaching import MAX_ALT
from bot.chat.discord_chat.outgoing.client import Upload
from bot.chat.discord_chat.outgoing.looking import file_stem
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.outgoing.sending import NO_PINGS
from bot.chat.discord_chat.rendering.text import CONTENT, plain, posted
from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.publications import Publication

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_ANY_LENGTH = 100_000


async def post(
    rest: DiscordRest, publication: Publication, room: str, data: bytes, mime: str, alt: str
) -> str:
    """The message's id. Raises DiscordRefused, ChatUnavailable, ChatAmbiguous."""
    name = f"{file_stem(publication.id)}.{ENDINGS.get(mime, 'bin')}"
    file = Upload(name=name, mime=mime, alt=plain(alt, MAX_ALT), data=data)
    body: dict[str, Any] = {
        "content": _words(publication.caption),
        "allowed_mentions": NO_PINGS,
        "nonce": publication.id,
        "enforce_nonce": True,
    }
    return await rest.create(room, body, (file,))


def _words(caption: str) -> str:
    """The caption as Discord shows it, word for word. Raises DiscordRefused where it is too long:
    approved words are not cut."""
    words = posted(caption, _ANY_LENGTH)
    if len(words) > CONTENT:
        raise DiscordRefused(
            f"The caption is too long for Discord, which takes {CONTENT:,} characters.",
            fix="Shorten the caption and send it to approval again.",
        )
    return words
