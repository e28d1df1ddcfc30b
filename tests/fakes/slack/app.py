"""A strict Slack on loopback: the Web API, deliveries by HTTP and sockets, files, forms, OAuth.

    async with FakeSlack() as slack:                    # T1 with Mia, Ana, Ben, Ida; the app is in
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        slack.listens("http://127.0.0.1:8000/slack/events")   # HTTP; without it: Socket Mode
        mia = slack.person("U0MIA")
        receipt = await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
        assert receipt.acked
        card = await slack.message("C0DRAFTS", lambda m: "Queued" in m.text)
        await mia.click(card, "do:cancel:JOB")
        form = await slack.form(mia, "imagine")         # waits until a modal is on top
        await mia.choose(form, "pick_template", "product")
        await mia.submit(form, {"words": "a mug"})      # block id -> what is typed
        slack.troubles.add("chat.*", "429", retry_after=2)
        assert slack.violations == []                   # what no app may ever do

Channels C0DRAFTS, C0SOCIAL (public, the app inside), C0OTHER (public, the app outside) and G0TEAM
(private). `slack.calls` are all Web API calls, `slack.delivery.log` all receipts. `slack.world` is
everything it knows; `FakeSlack(now=…)` gives it a clock, `rates=0` takes its limits off, `pace`
shortens the waits between an event's retries, `processing_s` is how long a file is not ready.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.slack import payloads
from tests.fakes.slack.api import WebApi
from tests.fakes.slack.delivery import Delivery, Receipt
from tests.fakes.slack.installs import Consents
from tests.fakes.slack.people import Person
from tests.fakes.slack.routes import routes
from tests.fakes.slack.sockets import Sockets
from tests.fakes.slack.state import (
    Call,
    Channel,
    File,
    Json,
    Message,
    Token,
    User,
    View,
    Workspace,
    World,
)
from tests.fakes.slack.troubles import Troubles
from tests.fakes.waiting import ENOUGH_S, until

PEOPLE = {"U0MIA": "mia", "U0ANA": "ana", "U0BEN": "ben", "U0IDA": "ida"}
SCOPES = frozenset(
    [
        "app_mentions:read",
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "im:write",
        "reactions:read",
    ]
)
PACE = 0.005


class FakeSlack:
    """The whole of it. Start with `async with`, or `start()` and `stop()`."""

    def __init__(
        self,
        *,
        now: Callable[[], float] | None = None,
        pace: float = PACE,
        rates: float = 1.0,
        processing_s: float = 0.05,
        distributed: bool = False,
    ) -> None:
        self.world = World(rates=rates, processing_s=processing_s, distributed=distributed)
        if now is not None:
            self.world.now = now
        self.world.told = self._tell
        self.troubles = Troubles()
        self.consents = Consents()
        self.sockets = Sockets(self.world)
        self.delivery = Delivery(self.world, self.sockets, pace=pace)
        self.api = WebApi(self.world, self.troubles, self.consents)
        self.api.connections = self.sockets.connections_open
        self.bot_token = "xoxb-1-acme"
        self.app_token = "xapp-1-acme"
        self.echoes = True
        """Whether the app hears of its own messages in direct conversations, as in Slack."""
        self.response_calls = 0
        """How often the app used a `response_url`."""
        self._runner: web.AppRunner | None = None
        self._port = 0
        connect = frozenset({"connections:write"})
        self.world.tokens[self.app_token] = Token(
            value=self.app_token, kind="app", team="T1", scopes=connect
        )
        self.add_team("T1", "acme", token=self.bot_token)

    # ------------------------------------------------------------------------------ running

    async def __aenter__(self) -> Self:
        """Start on a port of its own."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; on the same port as before where it had one."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        routes(app, self)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port or self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self.world.base = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Close everything; `start` opens it again with all it knew."""
        await self.sockets.close()
        await self.delivery.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def api_url(self) -> str:
        """For `base_url` of a client, with the slash at its end."""
        return f"{self.world.base}/api/"

    @property
    def authorize_url(self) -> str:
        """Where people agree to an installation."""
        return f"{self.world.base}/oauth/v2/authorize"

    def listens(self, url: str) -> None:
        """Deliver to this address by HTTP from now on; an empty one: by sockets."""
        self.delivery.app.listens(url)

    def configure(self, manifest: Json, *, at: str = "") -> None:
        """Set the app up by its manifest: what people are offered, on which paths below `at` the
        app hears of it, and the scopes of the token in T1."""
        self.world.tokens[self.bot_token].scopes = self.delivery.app.use(manifest, at)

    # ----------------------------------------------------------------- what there is in it

    def add_team(
        self,
        team: str,
        name: str,
        *,
        enterprise: str = "",
        token: str = "",
        scopes: frozenset[str] = SCOPES,
    ) -> Workspace:
        """A workspace with the usual people and channels; with a token the app is installed."""
        bot = f"U0BOT{team}"
        space = Workspace(
            id=team, name=name, enterprise=enterprise, bot_user=bot, bot_id=f"B0BOT{team}"
        )
        self.world.workspaces[team] = space
        space.users[bot] = User(id=bot, name="housestyle", team=team, is_bot=True)
        for user, person in PEOPLE.items():
            space.users[user] = User(id=user, name=person, team=team)
        for channel in ("C0DRAFTS", "C0SOCIAL", "C0OTHER"):
            self.add_channel(channel, channel[2:].lower(), team=team)
        space.channels["C0OTHER"].members.discard(bot)
        self.add_channel("G0TEAM", "team", team=team, kind="private")
        if token:
            self.world.tokens[token] = Token(
                value=token, kind="bot", team=team, enterprise=enterprise, scopes=scopes
            )
        return space

    def add_channel(
        self, channel: str, name: str, *, team: str = "T1", kind: str = "public"
    ) -> Channel:
        """A channel with everybody and the app in it."""
        space = self.world.workspaces[team]
        made = Channel(id=channel, name=name, team=team, kind=kind, members=set(space.users))
        space.channels[channel] = made
        return made

    def add_person(self, user: str, name: str, *, team: str = "T1") -> Person:
        """One more person, in every public channel."""
        space = self.world.workspaces[team]
        space.users[user] = User(id=user, name=name, team=team)
        for channel in space.channels.values():
            if channel.kind == "public":
                channel.members.add(user)
        return Person(self, team, user)

    def person(self, user: str, *, team: str = "T1") -> Person:
        """Someone who is there."""
        assert user in self.world.workspaces[team].users, user
        return Person(self, team, user)

    def channel(self, channel: str, *, team: str = "T1") -> Channel:
        """A channel, to look into or to archive."""
        return self.world.workspaces[team].channels[channel]

    def upload(self, person: Person, data: bytes, name: str, *, external: str = "") -> File:
        """A person's file; `external`: it only links to that address."""
        file = File(
            id=self.world.new_id("F"),
            team=person.team,
            user=person.id,
            name=name,
            data=external.encode() if external else data,
            size=len(data),
            created=self.world.now(),
            complete=True,
            ready_at=self.world.now(),
            external=bool(external),
        )
        self.world.files[file.id] = file
        return file

    # -------------------------------------------------------------------- what it has seen

    @property
    def violations(self) -> list[str]:
        """What the app did that no app may do; empty at the end of a good test."""
        return self.world.violations

    @property
    def calls(self) -> list[Call]:
        """Every call of the Web API, oldest first."""
        return self.world.calls

    def called(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.world.calls if call.method == method]

    def forgive(self, words: str) -> list[str]:
        """Take out and give the violations with these words: what a test does on purpose."""
        found = [v for v in self.world.violations if words in v]
        self.world.violations[:] = [v for v in self.world.violations if words not in v]
        return found

    def messages(self, channel: str, *, team: str = "T1") -> list[Message]:
        """What stands in a channel, oldest first."""
        return self.channel(channel, team=team).live()

    async def message(
        self,
        channel: str,
        test: Callable[[Message], object] = bool,
        *,
        team: str = "T1",
        within_s: float = ENOUGH_S,
    ) -> Message:
        """Wait for the newest message in a channel that passes the test."""
        found: list[Message] = []

        def there() -> bool:
            found[:] = [m for m in self.messages(channel, team=team) if test(m)]
            return bool(found)

        await until(there, within_s)
        return found[-1]

    async def form(self, person: Person, callback: str = "", *, within_s: float = ENOUGH_S) -> View:
        """Wait until this person has a form on top (with this callback id)."""

        def there() -> bool:
            return person.modal is not None and callback in ("", person.modal.callback)

        await until(there, within_s)
        assert person.modal is not None
        return person.modal

    # ----------------------------------------------------------------- what Slack itself does

    async def event(self, team: str, inner: Json, *, copies: int = 1) -> Receipt:
        """Tell the app of an event of any kind."""
        told = payloads.event(self.world, team, inner)
        return await self.delivery.send(team, "events_api", told, copies=copies)

    async def revoke(self, team: str) -> Receipt:
        """An administrator takes the bot's token away."""
        space = self.world.workspaces[team]
        told = payloads.event(
            self.world,
            team,
            {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [space.bot_user]}},
        )
        self._void(team, "token_revoked")
        return await self.delivery.send(team, "events_api", told)

    async def uninstall(self, team: str) -> list[Receipt]:
        """An administrator takes the app out: its tokens are void, and two events say so."""
        gone = payloads.event(self.world, team, {"type": "app_uninstalled"})
        self._void(team, "account_inactive")
        revoked = await self.revoke(team)
        return [revoked, await self.delivery.send(team, "events_api", gone)]

    def _void(self, team: str, error: str) -> None:
        for token in self.world.tokens.values():
            if token.kind == "bot" and token.team == team and not token.revoked:
                token.revoked = error

    def _tell(self, team: str, inner: Json) -> None:
        app = self.delivery.app
        if self.echoes and app.hears(inner) and (not app.sockets or self.sockets.open):
            self.delivery.later(self.event(team, inner))
