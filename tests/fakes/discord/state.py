"""What a Discord knows: guilds, people, channels, messages, interactions, commands.

Ids are snowflakes as texts. Permissions, tokens and limits are enforced by the rooms beside this;
here is only what stands. Whatever the gateway has to tell goes through `World.tell`.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

EPOCH_MS = 1_420_070_400_000
"""The first millisecond of Discord's ids (docs.discord.com, snowflakes)."""
MIB = 1024 * 1024
ACK_S = 3.0
TOKEN_S = 15 * 60.0
NONCE_S = 5 * 60.0

TEXT, DM, THREAD = 0, 1, 11
"""Types of channels."""
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
"""Flags of messages."""

Json = dict[str, Any]


class Refused(Exception):
    """Discord says no: an HTTP status, its own number and words, and which fields are wrong."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code} {message} {errors or ''}".strip())
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors


@dataclass(kw_only=True)
class User:
    """A person or a bot."""

    id: str
    username: str
    bot: bool = False
    takes_dms: bool = True
    """Whether the app may write to them alone; else 50007."""


@dataclass(kw_only=True)
class Role:
    """A role of a guild; @everyone has the guild's id."""

    id: str
    name: str
    permissions: int = 0


@dataclass(kw_only=True)
class Member:
    """Someone in a guild. `roles` are ids, without @everyone."""

    user: str
    roles: list[str] = field(default_factory=list)
    joined_at: float = 0.0


@dataclass(kw_only=True)
class Guild:
    """A guild."""

    id: str
    name: str
    owner: str
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    """By user."""
    file_limit: int = 10 * MIB
    """Bytes that a file may have."""
    blocked_words: list[str] = field(default_factory=list)
    """What AutoMod refuses: 200000."""
    commands: list[Json] = field(default_factory=list)
    """The app's commands of this guild alone."""


@dataclass(kw_only=True)
class Overwrite:
    """What a role or a member may do otherwise in one channel. `kind` is 0 role, 1 member."""

    id: str
    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(kw_only=True)
class Attachment:
    """A file on the CDN."""

    id: str
    filename: str
    data: bytes = field(repr=False)
    content_type: str
    channel: str
    width: int | None = None
    height: int | None = None
    description: str | None = None
    ephemeral: bool = False
    deleted: bool = False


@dataclass(kw_only=True)
class Reaction:
    """An emoji on a message and who put it there, in order. `id` is a guild's own emoji's;
    `supers` have put it there as a super reaction."""

    name: str
    id: str = ""
    users: list[str] = field(default_factory=list)
    supers: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """As it stands in an address: `✅` or `name:id`."""
        return f"{self.name}:{self.id}" if self.id else self.name


@dataclass(kw_only=True)
class Version:
    """What a message showed before an edit."""

    content: str
    components: list[Json]
    attachments: list[str]
    at: float


@dataclass(kw_only=True)
class Message:
    """A message as it stands."""

    id: str
    channel: str
    author: str
    at: float
    content: str = ""
    components: list[Json] = field(default_factory=list)
    """As clients see them: unfurled, with ids. `given` has them as the app sent them."""
    given: list[Json] = field(default_factory=list)
    embeds: list[Json] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    flags: int = 0
    nonce: str = ""
    edited_at: float | None = None
    reply_to: str = ""
    """Id of the message it answers."""
    webhook: str = ""
    """The app's id, where an interaction's token was used."""
    interaction: str = ""
    """Token of the interaction that it answers."""
    only_for: str = ""
    """Of an ephemeral message: who alone sees it."""
    mentions: list[str] = field(default_factory=list)
    """Users whom it pinged."""
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    reactions: list[Reaction] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    deleted: bool = False

    def reaction(self, key: str) -> Reaction | None:
        """The reaction with this emoji."""
        return next((found for found in self.reactions if found.key == key), None)

    def parts(self) -> Iterator[Json]:
        """All of its components, containers before what is in them."""
        yield from walk(self.components)

    @property
    def text(self) -> str:
        """All that it says: its content and its text displays, by lines."""
        shown = [str(part["content"]) for part in self.parts() if part.get("type") == TEXT_DISPLAY]
        return "\n".join([self.content, *shown] if self.content else shown)


TEXT_DISPLAY = 10


