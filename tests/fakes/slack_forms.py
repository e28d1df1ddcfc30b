"""A town whose people open forms in the fake Slack: its payloads and Web API, without transport."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.chat.slack_chat.incoming.heard import LIVE, Heard
from bot.chat.slack_chat.incoming.hearing import heard_of
from bot.chat.slack_chat.modals.forms import Forms
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.outgoing.bringing import Bringing
from bot.chat.slack_chat.outgoing.webs import SlackWebs
from bot.clock import SystemClock
from bot.core.errors import Unavailable
from bot.core.people import Identity
from bot.core.ports import Outgoing, Store, Transaction
from brand.kit import (
    Aspect,
    BrandKit,
    Channel,
    GenerationDefaults,
    Template,
    Variable,
    WayPolicy,
)
from tests.fakes.slack import answers, payloads
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.blocks import elements_of
from tests.fakes.slack.people import Person
from tests.fakes.slack.state import Message, View
from tests.fakes.town import KIT, START, Town, make_town

TEAM = "T1"
COLORS = ("red", "green", "blue")
PRODUCT = Template(
    name="product",
    text="a [COLOR] [THING] on [PLACE]",
    description="One product, well lit",
    variables=(
        Variable(name="COLOR", values=COLORS, description="Of the product"),
        Variable(name="THING"),
        Variable(name="PLACE", default="a table"),
    ),
)
POSTER = Template(
    name="poster",
    text="a poster of [THING] in [MOOD] light",
    variables=(
        Variable(name="THING"),
        Variable(name="MOOD", values=("warm", "cold"), default="warm"),
    ),
    aspect="4:5",
)
ACME = replace(
    KIT,
    generation=GenerationDefaults(
        model="demo",
        aspects=(Aspect(name="1:1", width=64, height=64), Aspect(name="4:5", width=64, height=80)),
        sampler="euler",
        samplers=("euler",),
    ),
    templates=(PRODUCT, POSTER),
    channels=(
        Channel(name="#social", audience="public", platform="slack", id="C0SOCIAL"),
        Channel(name="#drafts", audience="working", platform="slack", id="C0DRAFTS"),
    ),
)
BOLT = BrandKit(
    id="bolt",
    name="Bolt",
    version="1",
    owner="@bolt",
    accent="#333333",
    generation=GenerationDefaults(
        model="demo", aspects=(Aspect(name="3:2", width=96, height=64),), samplers=("euler",)
    ),
    templates=(replace(PRODUCT, text="[COLOR] [THING], [PLACE]"),),
    ways=WayPolicy(),
)


class FormStore:
    """A store that can be out of reach."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """As the store itself. Raises Unavailable."""
        return self._there().read()

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """As the store itself. Raises Unavailable."""
        return self._there().write()

    def _there(self) -> Store:
        if self.away:
            raise Unavailable("The database doesn't answer.")
        return self._store


@dataclass
class FormDesk:
    """What people do with forms, and what the app's forms make of it."""

    slack: FakeSlack
    town: Town
    webs: SlackWebs
    forms: Forms
    bringing: Bringing
    store: FormStore
    clock: SystemClock
    """Slack's own, while the house's is driven."""

    def away(self, away: bool = True) -> None:
        """The forms can't reach the database."""
        self.store.away = away

    @property
    def mia(self) -> Person:
        """Who asks for pictures."""
        return self.slack.person("U0MIA")

    def heard(self, body: dict[str, Any], user: str = "U0MIA") -> Heard:
        """A payload as the app understands it."""
        heard = heard_of(body, {"team_id": TEAM, "user_id": user})
        assert heard is not None
        return heard

    def typed(self, who: Person, channel: str = "C0DRAFTS") -> Heard:
        """`/imagine` without words."""
        world = self.slack.world
        return self.heard(payloads.command(world, TEAM, who.id, "/imagine", "", channel), who.id)

    async def another(self) -> Forms:
        """The forms of another process on the same house."""
        forms = Forms(self.town.house, self.webs)
        await forms.refresh()
        return forms

    async def open(self, who: Person | None = None, channel: str = "C0DRAFTS") -> View:
        """The form that `/imagine` opens."""
        who = who or self.mia
        await self.live(self.typed(who, channel))
        assert who.modal is not None
        return who.modal

    async def live(self, heard: Heard) -> None:
        """Have the forms work this off."""
        assert heard.kind in LIVE
        await self.forms.live(heard)

    def fill(self, view: View, **values: Any) -> None:
        """Type into the blocks of these keys; `var_NAME` is the input of a variable."""
        for key, value in values.items():
            block = block_of(view, key.replace("var_", "var:"))
            element = elements_of(block)[0]
            typed = answers.typed(self.slack.world, element, value)
            view.values.setdefault(block["block_id"], {})[element["action_id"]] = typed

    def chosen(self, view: View, key: str, value: str) -> Heard:
        """Choose a brand or template: what the app hears of it."""
        self.fill(view, **{key: value})
        block = block_of(view, key)
        element = elements_of(block)[0]
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "action_ts": self.slack.world.new_ts(),
            "selected_option": {"text": {"type": "plain_text", "text": value}, "value": value},
        }
        return self.heard(payloads.action_in_view(self.slack.world, view, action), view.user)

    async def choose(self, view: View, key: str, value: str) -> None:
        """Choose one, and let the form change."""
        await self.live(self.chosen(view, key, value))

    def suggested(self, view: View, action: str, typed: str = "") -> list[str]:
        """The values of the options that a picker offers."""
        block = next(b for b in view.blocks() if elements_of(b)[0].get("action_id") == action)
        told = payloads.suggestion(self.slack.world, view, block["block_id"], action, typed)
        offered = self.forms.options(action, told["value"], told["view"])
        return [option["value"] for option in offered["options"]]

    def errors(self, view: View) -> dict[str, str]:
        """What is wrong with it, by key, if it were sent off now."""
        told = self.forms.errors(payloads.submission(self.slack.world, view)["view"])
        assert set(told) <= {block["block_id"] for block in view.blocks()}
        return {block.partition("~")[0]: words for block, words in told.items()}

    def sent(self, view: View) -> Heard:
        """The form sent off, as the app understands it."""
        return self.heard(payloads.submission(self.slack.world, view), view.user)

    def pressed(self, message: Message, action: str, asks: str) -> Heard:
        """A button that opens a form."""
        told = {"type": "button", "action_id": f"do:{action}", "block_id": "b", "value": asks}
        return self.heard(
            payloads.action_in_message(self.slack.world, "U0MIA", message, told), "U0MIA"
        )

    async def outgoing(self) -> Outgoing | None:
        """The next message in the outbox, claimed."""
        async with self.town.house.store.write() as tx:
            now = self.town.house.clock.now()
            return await tx.outbox.claim("test", now=now, lease=self.town.house.lease)


