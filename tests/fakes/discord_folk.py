"""A town whose people are in Discord, and what becomes of what they do, without Discord itself."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.chat.discord_chat.forms.bringing import Bringing
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.rest import ChannelFacts, DiscordRefused, Myself
from bot.chat.discord_chat.understanding.understanding import Understanding
from bot.core.commands import Command
from bot.core.messages import Actor, Card, ChannelRef, MessageRef
from bot.core.people import Identity
from bot.core.ports import Door, Outgoing
from bot.core.sending import Sender
from brand.kit import BrandKit, Channel
from tests.fakes.chat import FakeChat
from tests.fakes.town import KIT, START, Town, make_town

if TYPE_CHECKING:
    from bot.core.errors import ChatError

GUILD, DRAFTS, SOCIAL, THREAD = "500", "501", "502", "503"
ACCOUNTS = {"mia": "101", "ana": "102", "ben": "103", "ida": "104", "eve": "199"}
ACME = replace(
    KIT,
    channels=(
        Channel(name="#social", audience="public", platform=PLATFORM, id=SOCIAL),
        Channel(name="#drafts", audience="working", platform=PLATFORM, id=DRAFTS),
    ),
)
TWO_VOTES = replace(ACME, review=replace(ACME.review, quorum=2))


@dataclass
class NotedRest:
    """Discord's memory of reactions and files. `errors` are raised one a call."""

    standing: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    """(room, message, emoji) -> users."""
    files: dict[str, bytes] = field(default_factory=dict)
    deleted: list[tuple[str, str]] = field(default_factory=list)
    errors: list["ChatError"] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens, once, just after somebody has looked which emoji there are."""

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.errors:
            raise self.errors.pop(0)

    async def myself(self) -> Myself:
        """The app."""
        return Myself(app="1", user="2", name="Housestyle")

    async def emoji_on(self, room: str, message: str) -> Sequence[str]:
        """What stands there."""
        self._called("emoji_on")
        here = self.standing.items()
        found = [e for (r, m, e), users in here if (r, m) == (room, message) and users]
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            await happens()
        return found

    async def reactors(self, room: str, message: str, emoji: str) -> Sequence[str]:
        """Whose."""
        self._called("reactors")
        return list(self.standing.get((room, message, emoji), ()))

    async def has_reacted(self, room: str, message: str, emoji: str, user: str) -> bool:
        """Whether theirs stands."""
        self._called("has_reacted")
        return user in self.standing.get((room, message, emoji), ())

    async def member_roles(self, guild: str, user: str) -> tuple[str, ...]:
        """Everybody's."""
        self._called("member_roles")
        return ("7",)

    async def channel(self, room: str) -> ChannelFacts:
        """A channel of the guild, the thread, or a direct conversation."""
        self._called("channel")
        guild = "" if room.startswith("9") else GUILD
        parent = DRAFTS if room == THREAD else ""
        return ChannelFacts(id=room, name="drafts", guild=guild, parent=parent)

    async def direct(self, user: str) -> str:
        """The conversation of two."""
        return f"9{user}"

    async def delete(self, room: str, message: str) -> None:
        """Note it."""
        self._called("delete")
        self.deleted.append((room, message))

    async def commands(self) -> Sequence[dict[str, Any]]:
        """No command is registered from here."""
        raise NotImplementedError

    async def register(self, commands: Sequence[dict[str, Any]]) -> None:
        """No command is registered from here."""
        raise NotImplementedError

    async def download(self, url: str, *, limit: int) -> bytes:
        """A file by its address."""
        return self.files[url]


