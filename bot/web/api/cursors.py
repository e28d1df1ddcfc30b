"""Cursors of lists: opaque to programs, checked when they come back.

A cursor names the last thing of a page, so a page stays the same while newer things come in. It
belongs to one list with its filters; with other filters it is refused, not misread.
"""

import base64
import binascii
import json

from bot.core.ids import is_id
from bot.web.api.failures import ApiFailure
from brand.spec import sha256_hex

MAX_CURSOR = 200
_MARK = 16


def cursor_of(last: str, *filters: object) -> str:
    """The cursor of the page after the one that ends with `last`."""
    return base64.urlsafe_b64encode(f"{_mark(filters)}{last}".encode()).decode().rstrip("=")


def read_cursor(text: str, *filters: object) -> str:
    """The id that the page starts after; empty for the first page. Raises ApiFailure (422)."""
    if not text:
        return ""
    try:
        padded = text + "=" * (-len(text) % 4)
        plain = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as exc:
        raise bad_cursor() from exc
    mark, last = plain[:_MARK], plain[_MARK:]
    if mark != _mark(filters) or not is_id(last):
        raise bad_cursor()
    return last


def bad_cursor() -> ApiFailure:
    """A cursor that isn't one of this list."""
    return ApiFailure(
        status=422,
        code="bad_cursor",
        detail="This cursor isn't one of this list with these filters. Start without a cursor.",
        param="cursor",
    )


def _mark(filters: tuple[object, ...]) -> str:
    return sha256_hex(json.dumps([str(item) for item in filters]).encode())[:_MARK]
