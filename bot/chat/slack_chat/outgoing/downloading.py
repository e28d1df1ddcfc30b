"""Files of Slack, fetched with the app's token: from Slack's own hosts and nowhere else."""

import aiohttp
from yarl import URL

from bot.chat.slack_chat.outgoing.calling import Redirected
from bot.chat.slack_chat.web import ForeignHost, NotAFile, TooLarge
from bot.core.errors import ChatUnavailable

TIMEOUT = aiohttp.ClientTimeout(total=60.0, connect=5.0, sock_read=15.0)
CHUNK = 1 << 16
SLACK = "slack.com"
RETRY_S = 5.0
MB = 1_000_000

_OPEN_IT = "Upload the picture to Slack itself, then try again."
_SIGN_IN = "The app needs the permission `files:read` and must be in the channel of the file."


def is_slacks(url: URL, api: URL) -> bool:
    """Whether the token may go there: to the very server of the Web API, or by https to slack.com
    and its names. Anything odd in an address (a user, a port, a stray sign) makes it foreign."""
    if url.user is not None or url.password is not None or not url.raw_host:
        return False
    if (url.scheme, url.raw_host, url.port) == (api.scheme, api.raw_host, api.port):
        return True
    host = url.raw_host
    return (
        url.scheme == "https"
        and url.port == api_port("https")
        and (host == SLACK or host.endswith(f".{SLACK}"))
    )


def api_port(scheme: str) -> int:
    """The usual port of a scheme."""
    return 443 if scheme == "https" else 80


def address(text: str, api: URL) -> URL:
    """The address, once it is known to be Slack's. Raises ForeignHost."""
    url = _parsed(text)
    if url is None or not is_slacks(url, api):
        raise ForeignHost("That file is not kept by Slack.", fix=_OPEN_IT)
    return url


async def fetch(
    session: aiohttp.ClientSession, text: str, *, api: URL, token: str, limit: int
) -> bytes:
    """The bytes of a file. Raises ForeignHost, TooLarge, NotAFile, ChatUnavailable."""
    url = address(text, api)
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    try:
        async with session.get(
            url, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            _check(response)
            return await _read(response, limit)
    except Redirected as exc:
        raise NotAFile("Slack doesn't hand the file to the app.", fix=_SIGN_IN) from exc
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise ChatUnavailable("Slack's files can't be reached.", retry_after_s=RETRY_S) from exc


def _parsed(text: str) -> URL | None:
    if not text.isascii() or not text.isprintable() or "\\" in text or " " in text:
        return None
    try:
        return URL(text)
    except ValueError:
        return None


def _check(response: aiohttp.ClientResponse) -> None:
    """Raises unless a file comes."""
    if response.status >= 500 or response.status == 429:
        raise ChatUnavailable("Slack's files can't be reached.", retry_after_s=RETRY_S)
    if response.status in (404, 410):
        raise NotAFile("The file is gone from Slack.", fix="Upload it again.")
    if response.status != 200 or response.content_type == "text/html":
        raise NotAFile("Slack doesn't hand the file to the app.", fix=_SIGN_IN)


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
