"""Turns at Slack's rates: per workspace and method, per channel for what is posted there, and per
message for its changes.

Whatever has to wait is promised a turn under its key, and whoever comes later gets a later one:
a message that goes back to the outbox and returns does not stand at the end of the line again.
In memory, per process; what several processes send together is held back by Slack's own answers
(`hit`). Rates: docs.slack.dev/apis/web-api/rate-limits.
"""

from bot.chat.slack_chat.methods import RULES, Method
from bot.core.ports import Clock

PER_CHANNEL_S = 1.0
"""Between two posts in one channel."""
CHANNEL_BURST = 3
PART_AT_ONCE = 5
"""A fifth of a minute's calls may come at once."""
NEAR_S = 0.001
"""What is as good as now."""
FORGOTTEN_S = 300.0
"""After its turn, when one that never came back is struck off."""
PER_MESSAGE_S = 2.0
"""Between two changes of one message; of what happens meanwhile the newest is shown."""
_IN = "in "
_OF = "of "
PLACED = frozenset({Method.CHAT_POST_MESSAGE, Method.FILES_COMPLETE_UPLOAD})
"""What counts for the rate of its channel."""


class Bucket:
    """One rate: `burst` at once, then one every `interval` seconds."""

    def __init__(self, interval: float, burst: int) -> None:
        self._interval = interval
        self._ahead = (burst - 1) * interval
        self._gone = 0.0
        """Up to when what went has used the rate up."""
        self._promised = 0.0
        """Up to when what went and what is promised uses it up."""
        self._turns: dict[str, float] = {}

    @property
    def idle_from(self) -> float:
        """From when nobody would notice if it were forgotten."""
        return max(self._promised, self._gone, *self._turns.values(), 0.0)

    @property
    def waiting(self) -> int:
        """How many are promised a turn."""
        return len(self._turns)

    def turn(self, key: str, now: float) -> float:
        """When this key may go, `now` at the earliest: its promised turn, else the next one."""
        free = max(now, self._gone - self._ahead)
        promised = self._turns.get(key)
        return max(free, self._promised - self._ahead if promised is None else promised)

    def promise(self, key: str, now: float) -> None:
        """Keep the next turn for this key, unless it has one."""
        if key in self._turns:
            return
        self._strike_off(now)
        turn = self.turn(key, now)
        self._turns[key] = turn
        self._promised = max(turn, self._promised) + self._interval

    def go(self, key: str, now: float) -> None:
        """It goes now."""
        if self._turns.pop(key, None) is None:
            self._promised = max(now, self._promised) + self._interval
        self._gone = max(now, self._gone) + self._interval
        self._promised = max(self._promised, self._gone)

    def delay(self, until: float, now: float) -> None:
        """Nothing goes before then; what is promised moves on as one line. A turn that is past and
        was not taken does not push the line: it may never be, where another process sent it."""
        late = until - min((turn for turn in self._turns.values() if turn >= now), default=until)
        if late > 0:
            self._turns = {
                key: turn + late if turn >= now else turn for key, turn in self._turns.items()
            }
            self._promised += late

    def _strike_off(self, now: float) -> None:
        for key in [key for key, turn in self._turns.items() if turn + FORGOTTEN_S < now]:
            del self._turns[key]


class Throttle:
    """Who may call now. One per process, for all workspaces."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._blocked: dict[tuple[str, Method], float] = {}
        self._tidied = 0.0

    def turn(self, team: str, method: Method, place: str = "", key: str = "") -> float:
        """Seconds until this call may be made; 0: now, and it counts as made. With a key its turn
        is kept, so come back under the same key; without one nothing is promised."""
        now = self._clock.now().timestamp()
        self._tidy(now)
        buckets = self._of(team, method, place, key)
        free = max(now, self._blocked.get((team, method), 0.0))
        at = max(bucket.turn(key, free) for bucket in buckets)
        for bucket in buckets:
            if at <= now + NEAR_S:
                bucket.go(key, now)
            elif key:
                bucket.promise(key, free)
        return at - now if at > now + NEAR_S else 0.0

    def hit(
        self, team: str, method: Method, retry_after_s: float, *, place: str = "", key: str = ""
    ) -> None:
        """Slack has said "too many": nothing of this method goes to that workspace before. The
        call that was turned away keeps a turn after that, if it has a key."""
        now = self._clock.now().timestamp()
        until = max(now + retry_after_s, self._blocked.get((team, method), 0.0))
        self._blocked[team, method] = until
        for (whose, what), bucket in self._buckets.items():
            if whose == team and (what == method or (method in PLACED and what.startswith(_IN))):
                bucket.delay(until, now)
        if key:
            for bucket in self._of(team, method, place, key):
                bucket.promise(key, until)

    @property
    def remembered(self) -> int:
        """How many rates it keeps count of."""
        return len(self._buckets)

    def _of(self, team: str, method: Method, place: str, key: str) -> list[Bucket]:
        per_minute = RULES[method].per_minute
        burst = max(1, per_minute // PART_AT_ONCE)
        buckets = [self._bucket((team, method.value), 60 / per_minute, burst)]
        if place and method in PLACED:
            buckets.append(self._bucket((team, _IN + place), PER_CHANNEL_S, CHANNEL_BURST))
        if key and method is Method.CHAT_UPDATE:
            buckets.append(self._bucket((team, _OF + key), PER_MESSAGE_S, 1))
        return buckets

    def _bucket(self, name: tuple[str, str], interval: float, burst: int) -> Bucket:
        if name not in self._buckets:
            self._buckets[name] = Bucket(interval, burst)
        return self._buckets[name]

    def _tidy(self, now: float) -> None:
        """Forget channels and waits that are over, once a while."""
        if now < self._tidied + FORGOTTEN_S:
            return
        self._tidied = now
        over = now - FORGOTTEN_S
        self._buckets = {name: b for name, b in self._buckets.items() if b.idle_from >= over}
        self._blocked = {name: until for name, until in self._blocked.items() if until > now}
