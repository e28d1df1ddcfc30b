"""DiscordRest: the Rest port, and what sending needs beside it, on one login of discord.py.

What Discord gives the same answer to each time is remembered; an interaction's token that has ended
is not used again.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

from discord.http import Route
from yarl import URL

from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.outgoing.attaching import Attached, sending
from bot.chat.discord_chat.outgoing.calling import Calls
from bot.chat.discord_chat.outgoing.client import Upload
from bot.chat.discord_chat.outgoing.downloading import fetch
from bot.chat.discord_chat.outgoing.failing import (
    UNKNOWN_CHANNEL,
    UNKNOWN_EMOJI,
    UNKNOWN_MEMBER,
    UNKNOWN_MESSAGE,
    UNKNOWN_USER,
    UNKNOWN_WEBHOOK,
    in_doubt,
    refusal,
)
from bot.chat.discord_chat.rest import ChannelFacts, DiscordRefused, Myself
from bot.core.errors import ChatError
from bot.core.payloads import Body, part_of, parts_in
from bot.core.watching import Watch

log = logging.getLogger(__name__)

T = TypeVar("T")
FACTS_S = 300.0
"""So long what is known of a channel counts."""
KEPT = 10_000
"""Direct conversations, channels and ended tokens remembered, each."""
PAGE = 100
MOST_REACTORS = 2000
NORMAL: Final = 0
SUPER: Final = 1
"""Types of a reaction: Discord tells who has put one kind there, asked for each alone
(docs.discord.com, get reactions)."""
THREADS = (10, 11, 12)
"""Types of channels that belong to another one (docs.discord.com, channel types)."""
LINK_S = 3.0
"""So long a message that stands already waits for its address."""
LINKS = "https://discord.com/channels"


class DiscordRest:
    """The Rest port. A context manager."""

    def __init__(self, options: DiscordOptions, *, watch: Watch) -> None:
        self._api = URL(options.api_base_url)
        self._calls = Calls(options, watch=watch, named=self._named)
        self._myself: Myself | None = None
        self._direct: OrderedDict[str, str] = OrderedDict()
        self._facts: OrderedDict[str, tuple[float, ChannelFacts]] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()
        self._deleted: OrderedDict[str, None] = OrderedDict()
        self._attached = Attached()

    async def __aenter__(self) -> Self:
        """Ready; nobody has been asked yet."""
        await self._calls.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave what goes on beside, and close the connections."""
        await self._calls.close()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it while there is time: it may fail and is left at the end."""
        self._calls.beside(work)

    # ------------------------------------------------------------------ the port

    async def myself(self) -> Myself:
        """See the port."""
        if self._myself is None:
            about = await self._calls.object("myself", lambda client: client.application_info())
            self._myself = Myself(
                app=_id_of(about, posts=False),
                user=str(self._calls.user["id"]),
                name=str(self._calls.user.get("username", "")),
            )
        return self._myself

    async def emoji_on(self, room: str, message: str) -> Sequence[str]:
        """See the port."""
        where = _known(room), _known(message, UNKNOWN_MESSAGE)
        said = await self._calls.object(
            "message", lambda client: client.get_message(*where), place=room
        )
        given = parts_in(said, "reactions")
        stands = [one for one in given if one.get("count", 0) > bool(one.get("me"))]
        return [_emoji(part_of(one, "emoji")) for one in stands]

    async def reactors(self, room: str, message: str, emoji: str) -> Sequence[str]:
        """See the port."""
        found: dict[str, None] = {}
        for kind in (NORMAL, SUPER):
            after = "0"
            while len(found) < MOST_REACTORS:
                page = await self._reactions(room, message, emoji, kind, PAGE, after)
                found |= {str(user["id"]): None for user in page if not user.get("bot")}
                if len(page) < PAGE:
                    break
                after = str(page[-1]["id"])
        return list(found)

    async def has_reacted(self, room: str, message: str, emoji: str, user: str) -> bool:
        """See the port: who comes next after the id before."""
        before = str(int(_known(user, UNKNOWN_USER)) - 1)
        for kind in (NORMAL, SUPER):
            page = await self._reactions(room, message, emoji, kind, 1, before)
            if any(str(one["id"]) == user for one in page):
                return True
        return False

    async def member_roles(self, guild: str, user: str) -> tuple[str, ...]:
        """See the port."""
        try:
            member = await self._calls.object(
                "member", lambda client: client.get_member(_known(guild), _known(user))
            )
        except DiscordRefused as exc:
            if exc.error not in (UNKNOWN_MEMBER, UNKNOWN_USER):
                raise
            return ()
        return tuple(str(role) for role in member.get("roles") or ())

    async def channel(self, room: str) -> ChannelFacts:
        """See the port. What was asked a little while ago still counts."""
        at, facts = self._facts.get(room, (0.0, None))
        if facts is None or asyncio.get_running_loop().time() - at > FACTS_S:
            about = await self._calls.object(
                "channel", lambda client: client.get_channel(_known(room)), place=room
            )
            facts = ChannelFacts(
                id=room,
                name=str(about.get("name") or ""),
                guild=str(about.get("guild_id") or ""),
                parent=str(about.get("parent_id") or "") if about.get("type") in THREADS else "",
            )
            self._learn(facts)
        return facts

    async def direct(self, user: str) -> str:
        """See the port."""
        known = self._direct.get(user)
        if known is None:
            asked = _known(user, UNKNOWN_USER)
            line = await self._calls.object(
                "direct", lambda client: client.start_private_message(asked)
            )
            known = _id_of(line, posts=False)
            _keep(self._direct, user, known)
            self._learn(ChannelFacts(id=known, name="", guild="", parent=""))
        return known

    async def delete(self, room: str, message: str) -> None:
        """See the port."""
        _keep(self._deleted, message, None)  # before: a change may be on its way
        await self.remove(room, message)

    async def remove(self, room: str, message: str) -> None:
        """The same of a message that may be put up anew."""
        try:
            await self._calls.call(
                "delete",
                lambda client: client.delete_message(_known(room), _known(message)),
                place=room,
            )
        except DiscordRefused as exc:
            if exc.error not in (UNKNOWN_MESSAGE, UNKNOWN_CHANNEL):
                raise

    def has_deleted(self, message: str) -> bool:
        """Whether this process took the message out lately: a change that was on its way then
        has nothing to change any more."""
        return message in self._deleted

    async def commands(self) -> Sequence[dict[str, Any]]:
        """See the port."""
        app = (await self.myself()).app
        return await self._calls.list_of("commands", lambda client: client.get_global_commands(app))

    async def register(self, commands: Sequence[dict[str, Any]]) -> None:
        """See the port."""
        app = (await self.myself()).app
        listed = list(commands)
        await self._calls.call(
            "register", lambda client: client.bulk_upsert_global_commands(app, listed)
        )

    async def download(self, url: str, *, limit: int) -> bytes:
        """See the port."""
        return await fetch(self._calls.session, url, api=self._api, limit=limit)

    # ------------------------------------------------------------------ sending

    async def create(self, room: str, body: dict[str, Any], files: Sequence[Upload] = ()) -> str:
        """A new message; its id. The body has the nonce by which Discord knows it again. Raises
        besides ChatAmbiguous."""
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=_known(room))
        answer = await self._calls.call(
            "create", sending(route, body, files), place=room, posts=True
        )
        self._attached.learn(answer)
        return _id_of(answer, posts=True)

    async def change(
        self, room: str, message: str, body: dict[str, Any], files: Sequence[Upload] = ()
    ) -> None:
        """A message of ours in its new state. Files that stand on it already are not sent again."""
        route = Route(
            "PATCH",
            "/channels/{channel_id}/messages/{message_id}",
            channel_id=_known(room),
            message_id=_known(message, UNKNOWN_MESSAGE),
        )
        if there := self._attached.among(message, files):
            try:
                answer = await self._calls.call(
                    "change", sending(route, body, files, there), place=room
                )
            except DiscordRefused as exc:
                if not self._attached.refused(message, exc):
                    raise
            else:
                self._attached.learn(answer)
                if self._attached.has_all(answer, files):
                    return
        answer = await self._calls.call("change", sending(route, body, files), place=room)
        self._attached.learn(answer)

    async def answer(self, token: str, body: dict[str, Any], files: Sequence[Upload] = ()) -> str:
        """The answer to an interaction, which only its person sees; its message's id. Doing it
        again changes it. Once Discord said that the token has ended, it isn't asked again."""
        if token in self._over:
            raise refusal(UNKNOWN_WEBHOOK, 404)
        app = (await self.myself()).app
        route = Route(
            "PATCH",
            "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
            webhook_id=app,
            webhook_token=token,
        )
        answered = await self._calls.call("answer", sending(route, body, files))
        return _id_of(answered, posts=False)

    def forget(self, token: str) -> None:
        """Nothing more is asked with this interaction's token."""
        _keep(self._over, token, None)

    async def history(
        self, room: str, *, before: str = "", limit: int = PAGE
    ) -> Sequence[dict[str, Any]]:
        """Messages of a channel, the newest first."""
        asked = _known(room)
        earlier = before or None
        return await self._calls.list_of(
            "history", lambda client: client.logs_from(asked, limit, before=earlier), place=room
        )

    async def react(self, room: str, message: str, emoji: str) -> None:
        """Put an emoji of ours on a message."""
        where = _known(room), _known(message)
        await self._calls.call(
            "react", lambda client: client.add_reaction(*where, emoji), place=room
        )

    async def link(self, room: str, message: str) -> str:
        """The address that people open; empty where it can't be known now."""
        try:
            async with asyncio.timeout(LINK_S):
                guild = (await self.channel(room)).guild
        except (ChatError, TimeoutError) as exc:
            log.info("A message is noted without its address: %s", exc)
            return ""
        return f"{LINKS}/{guild or '@me'}/{room}/{message}"

    # ------------------------------------------------------------------ calls

    def _named(self, room: str) -> str:
        """What people call it, where it was seen before; else its id."""
        _, facts = self._facts.get(room, (0.0, None))
        return f"#{facts.name}" if facts is not None and facts.name else room

    def _learn(self, facts: ChannelFacts) -> None:
        _keep(self._facts, facts.id, (asyncio.get_running_loop().time(), facts))

    async def _reactions(
        self, room: str, message: str, emoji: str, kind: Literal[0, 1], limit: int, after: str
    ) -> Sequence[dict[str, Any]]:
        where = _known(room), _known(message, UNKNOWN_MESSAGE)
        try:
            return await self._calls.list_of(
                "reactions",
                lambda client: client.get_reaction_users(*where, emoji, limit, after, kind),
                place=room,
            )
        except DiscordRefused as exc:
            if exc.error != UNKNOWN_EMOJI:
                raise
            return ()


def _id_of(answer: object, *, posts: bool) -> str:
    found = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(found, str) or not found:
        raise in_doubt("Discord's answer has no id.", posts=posts)
    return found


def _known(snowflake: str, code: int = UNKNOWN_CHANNEL) -> str:
    """The id, if it can be one; else what Discord would say. Raises DiscordRefused."""
    if not (snowflake.isascii() and snowflake.isdecimal() and len(snowflake) <= 20):
        raise refusal(code, 404, place=snowflake)
    return snowflake


def _emoji(emoji: Body) -> str:
    """As it stands in an address: `✅`, or `name:id` of a guild's own."""
    name, number = emoji.get("name") or "_", emoji.get("id")
    return f"{name}:{number}" if number else str(name)


def _keep(known: OrderedDict[str, T], key: str, value: T) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > KEPT:
        known.popitem(last=False)
