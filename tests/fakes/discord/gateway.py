"""The gateway of the fake Discord: sessions that keep what they were told, sockets that read it.

A session is a log of numbered events; a socket is a cursor in it. A socket that breaks leaves the
log growing, so that a resume gives exactly what was missed.
"""

import asyncio
import itertools
import json
import secrets
from collections import deque
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.discord.guilds import guild_json
from tests.fakes.discord.payloads import user_json
from tests.fakes.discord.sockets import Socket
from tests.fakes.discord.state import Event, Json, World

GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, GUILD_REACTIONS = 1 << 9, 1 << 10
DIRECT_MESSAGES, DIRECT_REACTIONS = 1 << 12, 1 << 13
CONTENT = 1 << 15
PRIVILEGED = MEMBERS | PRESENCES | CONTENT
KNOWN_INTENTS = (1 << 17) - 1 | 1 << 20 | 1 << 21 | 1 << 24 | 1 << 25
PATH = "/gateway/"
HEARTBEAT_MS = 41_250
KEEPS_S = 120.0
"""How long a session without a socket may be resumed."""


@dataclass(eq=False, kw_only=True)
class Session:
    """One identified client, whether connected or not."""

    id: str
    shard: int
    shards: int
    intents: int
    log: list[str] = field(default_factory=list)
    """Its events as they are sent; the number of one is its place in it plus one."""
    socket: Socket | None = None
    left_at: float = 0.0

    def add(self, event: str, data: Json) -> None:
        """One more event; a socket that is attached is woken."""
        frame = {"op": 0, "t": event, "s": len(self.log) + 1, "d": data}
        self.log.append(json.dumps(frame))
        if self.socket is not None:
            self.socket.more.set()

    def wants(self, event: str, guild: str) -> bool:
        """Whether this event of a guild, or of none, is for it."""
        at = (int(guild) >> 22) % self.shards if guild else 0
        return at == self.shard and (need := _intent(event, guild)) == self.intents & need


