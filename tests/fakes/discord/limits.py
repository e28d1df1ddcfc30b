"""Discord's limits: buckets of routes, 50 requests a second, 10,000 invalid ones.

The routes' own numbers are nowhere promised; clients read the headers. Those here are what Discord
was seen to give. Answers to interactions have no limit of the app's (docs.discord.com, rate
limits).
"""

import time
from collections import deque
from dataclasses import dataclass, field

from tests.fakes.discord.state import Json, World

MESSAGE = "/channels/{channel_id}/messages/{message_id}"
REACTION = f"{MESSAGE}/reactions/{{emoji_name}}/@me"
ROUTES: dict[tuple[str, str], tuple[int, float]] = {
    ("POST", "/channels/{channel_id}/messages"): (5, 5.0),
    ("PATCH", MESSAGE): (5, 5.0),
    ("DELETE", MESSAGE): (5, 1.0),
    ("PUT", REACTION): (1, 0.25),
    ("DELETE", REACTION): (1, 0.25),
}
"""Requests in so many seconds, for each channel."""
WEBHOOK = (5, 2.0)
OTHERS = (50, 1.0)
GLOBAL = 50
INVALID, INVALID_S = 10_000, 600.0
UNLIMITED = ("/interactions", "/webhooks")
"""Routes that the limit of all requests together leaves out."""
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token", "interaction_token")


@dataclass(kw_only=True)
class Bucket:
    """One route with one channel, guild or token: a window that starts with its first request."""

    limit: int
    per_s: float
    until: float = 0.0
    used: int = 0


@dataclass(kw_only=True)
class Verdict:
    """The headers for a reply, and where it is too much, in how many seconds again."""

    headers: dict[str, str]
    wait_s: float = 0.0
    is_global: bool = False


@dataclass
class Limits:
    """All of them, by a clock of their own: what waits for them waits in real time."""

    world: World
    buckets: dict[str, Bucket] = field(default_factory=dict)
    recent: deque[float] = field(default_factory=deque)
    invalid: deque[float] = field(default_factory=deque)
    most_invalid: int = INVALID

    def spend(self, method: str, route: str, params: dict[str, str]) -> Verdict:
        """Count one request."""
        now = time.monotonic()
        bucket, name = self._bucket(method, route, params)
        if now >= bucket.until:
            bucket.until, bucket.used = now + bucket.per_s, 0
        if not route.startswith(UNLIMITED) and self.world.rates:
            while self.recent and now - self.recent[0] >= 1.0:
                self.recent.popleft()
            if len(self.recent) >= GLOBAL * self.world.rates:
                wait = 1.0 - (now - self.recent[0])
                return Verdict(headers=limited(wait, scope="global"), wait_s=wait, is_global=True)
            self.recent.append(now)
        left = bucket.until - now
        bucket.used += 1
        remaining = bucket.limit - bucket.used
        headers = {
            "X-RateLimit-Limit": str(bucket.limit),
            "X-RateLimit-Remaining": str(max(0, remaining)),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": name,
        }
        if remaining < 0:
            return Verdict(headers=headers | limited(left, scope="user"), wait_s=left)
        return Verdict(headers=headers)

    def _bucket(self, method: str, route: str, params: dict[str, str]) -> tuple[Bucket, str]:
        limit, per_s = ROUTES.get((method, route), OTHERS)
        if route.startswith("/webhooks") and method != "GET":
            limit, per_s = WEBHOOK
        if not self.world.rates or route.startswith("/interactions"):
            limit, per_s = 1_000_000, 1.0
        name = f"{abs(hash((method, route))):x}"[:16]
        major = ":".join(params[key] for key in MAJOR if key in params)
        most = max(1, int(limit * (self.world.rates or 1)))
        found = self.buckets.setdefault(f"{name}:{major}", Bucket(limit=most, per_s=per_s))
        return found, name

    def answered(self, status: int) -> None:
        """Count an answer that a careful app gets seldom: 401, 403, 429."""
        if status in (401, 403, 429):
            self.invalid.append(time.monotonic())

    @property
    def banned(self) -> bool:
        """Whether so many were invalid that nothing comes through any more."""
        now = time.monotonic()
        while self.invalid and now - self.invalid[0] > INVALID_S:
            self.invalid.popleft()
        return len(self.invalid) >= self.most_invalid


def limited(wait_s: float, *, scope: str) -> dict[str, str]:
    """Headers of a 429 beside the bucket's."""
    found = {"Retry-After": str(max(1, round(wait_s))), "Via": "1.1 google"}
    found["X-RateLimit-Scope"] = scope
    return {**found, "X-RateLimit-Global": "true"} if scope == "global" else found


def limited_body(wait_s: float, *, is_global: bool, code: int = 0, message: str = "") -> Json:
    """JSON of a 429."""
    return {
        "message": message or "You are being rate limited.",
        "retry_after": round(wait_s, 3),
        "global": is_global,
        "code": code,
    }
