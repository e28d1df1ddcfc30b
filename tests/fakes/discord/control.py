"""`POST /_control`: drives a fake Discord that runs as a process of its own.

A body is `{"do": NAME, …arguments}`, the answer JSON:
    guild     name, permissions, file_limit          -> its id; @everyone has these permissions
    person    name, guild, roles                     -> a user's id, a member of the guild
    role      guild, name                            -> its id
    channel   guild, name                            -> its id
    thread    channel, name                          -> its id
    command   user, name, channel, options           -> a receipt
    click     user, channel, message, what           -> a receipt
    choose    user, channel, message, what, values   -> a receipt
    submit    user, values                           -> a receipt: the form that was opened last
    menu      user, name, channel, message           -> a receipt
    react     user, channel, message, emoji
    unreact   user, channel, message, emoji
    trouble   what, kind, and what `Troubles.add` takes
    gateway   how (drop, cut, reconnect, invalidate, forget), code
    messages  channel                                -> what stands there, oldest first
    everything                                       -> what stands anywhere
    private   user                                   -> what only they see
    nonces                                           forget them, as after some minutes
    facts                                            -> calls by route, violations, the gateway,
              the interactions whose answer is still waited for
A receipt is {ms, acked, type, token, choices, error}; the answer itself stands in `answer`, with
the token.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.discord.access import USUAL
from tests.fakes.discord.interactions import ClientRefused, Modal, Receipt
from tests.fakes.discord.state import MIB, Json, Message, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.fakes.discord.app import FakeDiscord


class Control:
    """What the endpoint can do, by name."""

    def __init__(self, discord: "FakeDiscord") -> None:
        self.discord = discord
        self.world = discord.world
        self.forms: dict[str, Modal | None] = {}
        """The form each person has open."""
        self.deeds: dict[str, Callable[..., Awaitable[Any]]] = {
            name.removeprefix("_do_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("_do_")
        }

    async def handle(self, request: web.Request) -> web.Response:
        """Do one thing; 400 with the reason where it can't be done."""
        asked = await request.json()
        deed = self.deeds.get(asked.pop("do", ""))
        if deed is None:
            return web.json_response({"error": f"do one of {sorted(self.deeds)}"}, status=400)
        try:
            return web.json_response(await deed(**asked))
        except (AssertionError, KeyError, TypeError, ValueError, Refused, ClientRefused) as exc:
            return web.json_response({"error": f"{type(exc).__name__}: {exc}"}, status=400)

    # ----------------------------------------------------------------------------- founding

    async def _do_guild(
        self, *, name: str, permissions: int = USUAL, file_limit: int = 10 * MIB
    ) -> str:
        owner = self.world.add_user(f"owner-of-{name}".lower())
        guild = self.world.add_guild(name, permissions=permissions, owner=owner.id)
        guild.file_limit = file_limit
        return guild.id

    async def _do_person(self, *, name: str, guild: str = "", roles: tuple[str, ...] = ()) -> str:
        user = self.world.add_user(name)
        if guild:
            self.world.join(guild, user.id, *roles)
        return user.id

    async def _do_role(self, *, guild: str, name: str) -> str:
        return self.world.add_role(guild, name).id

    async def _do_channel(self, *, guild: str, name: str) -> str:
        return self.world.add_channel(guild, name).id

    async def _do_thread(self, *, channel: str, name: str) -> str:
        return self.world.add_thread(channel, name).id

    # ------------------------------------------------------------------------------- people

    async def _do_command(
        self, *, user: str, name: str, channel: str = "", options: Json | None = None
    ) -> Json:
        person = self.discord.person(user)
        return self._receipt(user, await person.command(name, channel=channel, **(options or {})))

    async def _do_click(self, *, user: str, channel: str, message: str, what: str) -> Json:
        person = self.discord.person(user)
        return self._receipt(user, await person.click(self._message(channel, message), what))

    async def _do_choose(
        self, *, user: str, channel: str, message: str, what: str, values: list[str]
    ) -> Json:
        person, shown = self.discord.person(user), self._message(channel, message)
        return self._receipt(user, await person.choose(shown, what, *values))

    async def _do_submit(self, *, user: str, values: Json) -> Json:
        form = self.forms.pop(user, None)
        return self._receipt(user, await self.discord.person(user).submit(form, **values))

    async def _do_menu(self, *, user: str, name: str, channel: str, message: str) -> Json:
        person = self.discord.person(user)
        return self._receipt(user, await person.menu(name, self._message(channel, message)))

    async def _do_react(self, *, user: str, channel: str, message: str, emoji: str) -> None:
        self.discord.person(user).react(self._message(channel, message), emoji)

    async def _do_unreact(self, *, user: str, channel: str, message: str, emoji: str) -> None:
        self.discord.person(user).unreact(self._message(channel, message), emoji)

    # ---------------------------------------------------------------------------- mischief

    async def _do_trouble(self, *, what: str, kind: str, **more: Any) -> None:
        self.discord.troubles.add(what, kind, **more)

    async def _do_nonces(self) -> None:
        self.discord.forget_nonces()

    async def _do_gateway(self, *, how: str, code: int = 4000) -> None:
        gateway = self.discord.gateway
        if how == "forget":
            gateway.forget()
        elif how == "drop":
            await gateway.drop(code)
        elif how == "cut":
            await gateway.cut()
        elif how == "reconnect":
            await gateway.reconnect()
        elif how == "invalidate":
            await gateway.invalidate()
        else:
            raise ValueError(f"The gateway can't {how}.")

    # ------------------------------------------------------------------------------ looking

    async def _do_messages(self, *, channel: str) -> list[Json]:
        return [_shown(message) for message in self.discord.messages(channel)]

    async def _do_everything(self) -> list[Json]:
        return [_shown(message) for message in self.world.all_messages()]

    async def _do_private(self, *, user: str) -> list[Json]:
        return [_shown(message) for message in self.discord.person(user).ephemerals()]

    async def _do_answer(self, *, token: str) -> Json | None:
        found = self.world.interactions[token]
        message = self.world.message(found.channel, found.original) if found.original else None
        return _shown(message) if message else None

    async def _do_facts(self) -> Json:
        gateway = self.discord.gateway
        return {
            "count": dict(Counter(f"{call.method} {call.route}" for call in self.world.calls)),
            "refused": dict(Counter(str(c.code) for c in self.world.calls if c.status >= 400)),
            "violations": self.world.violations,
            "connected": len(gateway.connected()),
            "identifies": gateway.identifies,
            "resumes": gateway.resumes,
            "commands": [command["name"] for command in self.world.app.commands],
            "thinking": [
                found.id
                for found in self.world.interactions.values()
                if found.original and not found.changed.is_set()
            ],
        }

    def _message(self, channel: str, message: str) -> Message:
        return self.world.channels[channel].messages[message]

    def _receipt(self, user: str, receipt: Receipt) -> Json:
        found = receipt.interaction
        if receipt.modal is not None:
            self.forms[user] = receipt.modal
        return {
            "ms": receipt.ms,
            "acked": found.response is not None,
            "type": (found.response or {}).get("type", 0),
            "token": found.token,
            "choices": ((found.response or {}).get("data") or {}).get("choices", []),
        }


def _shown(message: Message) -> Json:
    return {
        "id": message.id,
        "channel": message.channel,
        "author": message.author,
        "text": message.text,
        "components": message.components,
        "flags": message.flags,
        "nonce": message.nonce,
        "files": list(message.attachments),
        "edits": len(message.versions),
        "reactions": {reaction.key: reaction.users for reaction in message.reactions},
        "at": message.at,
    }
