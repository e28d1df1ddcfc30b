"""A town whose people are in Slack, and what becomes of what they do, without Slack itself."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.modals.forms import Forms
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.outgoing.bringing import Bringing
from bot.chat.slack_chat.understanding.stripping import STRIP_WITHIN_S
from bot.chat.slack_chat.understanding.understanding import Understanding
from bot.core.commands import Command
from bot.core.messages import Actor, Card, ChannelRef, MessageRef
from bot.core.people import Identity
from bot.core.ports import Door, Outgoing
from brand.kit import BrandKit, Channel
from tests.fakes.chat import FakeChat
from tests.fakes.town import KIT, START, Town, make_town

if TYPE_CHECKING:
    from bot.core.errors import ChatError

TEAM, DRAFTS, SOCIAL = "T1", "C0DRAFTS", "C0SOCIAL"
ACME = replace(
    KIT,
    channels=(
        Channel(name="#social", audience="public", platform="slack", id=SOCIAL),
        Channel(name="#drafts", audience="working", platform="slack", id=DRAFTS),
    ),
)


class NotedWeb:
    """One workspace. `errors` are raised one a call, `hangs` makes a call wait for ever."""

    def __init__(self, team: str = TEAM) -> None:
        self.team, self.bot_user, self.url = team, "U0BOT", ""
        self.calls: list[tuple[Method, dict[str, Any]]] = []
        self.errors: list[ChatError] = []
        self.hangs = False
        self.answers: dict[Method, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}

    async def call(
        self, method: Method, *, place: str = "", key: str = "", **arguments: Any
    ) -> dict[str, Any]:
        """Note it."""
        self.calls.append((method, arguments))
        if self.hangs:
            await asyncio.Event().wait()
        if self.errors:
            raise self.errors.pop(0)
        return self.answers.get(method, {"ok": True})

    async def upload(self, data: bytes, *, name: str, title: str, alt: str) -> str:
        """No file is sent from here."""
        raise NotImplementedError

    async def post_file(
        self, data: bytes, *, name: str, alt: str, channel: str, thread: str, text: str, key: str
    ) -> str:
        """No file is sent from here."""
        raise NotImplementedError

    async def download(self, url: str, *, limit: int) -> bytes:
        """A file by its address."""
        return self.files[url]


class NotedWebs:
    """All workspaces: one."""

    def __init__(self) -> None:
        self.only = NotedWeb()

    async def web(self, team: str) -> NotedWeb:
        """The one there is."""
        return self.only

    async def teams(self) -> Sequence[str]:
        """Its key."""
        return (self.only.team,)


class SentChat(FakeChat):
    """Slack's outgoing side; direct lines stand in D… channels."""

    def __init__(self) -> None:
        super().__init__("slack")
        self.sent: list[Outgoing] = []

    async def send(self, message: Outgoing) -> MessageRef:
        """Keep the message with its place and reader."""
        self.sent.append(message)
        return await super().send(message)

    def _ref(self, ref: str) -> MessageRef:
        place = self.places[ref]
        channel = f"D{place[2:]}" if place.startswith("@") else place
        return MessageRef(platform="slack", channel=channel, message=ref, team=TEAM)


@dataclass
class Doorman:
    """The door; another one may be put in."""

    door: Door

    async def dispatch(self, command: Command, actor: Actor) -> Card:
        """As the door that there is now."""
        return await self.door.dispatch(command, actor)


@dataclass
class SlackDesk:
    """What people do in Slack, and what comes of it."""

    town: Town
    webs: NotedWebs
    chat: SentChat
    doorman: Doorman
    forms: Forms
    understanding: Understanding
    told: list[Heard] = field(default_factory=list)
    """What Home, and who looks after removed apps, heard."""
    _keys: int = 0

    def heard(self, kind: Kind, who: str = "mia", channel: str = DRAFTS, **more: Any) -> Heard:
        """Something that a person did."""
        self._keys += 1
        given = {"key": f"{TEAM}:trigger:{self._keys}", "team": TEAM, "user": f"U0{who.upper()}"}
        return Heard(kind=kind, channel=channel, name=who, **(given | more))

    async def do(self, kind: Kind, who: str = "mia", channel: str = DRAFTS, **more: Any) -> Heard:
        """It, worked off with all that follows from it."""
        heard = self.heard(kind, who, channel, **more)
        await self.work(heard)
        return heard

    async def work(self, heard: Heard) -> None:
        """Work it off, and all that follows from it."""
        await self.understanding.work(heard)
        await self.town.settle()

    async def type(self, text: str, who: str = "mia", channel: str = DRAFTS) -> Heard:
        """`/imagine TEXT`."""
        return await self.do(Kind.COMMAND, who, channel, text=text, command="/imagine")

    async def press(self, label: str, who: str = "mia", *, on: str, **more: Any) -> Heard:
        """Press the first button of this name on a message."""
        heard = self.pressed(label, who, on=on, **more)
        await self.work(heard)
        return heard

    def pressed(self, label: str, who: str = "mia", *, on: str, **more: Any) -> Heard:
        """A press of the first button of this name on a message."""
        card = self.chat.cards[on]
        buttons = [*card.buttons, *(b for ref in card.pictures for b in ref.buttons)]
        shown = [
            {"type": "section", "text": {"type": "mrkdwn", "text": card.title}},
            {"type": "actions", "elements": []},
        ]
        given = {
            "channel": self.chat._ref(on).channel,
            "message": on,
            "action": next(button.action for button in buttons if button.label == label),
            "blocks": json.dumps(shown),
        }
        return self.heard(Kind.ACTION, who, **(given | more))

    def message(self, kind: str, channel: str = DRAFTS) -> str:
        """The only card of this kind in a channel."""
        cards = self.chat.cards.items()
        [found] = [m for m, c in cards if c.kind == kind and self.chat.places[m] == channel]
        return found

    def answers(self, who: str = "mia") -> list[Card]:
        """What was said to one person alone, oldest first."""
        user = f"U0{who.upper()}"
        mine = [m for m in self.chat.sent if m.only_for == user or m.target.channel == f"@{user}"]
        return [message.card for message in mine if message.card.private]

    def targets(self) -> list[ChannelRef]:
        """Where messages went, oldest first."""
        return [message.target for message in self.chat.sent]


async def make_desk(
    *kits: BrandKit, strip_within_s: float = STRIP_WITHIN_S, **options: Any
) -> SlackDesk:
    """Mia asks, Ana and Ben approve, Ida is an admin: all of them in Slack. `kits` are beside
    Acme's."""
    town, webs, chat = await make_town(ACME), NotedWebs(), SentChat()
    house = town.house
    house.chats["slack"] = chat
    async with house.store.write() as tx:
        for kit in kits:
            await tx.kits.put(kit, source="", at=START)
        for name, person in list(town.people.items()):
            account = Identity(platform="slack", user=f"U0{name.upper()}", team=TEAM)
            mine = replace(person, identities=(account,))
            town.people[name] = await tx.people.update(mine, was=person)
    forms = Forms(house, webs)
    told: list[Heard] = []

    async def hear(heard: Heard) -> None:
        told.append(heard)

    assert house.door is not None
    doorman = Doorman(house.door)
    understanding = Understanding(
        house,
        doorman,
        webs=webs,
        options=SlackOptions(mode=Mode.SOCKET, base_url="http://127.0.0.1", **options),
        forms=forms,
        bringing=Bringing(house, webs),
        home=hear,
        left=hear,
        strip_within_s=strip_within_s,
    )
    await forms.refresh()
    return SlackDesk(town, webs, chat, doorman, forms, understanding, told)
