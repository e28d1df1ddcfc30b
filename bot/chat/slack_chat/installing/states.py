"""States: what binds the way back from Slack's consent page to the browser that set out.

A state is `NONCE.ENDS.SIGNATURE`, signed with the app's client secret, so that any process of the
house can judge it. It is good once (the nonce is taken in the database, like a delivery), for ten
minutes, and for the browser that holds the nonce's hash in a cookie (RFC 6749, section 10.12).
"""

import hashlib
import hmac
import secrets
from datetime import timedelta

from bot.core.ports import Clock, Store

LIFE = timedelta(minutes=10)
TAKEN_AS = "slack.state"
"""The `platform` under which used states are kept."""
MAX_LENGTH = 200


class States:
    """Gives out states and takes each in once."""

    def __init__(self, *, secret: str, store: Store, clock: Clock) -> None:
        self._secret = hashlib.sha256(b"housestyle.slack.state" + secret.encode()).digest()
        self._store = store
        self._clock = clock

    def new(self) -> str:
        """A state that is good for LIFE."""
        ends = int((self._clock.now() + LIFE).timestamp())
        body = f"{secrets.token_urlsafe(24)}.{ends}"
        return f"{body}.{self._signature(body)}"

    def cookie_of(self, state: str) -> str:
        """What the browser keeps: of no use without the state."""
        return hashlib.sha256(b"housestyle.slack.cookie" + state.encode()).hexdigest()

    async def take(self, state: str, cookie: str) -> bool:
        """Whether it is ours, this browser's, still good, and used for the first time."""
        if not self._is_good(state, cookie):
            return False
        nonce = state.partition(".")[0]
        async with self._store.write() as tx:
            return await tx.deliveries.take(TAKEN_AS, nonce, self._clock.now())

    def _is_good(self, state: str, cookie: str) -> bool:
        if not (state.isascii() and cookie.isascii()) or len(state) > MAX_LENGTH:
            return False
        body, _, signature = state.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return False
        if not hmac.compare_digest(cookie.encode(), self.cookie_of(state).encode()):
            return False
        ends = int(body.rpartition(".")[2])
        return self._clock.now().timestamp() < ends

    def _signature(self, body: str) -> str:
        return hmac.new(self._secret, body.encode(), hashlib.sha256).hexdigest()