def walk(components: list[Json]) -> Iterator[Json]:
    """Components and all that is in them."""
    for part in components:
        yield part
        inner = [*part.get("components", ())]
        inner += [part[name] for name in ("accessory", "component") if part.get(name)]
        yield from walk(inner)


@dataclass(kw_only=True)
class Channel:
    """A text channel, a thread or a conversation of two; messages stand in order of their ids."""

    id: str
    type: int = TEXT
    name: str = ""
    guild: str = ""
    parent: str = ""
    """Of a thread."""
    owner: str = ""
    """Of a thread: who opened it."""
    overwrites: list[Overwrite] = field(default_factory=list)
    recipient: str = ""
    """Of a conversation of two: the person."""
    messages: dict[str, Message] = field(default_factory=dict)
    """Deleted and ephemeral ones too: see `live`."""
    archived: bool = False
    locked: bool = False

    def live(self) -> list[Message]:
        """What everybody sees there, oldest first."""
        return [m for m in self.messages.values() if not m.deleted and not m.only_for]


@dataclass(kw_only=True)
class Interaction:
    """One thing that a person did, and the app's answer to it."""

    id: str
    token: str
    type: int
    """2 command or menu, 3 button or select, 4 autocomplete, 5 form."""
    user: str
    channel: str
    guild: str = ""
    made_at: float
    """When the app was told, by the world's clock."""
    message: str = ""
    """Id of the message whose button was pressed."""
    locale: str = "en-US"
    response: Json | None = None
    """The first answer as the app gave it: type and data."""
    response_ms: float = 0.0
    original: str = ""
    """Id of the message that `@original` is, once there is one."""
    webhook_calls: int = 0
    """How often its webhook was asked for anything, refused or not."""
    webhook_refusals: int = 0
    """How often it said 401 or 404."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with the first answer."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when `@original` is more than `thinking …`."""

    @property
    def ephemeral(self) -> bool:
        """Whether its first answer was for the person alone."""
        return bool(((self.response or {}).get("data") or {}).get("flags", 0) & EPHEMERAL)


@dataclass(kw_only=True)
class App:
    """The application under test and its bot user (whose id is the application's)."""

    id: str
    name: str
    token: str
    flags: int = 0
    """Of the application: 1 << 18 or 1 << 19 where it may read contents."""
    intents: int = 0
    """Privileged intents that were switched on in the portal."""
    commands: list[Json] = field(default_factory=list)
    """Its global commands as Discord keeps them."""
    token_revoked: bool = False

    @property
    def reads_content(self) -> bool:
        """Whether it may read what others write."""
        return bool(self.flags & (1 << 18 | 1 << 19))


@dataclass(kw_only=True)
class Call:
    """One request as it came, and what it was answered."""

    method: str
    route: str
    """As Discord's OpenAPI names it: `/channels/{channel_id}/messages`."""
    path: str
    body: Any
    at: float
    status: int = 0
    code: int = 0
    ms: float = 0.0
    files: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Event:
    """What the gateway tells. `guild` is empty for what happens in conversations of two."""

    name: str
    data: Json
    guild: str = ""


