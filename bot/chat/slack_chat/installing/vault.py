"""Vault: the workspaces' tokens are sealed before they are stored.

AES-256-GCM of `cryptography`, a random nonce each time (NIST SP 800-38D). The workspace is
authenticated with the text, so that a row copied over another one does not open. Several keys
change the key without a pause: the first one seals, all of them open. Neither key nor token
shows in an error or a repr.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.core.errors import ChatRejected, Mistake

KEY_BYTES, NONCE_BYTES = 32, 12
MARK_LENGTH = 8
FORM = "1"
"""The form of what is sealed: `1.MARK.BASE64`, where the mark tells which key it was."""

_FIX_KEY = "`housestyle slack key` prints one; set it as slack.token_key."


class Unsealable(ChatRejected):
    """The stored token does not open: its key is not in `slack.token_key`, or the row was
    changed. Put the old key back behind the new one, or install the app again."""

    title = "A stored token does not open"


class Vault:
    """Seals and opens texts with the keys of the settings."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` as `new_key` makes them. Raises Mistake."""
        if not keys:
            raise Mistake("There is no key to seal tokens with.", fix=_FIX_KEY)
        self._keys = {_mark(raw): AESGCM(raw) for raw in map(_raw, keys)}
        self._first = _mark(_raw(keys[0]))

    def seal(self, text: str, *, about: str) -> str:
        """The sealed text. It opens for the same `about` alone."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._keys[self._first].encrypt(nonce, text.encode(), _bound(about))
        held = base64.urlsafe_b64encode(nonce + sealed).decode()
        return f"{FORM}.{self._first}.{held}"

    def open(self, sealed: str, *, about: str) -> str:
        """The text. Raises Unsealable."""
        form, mark, held = (*sealed.split(".", 2), "", "", "")[:3]
        key = self._keys.get(mark)
        if form != FORM or key is None:
            raise _unsealable(about, "its key is not among those of slack.token_key")
        try:
            raw = base64.b64decode(held, altchars=b"-_", validate=True)
            return key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(about)).decode()
        except (InvalidTag, ValueError) as exc:
            raise _unsealable(about, "it was changed, or moved from another workspace") from exc

    def is_current(self, sealed: str) -> bool:
        """Whether the first key sealed it."""
        return sealed.startswith(f"{FORM}.{self._first}.")


def new_key() -> str:
    """A new key, as text for the settings."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode().rstrip("=")


def _raw(key: str) -> bytes:
    padded = key.strip() + "=" * (-len(key.strip()) % 4)
    try:
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise Mistake(
            f"A key of slack.token_key is not {KEY_BYTES} bytes as base64.",
            fix=_FIX_KEY,
            field="slack.token_key",
        )
    return raw


def _mark(raw: bytes) -> str:
    return hashlib.sha256(b"housestyle.vault.mark" + raw).hexdigest()[:MARK_LENGTH]


def _bound(about: str) -> bytes:
    return f"housestyle.vault/{about}".encode()


def _unsealable(about: str, why: str) -> Unsealable:
    return Unsealable(
        f"The stored token of {about} does not open: {why}.",
        fix="Put the earlier key back behind the new one, or install the app again.",
    )