@dataclass(eq=False)
class Gateway:
    """All sessions. What it does on purpose: drop, cut, reconnect, invalidate, forget, broken."""

    world: World
    heartbeat_ms: float = HEARTBEAT_MS
    identify_every_s: float = 0.0
    """The pause Discord wants between two identifies of a bucket; 0: it does not look."""
    sessions: dict[str, Session] = field(default_factory=dict)
    sockets: list[Socket] = field(default_factory=list)
    failing: deque[str] = field(default_factory=deque)
    """What becomes of the next handshakes: `500`, `close` before hello, `cut`."""
    door: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, handshakes wait."""
    identifies: int = 0
    resumes: int = 0
    replayed: int = 0
    """Events that were given again after a resume."""
    told: list[tuple[str, Json]] = field(default_factory=list)
    """(event, data) of all that was published."""
    _identified: dict[int, float] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        """Hear what happens."""
        self.door.set()
        self.world.tellers.append(self._tell)

    @property
    def url(self) -> str:
        """Where it listens, with a slash at the end."""
        return f"ws{self.world.base.removeprefix('http')}{PATH}"

    def routes(self, app: web.Application) -> None:
        """Where clients open it, and where they resume."""
        app.router.add_get(PATH, self.handle)
        app.router.add_get(f"{PATH}resume/", self.handle)
        app.on_shutdown.append(self._shut)

    async def _shut(self, app: web.Application) -> None:
        """Sessions are kept: who finds it open again may resume."""
        await self.drop(1001)

    # ------------------------------------------------------------------------------ sockets

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One socket, for as long as it is open."""
        await self.door.wait()
        trouble = self.failing.popleft() if self.failing else ""
        if trouble == "500":
            return web.Response(status=500, text="the gateway is down")
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            self.world.violated(f"the gateway was opened with {request.query_string}")
            return web.Response(status=400)
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        packed = request.query.get("compress") == "zlib-stream"
        socket = Socket(ws=ws, request=request, packed=packed, number=next(self._numbers))
        if trouble:
            await (ws.close() if trouble == "close" else socket.cut())
            return ws
        self.sockets.append(socket)
        try:
            await socket.converse(self)
        finally:
            self.sockets.remove(socket)
            self._left(socket)
        return ws

    def _left(self, socket: Socket) -> None:
        """A closed socket keeps its session, unless the client said goodbye for good."""
        session = self._session_of(socket)
        if session is None:
            return
        session.socket = None
        session.left_at = self.world.now()
        if socket.left_with in (1000, 1001):
            self.sessions.pop(session.id, None)

    def _session_of(self, socket: Socket) -> Session | None:
        return next((s for s in self.sessions.values() if s.socket is socket), None)

    async def identify(self, socket: Socket, told: Json) -> int:
        """A new session on this socket; the code to close with, or 0."""
        if told.get("token") != self.world.app.token:
            return 4004
        shard, shards = told.get("shard") or (0, 1)
        if not 0 <= shard < shards:
            return 4010
        intents = int(told.get("intents", -1))
        if intents < 0 or intents & ~KNOWN_INTENTS:
            return 4013
        if intents & PRIVILEGED & ~self.world.app.intents:
            return 4014
        self.identifies += 1
        self.world.identifies_left -= 1
        if self.world.identifies_left < 0:
            self.world.violated("The gateway was identified at more often than a day allows.")
            return 4004
        if self._too_soon(shard):
            await socket.send({"op": 9, "d": False, "s": None, "t": None})
            return 0
        session = Session(id=secrets.token_hex(16), shard=shard, shards=shards, intents=intents)
        self.sessions[session.id] = session
        self._greet(session)
        self._attach(session, socket, 0)
        return 0

    def _too_soon(self, shard: int) -> bool:
        now, before = self.world.now(), self._identified.get(shard, float("-inf"))
        self._identified[shard] = now
        return now - before < self.identify_every_s

    def _greet(self, session: Session) -> None:
        guilds = self.world.guilds.values()
        mine = [
            guild
            for guild in guilds
            if self.world.app.id in guild.members and session.wants("GUILD_CREATE", guild.id)
        ]
        bot = self.world.users[self.world.app.id]
        session.add(
            "READY",
            {
                "v": 10,
                "user": user_json(bot) | {"verified": True, "mfa_enabled": False},
                "guilds": [{"id": guild.id, "unavailable": True} for guild in mine],
                "session_id": session.id,
                "resume_gateway_url": f"{self.url}resume/",
                "shard": [session.shard, session.shards],
                "application": {"id": self.world.app.id, "flags": self.world.app.flags},
            },
        )
        for guild in mine:
            session.add("GUILD_CREATE", guild_json(self.world, guild))

    async def resume(self, socket: Socket, told: Json) -> int:
        """Go on with a session; the code to close with, or 0."""
        if told.get("token") != self.world.app.token:
            return 4004
        if "/resume" not in socket.request.path:
            self.world.violated("a session was resumed elsewhere than at resume_gateway_url")
        session, number = self.sessions.get(str(told.get("session_id"))), told.get("seq")
        if session is None or self.world.now() - (session.left_at or 1e18) > KEEPS_S:
            await socket.send({"op": 9, "d": False, "s": None, "t": None})
            return 0
        if not isinstance(number, int) or not 0 <= number <= len(session.log):
            return 4007
        self.resumes += 1
        self.replayed += len(session.log) - number
        if session.socket is not None:
            await session.socket.cut()
        session.add("RESUMED", {"_trace": []})
        self._attach(session, socket, number)
        return 0

    def _attach(self, session: Session, socket: Socket, at: int) -> None:
        session.socket, session.left_at = socket, 0.0
        socket.read(session.log, at)

    # ------------------------------------------------------------------------------- events

    def publish(self, event: str, data: Json, *, guild: str = "") -> int:
        """Tell every session it concerns, connected or not; how many they were."""
        self.told.append((event, data))
        now = self.world.now()
        for session in list(self.sessions.values()):
            if session.socket is None and now - session.left_at > KEEPS_S:
                self.sessions.pop(session.id)
        to = [session for session in self.sessions.values() if session.wants(event, guild)]
        for session in to:
            session.add(event, data)
        return len(to)

    def _tell(self, event: Event) -> None:
        self.publish(event.name, event.data, guild=event.guild)

    def connected(self) -> list[Session]:
        """Sessions with a socket that has been told all there is."""
        found = [s for s in self.sessions.values() if s.socket is not None]
        return [s for s in found if s.socket is not None and s.socket.at == len(s.log)]

    # ----------------------------------------------------------------------------- troubles

    async def drop(self, code: int = 4000) -> None:
        """Close every socket with this code; its session may be resumed where the code allows."""
        await asyncio.gather(*(socket.ws.close(code=code) for socket in self.sockets))

    async def cut(self) -> None:
        """Cut every socket without a word."""
        for socket in list(self.sockets):
            await socket.cut()

    async def reconnect(self) -> None:
        """Op 7: come again and resume."""
        for socket in list(self.sockets):
            await socket.send({"op": 7, "d": None, "s": None, "t": None})

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9: the sessions are void, or only interrupted."""
        if not resumable:
            self.forget()
        for socket in list(self.sockets):
            await socket.send({"op": 9, "d": resumable, "s": None, "t": None})

    def forget(self) -> None:
        """Lose every session; sockets stay open."""
        self.sessions.clear()

    def broken(self, event: str, data: Json | None = None) -> None:
        """Dispatch an event whose data makes no sense."""
        for session in self.sessions.values():
            session.add(event, data or {})


def _intent(event: str, guild: str) -> int:
    """The intents of which an event needs all (docs.discord.com, list of intents); 0: none."""
    if event.startswith("MESSAGE_REACTION_"):
        return GUILD_REACTIONS if guild else DIRECT_REACTIONS
    if event.startswith("MESSAGE_"):
        return GUILD_MESSAGES if guild else DIRECT_MESSAGES
    if event.startswith(("GUILD_MEMBER_", "THREAD_MEMBERS_")):
        return MEMBERS
    return GUILDS if event.startswith(("GUILD_", "CHANNEL_", "THREAD_")) else 0
