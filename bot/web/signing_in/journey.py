"""Journey: what a browser carries from the start of a sign-in to its end, in a cookie of its own.

The secret never leaves the browser and us; state, nonce and PKCE verifier follow from it, so that
none of the three tells another. Whoever has no cookie has no journey: an answer that was planted
by somebody else fits none.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

LIFE = timedelta(minutes=10)
MAX_COOKIE = 3000
"""Characters; browsers take some 4,000 with the name."""


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One sign-in on its way. `session` is the hash of the session that an account is to be
    connected to, or empty; `key` the invitation that is accepted by it, or empty."""

    provider: str
    secret: str
    began: datetime
    next: str = "/"
    session: str = ""
    key: str = ""

    @property
    def state(self) -> str:
        """What the provider has to send back."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What has to stand in the ID token."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What proves to the provider that we began this (RFC 7636, section 4.1)."""
        return self._derived("verifier")

    def fits(self, state: str) -> bool:
        """Whether an answer with this state belongs to it."""
        return hmac.compare_digest(self.state.encode(), state.encode(errors="replace"))

    def over(self, now: datetime) -> bool:
        """Whether its time has run out (or its cookie claims a future start)."""
        return not timedelta() <= now - self.began < LIFE

    def _derived(self, what: str) -> str:
        digest = hmac.digest(self.secret.encode(), what.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def packed(self) -> str:
        """The cookie's value. Where it would be too long for a cookie, one starts at `/`."""
        fields = [self.provider, self.secret, int(self.began.timestamp()), self.next,
                  self.session, self.key]  # fmt: skip
        packed = base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()
        too_long = len(packed) > MAX_COOKIE and self.next != "/"
        return replace(self, next="/").packed() if too_long else packed


def begin(
    provider: str, now: datetime, *, next: str = "/", session: str = "", key: str = ""
) -> Journey:
    """A new one, with 256 random bits."""
    return Journey(
        provider=provider,
        secret=secrets.token_urlsafe(32),
        began=now.replace(microsecond=0),
        next=next,
        session=session,
        key=key,
    )


def unpacked(cookie: str) -> Journey | None:
    """The journey of a cookie, or None for anything that we did not write so."""
    if not cookie or len(cookie) > MAX_COOKIE or not cookie.isascii():
        return None
    try:
        raw = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        provider, secret, began, back, session, key = json.loads(raw)
        at = datetime.fromtimestamp(began, UTC)
    except (binascii.Error, ValueError, TypeError, OverflowError, OSError, RecursionError):
        return None
    texts = (provider, secret, back, session, key)
    if not all(isinstance(text, str) for text in texts) or len(secret) < 43:
        return None
    return Journey(provider=provider, secret=secret, began=at, next=back, session=session, key=key)
