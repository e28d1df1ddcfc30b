"""Files of messages: signed addresses that expire, and their bytes."""

import hashlib
import hmac
import struct

from aiohttp import web

from tests.fakes.discord.state import Attachment, World

KEY = b"the fake's own"
KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"RIFF": "image/webp",
    b"GIF8": "image/gif",
}
GONE = "This content is no longer available."
PNG_HEAD = 24


def kind_of(data: bytes) -> str:
    """The content type by the first bytes."""
    for head, kind in KINDS.items():
        if data.startswith(head):
            return kind
    return "application/octet-stream"


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height, where they are easily read."""
    if data.startswith(b"\x89PNG") and len(data) >= PNG_HEAD:
        width, height = struct.unpack(">II", data[16:PNG_HEAD])
        return int(width), int(height)
    return None


def address(world: World, file: Attachment) -> str:
    """Where it lies from now on until the signature expires."""
    path = f"/attachments/{file.channel}/{file.id}/{file.filename}"
    expires, issued = f"{int(world.now() + world.cdn_s):x}", f"{int(world.now()):x}"
    return f"{world.base}{path}?ex={expires}&is={issued}&hm={_signed(path, expires, issued)}&"


def _signed(path: str, expires: str, issued: str) -> str:
    text = f"{path} {expires} {issued}".encode()
    return hmac.new(KEY, text, hashlib.sha256).hexdigest()


class Cdn:
    """`GET /attachments/{channel}/{id}/{name}`: no token is needed, the address is enough."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.served = 0

    async def handle(self, request: web.Request) -> web.Response:
        """The bytes; 404 for what is unknown, deleted, expired or wrongly signed."""
        if request.headers.get("Authorization"):
            self.world.violated("A token was sent to the CDN, which needs none.")
        file = self.world.attachments.get(request.match_info["attachment"])
        expires, issued = request.query.get("ex", ""), request.query.get("is", "")
        signed = hmac.compare_digest(
            _signed(request.path, expires, issued), request.query.get("hm", "")
        )
        if file is None or file.deleted or not signed or int(expires, 16) <= self.world.now():
            return web.Response(status=404, text=GONE)
        self.served += 1
        return web.Response(body=file.data, content_type=file.content_type)