@dataclass(kw_only=True)
class World:
    """All of it. `now` is the one clock: seconds since 1970."""

    app: App
    now: Callable[[], float] = time.time
    base: str = ""
    """Where this Discord listens, without a slash at the end."""
    rates: float = 1.0
    """How many times what Discord allows; 0: no limits."""
    shards: int = 1
    """Connections that an app is recommended to share its guilds among."""
    cdn_s: float = 24 * 3600.0
    """How long an attachment's address is good."""
    identifies_left: int = 1000
    """Gateway sessions that may still be begun today."""
    old_edits_left: dict[str, int] = field(default_factory=dict)
    """Channel -> edits of messages older than an hour that are still taken: 30046. Where none is
    named: any number, since Discord tells nobody how many."""
    creates_left: int = 200
    """Commands that may still be made today: 30034."""
    users: dict[str, User] = field(default_factory=dict)
    guilds: dict[str, Guild] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    """Threads and conversations of two among them."""
    attachments: dict[str, Attachment] = field(default_factory=dict)
    interactions: dict[str, Interaction] = field(default_factory=dict)
    """By token."""
    nonces: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    """(author, nonce) -> (when, message)."""
    calls: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    tellers: list[Callable[[Event], None]] = field(default_factory=list)
    """The gateway's ears."""
    _last: int = 0

    def new_id(self) -> str:
        """A snowflake that is later than every other."""
        self._last = max(self._last + 1, snowflake_at(self.now()))
        return str(self._last)

    def new_token(self) -> str:
        """An interaction's token."""
        return secrets.token_urlsafe(48)

    def tell(self, name: str, data: Json, *, guild: str = "") -> None:
        """Let the gateway tell it."""
        for teller in self.tellers:
            teller(Event(name=name, data=data, guild=guild))

    def violated(self, what: str) -> None:
        """Note something that an app must never do."""
        self.violations.append(what)

    # ----------------------------------------------------------------------------- founding

    def add_user(self, username: str, *, bot: bool = False, user_id: str = "") -> User:
        """One more person or bot."""
        user = User(id=user_id or self.new_id(), username=username, bot=bot)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, *, permissions: int, owner: str, guild_id: str = "") -> Guild:
        """A guild in which everybody has these permissions; the app is a member."""
        guild = Guild(id=guild_id or self.new_id(), name=name, owner=owner)
        guild.roles[guild.id] = Role(id=guild.id, name="@everyone", permissions=permissions)
        self.guilds[guild.id] = guild
        for user in (owner, self.app.id):
            self.join(guild.id, user)
        return guild

    def add_role(self, guild: str, name: str, *, permissions: int = 0) -> Role:
        """One more role."""
        role = Role(id=self.new_id(), name=name, permissions=permissions)
        self.guilds[guild].roles[role.id] = role
        return role

    def join(self, guild: str, user: str, *roles: str) -> Member:
        """Let someone in, with these roles; whoever is in has them from now on."""
        member = Member(user=user, roles=list(roles), joined_at=self.now())
        self.guilds[guild].members[user] = member
        return member

    def add_channel(self, guild: str, name: str, *, channel_id: str = "") -> Channel:
        """One more text channel."""
        channel = Channel(id=channel_id or self.new_id(), name=name, guild=guild)
        self.channels[channel.id] = channel
        return channel

    def add_thread(self, parent: str, name: str, *, owner: str = "") -> Channel:
        """A public thread in a channel."""
        above = self.channels[parent]
        thread = Channel(
            id=self.new_id(),
            type=THREAD,
            name=name,
            guild=above.guild,
            parent=parent,
            owner=owner or self.guilds[above.guild].owner,
        )
        self.channels[thread.id] = thread
        return thread

    def direct(self, user: str) -> Channel:
        """The conversation of two between the app and a person."""
        for channel in self.channels.values():
            if channel.type == DM and channel.recipient == user:
                return channel
        channel = Channel(id=self.new_id(), type=DM, recipient=user)
        self.channels[channel.id] = channel
        return channel

    def remove_channel(self, channel: str) -> None:
        """Delete a channel with its threads, or a thread, and tell of it: 10003 from now on."""
        for inside in [c.id for c in self.channels.values() if c.parent == channel]:
            self.remove_channel(inside)
        gone = self.channels.pop(channel)
        told = {"id": gone.id, "type": gone.type, "guild_id": gone.guild}
        told |= {"parent_id": gone.parent} if gone.type == THREAD else {"name": gone.name}
        event = "THREAD_DELETE" if gone.type == THREAD else "CHANNEL_DELETE"
        self.tell(event, told, guild=gone.guild)

    def leave(self, guild: str, user: str) -> None:
        """Take someone out of a guild; where it is the app, tell it: 50001 from now on."""
        self.guilds[guild].members.pop(user)
        if user == self.app.id:
            self.tell("GUILD_DELETE", {"id": guild}, guild=guild)

    # ------------------------------------------------------------------------------ looking

    def message(self, channel: str, message: str) -> Message | None:
        """A message that stands (an ephemeral one too)."""
        found = self.channels[channel].messages.get(message) if channel in self.channels else None
        return found if found is not None and not found.deleted else None

    def all_messages(self) -> Iterator[Message]:
        """Every message that everybody sees, of every channel."""
        for channel in self.channels.values():
            yield from channel.live()


def snowflake_at(seconds: float) -> int:
    """The first snowflake of this time."""
    return max(0, int(seconds * 1000) - EPOCH_MS) << 22


def seconds_of(snowflake: str) -> float:
    """When a snowflake was made."""
    return ((int(snowflake) >> 22) + EPOCH_MS) / 1000
