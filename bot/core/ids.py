"""Identifiers: 128 random bits as 22 characters of base62, accepted by every platform as a key."""

import secrets
import string

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 22  # ceil(128 / log2(62)); Discord's nonce allows 25 characters
_BITS = 128


def new_id() -> str:
    """A fresh random id."""
    return encode_id(secrets.randbits(_BITS))


def encode_id(number: int) -> str:
    """A number below 2**128 as 22 base62 characters, zero-padded."""
    out = []
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        out.append(ALPHABET[digit])
    return "".join(reversed(out))


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id; what fails this never reaches a store or a path."""
    return len(text) == ID_LENGTH and all(c in ALPHABET for c in text)