class SentChat(FakeChat):
    """Discord's outgoing side; direct lines stand in channels 9…."""

    def __init__(self) -> None:
        super().__init__(PLATFORM)
        self.sent: list[Outgoing] = []
        self._threads: dict[str, str] = {}

    async def send(self, message: Outgoing) -> MessageRef:
        """Keep the message with its place and reader; what is for one person alone and answers
        nothing goes to their direct messages."""
        if message.only_for and not message.reply_to:
            line = ChannelRef(platform=PLATFORM, channel=f"@{message.only_for}")
            message = replace(message, target=line)
        self.sent.append(message)
        ref = (await super().send(message)).message
        if message.target.thread:
            self._threads[ref] = message.target.thread
        return self._ref(ref)

    @property
    def next_id(self) -> str:
        """Of the message that is sent next."""
        return _snowflake(self._number + 1)

    def _kept(self, outgoing_id: str, kind: str) -> str:
        copies = self.by_outgoing.get(outgoing_id)
        if self.once and copies:
            return copies[0]
        self._number += 1
        return _snowflake(self._number)

    def room(self, ref: str) -> str:
        """The channel or thread in which a message stands."""
        return self._ref(ref).channel

    def _ref(self, ref: str) -> MessageRef:
        place = self.places[ref]
        room = f"9{place[1:]}" if place.startswith("@") else self._threads.get(ref, place)
        return MessageRef(platform=PLATFORM, channel=room, message=ref)


def _snowflake(number: int) -> str:
    """An id of a message that was sent when the town began."""
    return str(((int(START.timestamp() * 1000) - 1_420_070_400_000) << 22) + number)


