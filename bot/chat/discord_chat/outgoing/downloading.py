"""Attachments of Discord, fetched from its own hosts and nowhere else, with no token."""

import aiohttp
from yarl import URL

from bot.chat.discord_chat.rest import ForeignHost, Gone, TooLarge
from bot.core.errors import ChatUnavailable

TIMEOUT = aiohttp.ClientTimeout(total=60.0, connect=5.0, sock_read=15.0)
CHUNK = 1 << 16
HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Where Discord keeps attachments."""
API_HOST = "discord.com"
RETRY_S = 5.0
MB = 1_000_000

_ATTACH = "Attach the picture to the message itself, then try again."
_AGAIN = "Attach the picture again: Discord's addresses of files end after a while."


def is_discords(url: URL, api: URL) -> bool:
    """Whether a file may be fetched there: by https from Discord's hosts of files; where the API
    is another server's, from that very server. Anything odd in an address (a user, a port, a
    stray sign) makes it foreign."""
    if url.user is not None or url.password is not None or not url.raw_host:
        return False
    if api.raw_host == API_HOST:
        return url.scheme == "https" and url.port == 443 and url.raw_host in HOSTS
    return (url.scheme, url.raw_host, url.port) == (api.scheme, api.raw_host, api.port)


def address(text: str, api: URL) -> URL:
    """The address, once it is known to be Discord's. Raises ForeignHost."""
    url = _parsed(text)
    if url is None or not is_discords(url, api):
        raise ForeignHost("That file is not kept by Discord.", fix=_ATTACH)
    return url


async def fetch(session: aiohttp.ClientSession, text: str, *, api: URL, limit: int) -> bytes:
    """The bytes of a file. Raises ForeignHost, TooLarge, Gone, ChatUnavailable."""
    url = address(text, api)
    headers = {"Accept-Encoding": "identity"}
    try:
        async with session.get(
            url, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            _check(response)
            return await _read(response, limit)
    except (TimeoutError, aiohttp.ClientError, OSError) as exc:
        raise ChatUnavailable("Discord's files can't be reached.", retry_after_s=RETRY_S) from exc


def _parsed(text: str) -> URL | None:
    if not text.isascii() or not text.isprintable() or "\\" in text or " " in text:
        return None
    try:
        url = URL(text, encoded=True)  # a signed address must stay as it is
        _ = url.port  # which is read only now, as is the user
    except ValueError:
        return None
    return url


def _check(response: aiohttp.ClientResponse) -> None:
    """Raises unless a file comes."""
    if response.status >= 500 or response.status == 429:
        raise ChatUnavailable("Discord's files can't be reached.", retry_after_s=RETRY_S)
    if response.status != 200:
        raise Gone("The file is gone from Discord.", fix=_AGAIN)


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    if (response.content_length or 0) > limit:
        raise _too_large(limit)
    data = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        data += chunk
        if len(data) > limit:
            raise _too_large(limit)
    return bytes(data)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The file is larger than {limit / MB:.0f} MB.", fix="Make the picture smaller."
    )
