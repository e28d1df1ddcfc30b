"""What a Slack knows: workspaces, people, channels, messages, files, forms and tokens."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

TRIGGER_S = 3.0
RESPONSE_URL_S = 30 * 60
RESPONSE_URL_USES = 5
STACK = 3
"""Forms that may lie on one another."""

Json = dict[str, Any]


class Refused(Exception):
    """Slack says no: `ok: false` with this word and these further fields."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(kw_only=True)
class User:
    """Someone in a workspace."""

    id: str
    name: str
    team: str
    is_bot: bool = False


@dataclass(kw_only=True)
class Message:
    """One message as it stands; `versions` are the blocks it had before."""

    team: str
    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread: str = ""
    bot_id: str = ""
    files: tuple[str, ...] = ()
    edits: list[float] = field(default_factory=list)
    versions: list[list[Json]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """The texts it had before."""
    deleted: bool = False
    only_for: str = ""
    """The user that alone sees it: an ephemeral message, in no history."""
    reactions: dict[str, set[str]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The metadata's own id, empty where it has none."""
        payload = (self.metadata or {}).get("event_payload") or {}
        return str(payload.get("id", ""))


@dataclass(kw_only=True)
class Channel:
    """A conversation. `kind` is public, private or im; `restricted`: only admins may post."""

    id: str
    name: str
    team: str
    kind: str = "public"
    members: set[str] = field(default_factory=set)
    archived: bool = False
    restricted: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)

    def live(self) -> list[Message]:
        """Its messages, oldest first, without the deleted ones."""
        return [m for m in self.messages.values() if not m.deleted]


@dataclass(kw_only=True)
class File:
    """A file; it is processed from `ready_at` on."""

    id: str
    team: str
    user: str
    name: str
    title: str = ""
    alt: str = ""
    data: bytes = b""
    size: int = 0
    upload: str = ""
    """The token of its upload address."""
    created: float = 0.0
    complete: bool = False
    ready_at: float = float("inf")
    deleted: bool = False
    shares: dict[str, str] = field(default_factory=dict)
    """Channel -> ts of the message that shares it."""
    shown: set[str] = field(default_factory=set)
    """Channels where a block shows it."""
    granted: bool = False
    """A person gave it to the app through a form."""
    external: bool = False
    """It lies elsewhere; Slack only links it."""


@dataclass(kw_only=True)
class View:
    """An open form or a Home tab. `values` is what the person typed, block -> action -> value."""

    id: str
    team: str
    user: str
    body: Json
    hash: str
    root: str = ""
    previous: str = ""
    open: bool = True
    values: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: Json = field(default_factory=dict)

    @property
    def callback(self) -> str:
        """Its callback id."""
        return str(self.body.get("callback_id", ""))

    def blocks(self) -> list[Json]:
        """Its blocks."""
        return list(self.body.get("blocks", []))


@dataclass(kw_only=True)
class Token:
    """A token: `kind` is bot or app. An organisation's has no team."""

    value: str
    kind: str
    team: str = ""
    enterprise: str = ""
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None
    revoked: str = ""
    """The word it is refused with from now on."""
    refresh: str = ""


@dataclass(kw_only=True)
class Workspace:
    """A workspace with the app in it, or not yet."""

    id: str
    name: str
    enterprise: str = ""
    bot_user: str = ""
    bot_id: str = ""
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)


@dataclass(kw_only=True)
class Call:
    """One call of the Web API as it came, and what it was answered."""

    method: str
    team: str
    args: Json
    at: float
    status: int = 0
    error: str = ""
    ms: float = 0.0


@dataclass(kw_only=True)
class World:
    """All of it. `now` is the one clock: seconds since 1970."""

    now: Callable[[], float] = time.time
    app_id: str = "A0HOUSE"
    signing_secret: str = "8f742231b10e8888abcd99yyyzzz85a5"
    client_id: str = "111.222"
    client_secret: str = "not-a-secret"
    base: str = ""
    """Where this Slack listens, without a slash at the end."""
    distributed: bool = False
    """Apps that others install see little of the history."""
    processing_s: float = 0.05
    rates: float = 1.0
    """How many times what Slack allows; 0: no limits."""
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    stacks: dict[tuple[str, str], list[View]] = field(default_factory=dict)
    homes: dict[tuple[str, str], View] = field(default_factory=dict)
    triggers: dict[str, tuple[float, str, str, bool]] = field(default_factory=dict)
    """Trigger -> (made at, team, user, used)."""
    response_urls: dict[str, tuple[float, str, str, int]] = field(default_factory=dict)
    """Key -> (made at, channel, user, uses left)."""
    calls: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    echoes: list[Json] = field(default_factory=list)
    """Events that the app's own doings cause, still to be delivered: (team, event)."""
    told: Callable[[str, Json], None] = lambda team, event: None
    """Where such events go."""
    _count: int = 0
    _last_us: int = 0

    def new_id(self, prefix: str) -> str:
        """An id that nothing else has."""
        self._count += 1
        return f"{prefix}{self._count:09X}"

    def new_ts(self) -> str:
        """A message's `ts`: the time in microseconds, later than every other."""
        self._last_us = max(self._last_us + 1, int(self.now() * 1_000_000))
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def new_hash(self) -> str:
        """A view's hash."""
        return f"{int(self.now())}.{secrets.token_hex(4)}"

    def new_trigger(self, team: str, user: str) -> str:
        """A trigger id, good for three seconds and one use."""
        trigger = f"{self.new_id('')}.{secrets.token_hex(8)}"
        self.triggers[trigger] = (self.now(), team, user, False)
        return trigger

    def use_trigger(self, trigger: str) -> tuple[str, str]:
        """(team, user) it was made for. Raises Refused where it is unknown, old or used."""
        made, team, user, used = self.triggers.get(trigger, (None, "", "", False))
        if made is None:
            raise Refused("invalid_trigger_id")
        if used:
            raise Refused("exchanged_trigger_id")
        if self.now() - made > TRIGGER_S:
            raise Refused("expired_trigger_id")
        self.triggers[trigger] = (made, team, user, True)
        return team, user

    def new_response_url(self, team: str, channel: str, user: str) -> str:
        """An address to answer at, five times within half an hour."""
        key = f"{team}/{secrets.token_hex(12)}"
        self.response_urls[key] = (self.now(), channel, user, RESPONSE_URL_USES)
        return f"{self.base}/response/{key}"

    def violated(self, what: str) -> None:
        """Note something that an app must never do."""
        self.violations.append(what)

    def spaces_of(self, token: Token) -> list[Workspace]:
        """The workspaces that a token works in."""
        return [
            space
            for space in self.workspaces.values()
            if space.id == token.team
            or (not token.team and token.enterprise and space.enterprise == token.enterprise)
        ]

    def all_messages(self) -> Iterator[Message]:
        """Every message that stands, of every workspace."""
        for space in self.workspaces.values():
            for channel in space.channels.values():
                yield from channel.live()


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's signature of a request: docs.slack.dev, "Verifying requests from Slack"."""
    text = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
