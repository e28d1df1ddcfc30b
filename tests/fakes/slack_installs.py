"""A house that workspaces install, beside a Slack on loopback, on one driven clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.chat.slack_chat.installing.pairs import Calls, Pair, opened, read_tokens, sealed
from bot.chat.slack_chat.installing.rotating import Rotator
from bot.chat.slack_chat.installing.vault import Vault, new_key
from bot.chat.slack_chat.manifest import scopes_wanted
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.outgoing.calling import Caller
from bot.core.people import ANY_BRAND, Identity, Role
from bot.core.ports import Install, Store
from bot.core.watching import Unwatched
from storage.memory import MemoryStore
from tests.contract.values import make_install, make_person
from tests.fakes.clock import START, DrivenClock
from tests.fakes.slack.app import FakeSlack

BASE_URL = "https://pictures.example.com"
LIFE = timedelta(hours=12)
"""Of an access token, at Slack."""


@dataclass
class Installed:
    """The parts; `rotator()` is one process more."""

    fake: FakeSlack
    clock: DrivenClock
    store: Store
    caller: Caller
    options: SlackOptions
    vault: Vault
    rotators: list[Rotator] = field(default_factory=list)

    def rotator(self, *, store: Store | None = None, calls: Calls | None = None) -> Rotator:
        """A process of the house."""
        made = Rotator(
            self.options,
            store=store or self.store,
            vault=self.vault,
            clock=self.clock,
            calls=calls or self.caller,
        )
        self.rotators.append(made)
        return made

    def tokens(self, team: str = "T1", *, org_wide: bool = False) -> dict[str, object]:
        """What Slack gives for a code that somebody agreed to."""
        consents = self.fake.consents
        consents.team, consents.org_wide = team, org_wide
        code = consents.agree(self.fake.world, ",".join(scopes_wanted()), "")
        client = {
            "client_id": self.options.client_id,
            "client_secret": self.options.client_secret,
        }
        return consents.access(self.fake.world, {**client, "code": code}, "")

    async def install(self, team: str = "T1", **change: str) -> Install:
        """The app in a workspace, as its row stands then."""
        pair, ends = read_tokens(self.tokens(team), self.clock.now())
        install = make_install(team=team, **{"name": "Acme", "bot_user": f"U0BOT{team}", **change})
        install = replace(install, expires_at=ends, installed_at=self.clock.now())
        install = replace(install, sealed=sealed(self.vault, install, pair))
        async with self.store.write() as tx:
            return await tx.installs.put(install)

    async def row(self, team: str = "T1", enterprise: str = "") -> Install:
        """The row as it stands."""
        async with self.store.read() as tx:
            stored = await tx.installs.get("slack", enterprise, team)
        assert stored is not None
        return stored

    async def pair(self, team: str = "T1") -> Pair:
        """The tokens that stand in the row."""
        return opened(self.vault, await self.row(team))

    async def admin(self) -> None:
        """Ida, who hears of what goes wrong."""
        accounts = (Identity(platform="slack", user="U0IDA", team="T1"),)
        ida = make_person("Ida", roles=((ANY_BRAND, Role.ADMIN),), identities=accounts)
        async with self.store.write() as tx:
            await tx.people.add(ida)

    async def told(self) -> list[str]:
        """Titles of the cards that wait to be sent."""
        async with self.store.write() as tx:
            titles = []
            lease = timedelta(seconds=60)
            while message := await tx.outbox.claim("test", now=self.clock.now(), lease=lease):
                titles.append(message.card.title)
            return titles

    def renewed(self) -> int:
        """How often Slack renewed a token."""
        return self.fake.consents.refreshed


@asynccontextmanager
async def installed_house(store: Store | None = None) -> AsyncIterator[Installed]:
    """The parts, with Slack running; at the end every renewal has ended."""
    clock = DrivenClock(START)
    async with FakeSlack(now=lambda: clock.now().timestamp(), rates=0) as fake:
        options = SlackOptions(
            mode=Mode.HTTP,
            base_url=BASE_URL,
            api_base_url=fake.api_url,
            authorize_url=fake.authorize_url,
            signing_secret=fake.world.signing_secret,
            client_id=fake.world.client_id,
            client_secret=fake.world.client_secret,
            token_keys=(new_key(),),
        )
        async with Caller(options, watch=Unwatched()) as caller:
            made = Installed(
                fake=fake,
                clock=clock,
                store=store or MemoryStore(),
                caller=caller,
                options=options,
                vault=Vault(options.token_keys),
            )
            yield made
            for rotator in made.rotators:
                await rotator.finish()
