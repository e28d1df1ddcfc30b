"""guard: whether a request was signed by Slack, before anything else looks at it.

Pure and total: whatever the headers and the body hold, it answers and never raises.

Source: docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime

MAX_AGE_S = 300
"""How far the time that was signed may lie from now, either way."""
UNSIGNED = 401
"""The one answer to whatever is not signed by Slack; it does not say what was wrong."""

_TIMESTAMP = b"x-slack-request-timestamp"
_SIGNATURE = b"x-slack-signature"
_SECONDS = re.compile(rb"[0-9]{1,12}")
_V0 = re.compile(rb"v0=[0-9a-f]{64}")


def refusal(
    headers: Iterable[tuple[bytes, bytes]], body: bytes, *, secret: str, now: datetime
) -> int:
    """The status to refuse with: 401, or 0 where Slack signed this body within MAX_AGE_S of now.

    `headers` are as ASGI has them: lower-case names, repeated ones apart. Without a secret all is
    refused: anybody could sign with an empty one.
    """
    stamps, signatures = _values(headers)
    if not secret or len(stamps) != 1 or len(signatures) != 1:
        return UNSIGNED
    stamp, signature = stamps[0], signatures[0]
    if _SECONDS.fullmatch(stamp) is None or _V0.fullmatch(signature) is None:
        return UNSIGNED
    if abs(now.timestamp() - int(stamp)) > MAX_AGE_S:
        return UNSIGNED
    if not hmac.compare_digest(signature_of(stamp, body, secret), signature):
        return UNSIGNED
    return 0


def signature_of(stamp: bytes, body: bytes, secret: str) -> bytes:
    """`v0=` and the HMAC-SHA256, in hexadecimal, of what Slack signs."""
    digest = hmac.new(secret.encode(), b"v0:" + stamp + b":" + body, hashlib.sha256)
    return b"v0=" + digest.hexdigest().encode()


def _values(headers: Iterable[tuple[bytes, bytes]]) -> tuple[list[bytes], list[bytes]]:
    stamps, signatures = [], []
    for name, value in headers:
        if name == _TIMESTAMP:
            stamps.append(value)
        elif name == _SIGNATURE:
            signatures.append(value)
    return stamps, signatures