def block_of(view: View, key: str) -> dict[str, Any]:
    """The block of this key."""
    keys = [block.get("block_id", "").partition("~")[0] for block in view.blocks()]
    assert key in keys, f"no {key} among {keys}"
    return dict(view.blocks()[keys.index(key)])


def value_of(view: View, key: str) -> str:
    """What the block of this key holds."""
    (state,) = view.values[block_of(view, key)["block_id"]].values()
    option = state.get("selected_option")
    return str((option["value"] if option else state.get("value")) or "")


def keys_of(view: View) -> list[str]:
    """The keys of a form's inputs, in their order."""
    inputs = (block for block in view.blocks() if block["type"] == "input")
    return [str(block["block_id"]).partition("~")[0] for block in inputs]


def words_in(view: View) -> str:
    """All that a form says outside its inputs."""
    parts = [e for b in view.blocks() if b["type"] == "context" for e in b["elements"]]
    parts += [b["text"] for b in view.blocks() if b["type"] == "section"]
    return "\n".join(part["text"] for part in parts)


@asynccontextmanager
async def form_desk(*kits: BrandKit, **how: Any) -> AsyncIterator[FormDesk]:
    """Mia, Ana, Ben and Ida in a Slack with the app; `how` is the fake's."""
    async with FakeSlack(**how) as slack:
        town = await make_town(ACME)
        async with town.house.store.write() as tx:
            for kit in kits:
                await tx.kits.put(kit, source="", at=START)
            for name, person in list(town.people.items()):
                account = Identity(platform="slack", user=f"U0{name.upper()}", team=TEAM)
                town.people[name] = await tx.people.update(
                    replace(person, identities=(*person.identities, account)), was=person
                )
        options = SlackOptions(
            mode=Mode.SOCKET,
            base_url="http://127.0.0.1",
            api_base_url=slack.api_url,
            bot_token=slack.bot_token,
        )
        house, clock = town.house, SystemClock()
        async with SlackWebs(options, store=house.store, clock=clock) as webs:
            store = FormStore(house.store)
            forms = Forms(replace(house, store=cast("Store", store)), webs)
            await forms.refresh()
            yield FormDesk(slack, town, webs, forms, Bringing(house, webs), store, clock)
        assert slack.violations == []