@dataclass
class Doorman:
    """The door, which notes what it is told. `errors` are raised instead, one a call."""

    door: Door
    told: list[tuple[Command, Actor]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def dispatch(self, command: Command, actor: Actor) -> Card:
        """As the door."""
        self.told.append((command, actor))
        if self.errors:
            raise self.errors.pop(0)
        return await self.door.dispatch(command, actor)


@dataclass
class DiscordFolk:
    """What people do in Discord, and what comes of it."""

    town: Town
    rest: NotedRest
    chat: SentChat
    doorman: Doorman
    understanding: Understanding
    _keys: int = 0

    def heard(self, did: Did, who: str = "mia", channel: str = DRAFTS, **more: Any) -> Heard:
        """Something that a person did."""
        self._keys += 1
        direct = channel.startswith("9")
        given: dict[str, Any] = {
            "key": f"interaction:{self._keys}",
            "user": ACCOUNTS[who],
            "name": who,
            "guild": "" if direct else GUILD,
            "is_direct": direct,
            "channel": channel,
            "token": f"token{self._keys}",
            "acked": True,
        }
        return Heard(did=did, **(given | more))

    async def work(self, heard: Heard) -> Heard:
        """Work it off, and all that follows from it."""
        await self.understanding.work(heard)
        await self.town.settle()
        return heard

    async def send_all(self) -> None:
        """What waits is sent; nothing is rendered."""
        sender = Sender(self.town.house, "s1")
        while await sender.run_one():
            pass

    async def type(
        self, command: str, who: str = "mia", channel: str = DRAFTS, **options: str
    ) -> Heard:
        """A slash command."""
        given = tuple(options.items())
        heard = self.heard(Did.COMMAND, who, channel, command=command, options=given)
        return await self.work(heard)

    async def press(self, label: str, who: str = "mia", *, on: str, **more: Any) -> Heard:
        """Press the first button of this name on a message."""
        return await self.work(self.pressed(label, who, on=on, **more))

    def pressed(self, label: str, who: str = "mia", *, on: str, **more: Any) -> Heard:
        """A press of the first button of this name on a message."""
        card = self.chat.cards[on]
        buttons = [*card.buttons, *(b for ref in card.pictures for b in ref.buttons)]
        action = next(button.action for button in buttons if button.label == label)
        given = {"message": on, "action": action, "of_us": True} | more
        return self._on(on, Did.ACTION, who, given)

    async def choose(self, command: str, who: str = "mia", *, on: str, **more: Any) -> Heard:
        """Choose a command in the menu of a message of ours."""
        given = {"command": command, "message": on, "of_us": True} | more
        return await self.work(self._on(on, Did.MENU, who, given))

    def _on(self, message: str, did: Did, who: str, given: dict[str, Any]) -> Heard:
        """An interaction tells the channel that a thread belongs to."""
        room = self.chat.room(message)
        if room == THREAD:
            return self.heard(did, who, DRAFTS, thread=THREAD, **given)
        return self.heard(did, who, room, **given)

    def emoji(self, emoji: str, who: str, on: str, *, added: bool = True, **more: Any) -> Heard:
        """What Discord tells of an emoji that somebody puts on a message, or takes away; it stands
        there then, or no more. Of a thread it tells its own id alone."""
        room = self.chat.room(on)
        users = self.rest.standing.setdefault((room, on, emoji), [])
        if added:
            users.append(ACCOUNTS[who])
        elif ACCOUNTS[who] in users:
            users.remove(ACCOUNTS[who])
        did = Did.REACTED if added else Did.UNREACTED
        given = {"message": on, "emoji": emoji, "of_us": True, "token": "", "acked": False} | more
        return self.heard(did, who, room, **given)

    async def react(self, emoji: str, who: str, on: str, *, added: bool = True) -> Heard:
        """It, worked off."""
        return await self.work(self.emoji(emoji, who, on, added=added))

    async def resync(self) -> None:
        """What follows from a lost connection."""
        self._keys += 1
        await self.work(Heard(did=Did.RESYNC, key=f"resync:{self._keys}"))

    async def in_review(self, who: str = "mia") -> str:
        """The message with the review of a picture that they asked for."""
        await self.type("imagine", who, prompt="a red mug on a table")
        await self.press("Send to approval for #social", who, on=self.message("job"))
        self.chat.sent.clear()
        self.doorman.told.clear()
        return self.message("review")

    def message(self, kind: str, channel: str = DRAFTS) -> str:
        """The only card of this kind in a channel that is about something."""
        cards = self.chat.cards.items()
        here = [(m, c) for m, c in cards if self.chat.places[m] == channel and c.subject]
        [found] = [m for m, c in here if c.kind == kind]
        return found

    def answers(self, who: str = "mia") -> list[Outgoing]:
        """What an interaction of this person was answered with, oldest first."""
        mine = [one for one in self.chat.sent if one.only_for == ACCOUNTS[who]]
        return [one for one in mine if one.reply_to]

    def told(self, who: str = "mia") -> list[Card]:
        """What was said to the person alone, in their direct messages, that is no card of a job or
        review."""
        line = f"@{ACCOUNTS[who]}"
        mine = [one for one in self.chat.sent if one.target.channel == line and not one.reply_to]
        return [one.card for one in mine if not one.card.subject]

    def targets(self) -> list[ChannelRef]:
        """Where messages went, oldest first."""
        return [message.target for message in self.chat.sent]


async def make_folk(kit: BrandKit = ACME, *kits: BrandKit, **options: Any) -> DiscordFolk:
    """Mia asks, Ana and Ben approve, Ida is an admin: all of them in Discord, as is Eve, whom
    nobody knows. `kits` are beside the first."""
    town, rest, chat = await make_town(kit), NotedRest(), SentChat()
    house = town.house
    house.chats[PLATFORM] = chat
    async with house.store.write() as tx:
        for other in kits:
            await tx.kits.put(other, source="", at=START)
        for name, person in list(town.people.items()):
            account = Identity(platform=PLATFORM, user=ACCOUNTS[name])
            mine = replace(person, identities=(account,))
            town.people[name] = await tx.people.update(mine, was=person)
    assert house.door is not None
    doorman = Doorman(house.door)
    understanding = Understanding(
        house,
        doorman,
        rest=rest,
        options=DiscordOptions(token="", base_url="http://127.0.0.1", **options),
        bringing=Bringing(house, rest),
    )
    return DiscordFolk(town, rest, chat, doorman, understanding)


def gone(error: int = 10008) -> DiscordRefused:
    """What Discord says of a message that is gone."""
    return DiscordRefused("The message is gone.", error=error, status=404)
