"""People in front of this Discord: what they type and press, and what the app answered."""

from typing import Any

from tests.fakes.discord import reactions, typing_in
from tests.fakes.discord.cdn import size_of
from tests.fakes.discord.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    SUBMISSION,
    ClientRefused,
    Modal,
    Receipt,
    deliver,
    seen_by,
)
from tests.fakes.discord.payloads import message_event, message_json
from tests.fakes.discord.state import (
    ACK_S,
    Attachment,
    Channel,
    Json,
    Message,
    World,
    walk,
)

BUTTON, SELECT, LINK = 2, 3, 5
SLASH, MESSAGE_MENU = 1, 3


class Person:
    """Someone in this Discord. Interactions return the Receipt of what the app answered."""

    def __init__(self, world: World, user: str) -> None:
        self.world = world
        self.id = user
        self.wait_s = ACK_S
        """How long they look at `thinking …` before the app counts as silent."""

    @property
    def dm(self) -> Channel:
        """Their conversation of two with the app."""
        return self.world.direct(self.id)

    def ephemerals(self) -> list[Message]:
        """What only they see, in any channel, oldest first."""
        found = [m for c in self.world.channels.values() for m in c.messages.values()]
        mine = [m for m in found if m.only_for == self.id and not m.deleted]
        return sorted(mine, key=lambda m: int(m.id))

    # ------------------------------------------------------------------------- interactions

    async def command(self, name: str, *, channel: str = "", **options: Any) -> Receipt:
        """A slash command; without a channel, in the conversation with the app. An option's value
        is a text, number, yes or no, or an Attachment."""
        where = channel or self.dm.id
        command = self._registered(name, SLASH, where)
        data = typing_in.command(self.world, command, options)
        return await self._did(COMMAND, data, where)

    async def type(
        self, command: str, option: str, text: str = "", *, channel: str = "", **options: Any
    ) -> Receipt:
        """Type into an option that suggests; `receipt.choices` are shown. `options` are those that
        were given before."""
        where = channel or self.dm.id
        found = self._registered(command, SLASH, where)
        data = typing_in.partly(self.world, found, options, option, text)
        return await self._did(AUTOCOMPLETE, data, where)

    async def menu(self, name: str, message: Message) -> Receipt:
        """A command of a message's menu."""
        self._sees(message)
        command = self._registered(name, MESSAGE_MENU, message.channel)
        resolved = {"messages": {message.id: message_json(self.world, message, hide=False)}}
        data = {
            "id": command["id"],
            "name": name,
            "type": MESSAGE_MENU,
            "target_id": message.id,
            "resolved": resolved,
        }
        return await self._did(COMMAND, data, message.channel)

    async def click(self, message: Message, what: str, *, stale: bool = False) -> Receipt:
        """Press a button by its label or custom id. `stale`: also one that an edit took away."""
        part = self._part(message, what, BUTTON, stale=stale)
        if part.get("style") == LINK:
            raise ClientRefused(f"{what} is a link")
        data = {"custom_id": part["custom_id"], "component_type": BUTTON, "id": part.get("id", 0)}
        return await self._did(COMPONENT, data, message.channel, message)

    async def choose(
        self, message: Message, what: str, *chosen: str, stale: bool = False
    ) -> Receipt:
        """Choose in a select, found by its placeholder or custom id, by the options' labels or
        values."""
        part = self._part(message, what, SELECT, stale=stale)
        values = typing_in.chosen(part, chosen)
        data = {
            "custom_id": part["custom_id"],
            "component_type": SELECT,
            "values": values,
            "id": part.get("id", 0),
        }
        return await self._did(COMPONENT, data, message.channel, message)

    async def submit(self, modal: Modal | None, **values: Any) -> Receipt:
        """Send a form off: custom id or label (in small letters) -> what is typed, or chosen."""
        if modal is None:
            raise ClientRefused("there is no form open")
        data = typing_in.submission(self.world, modal, values)
        message = self.world.message(modal.channel, modal.message) if modal.message else None
        return await self._did(SUBMISSION, data, modal.channel, message)

    # ---------------------------------------------------------------------------- messages

    def react(self, message: Message, emoji: str, *, is_super: bool = False) -> None:
        """Put an emoji on a message: `✅`, or `name:id`."""
        self._sees(message)
        reactions.react(self.world, message, emoji, self.id, is_super=is_super)

    def unreact(self, message: Message, emoji: str, *, is_super: bool = False) -> None:
        """Take one's emoji away again."""
        if not reactions.unreact(self.world, message, emoji, self.id, is_super=is_super):
            raise ClientRefused(f"{self.id} has put no {emoji} there")

    def clear(self, message: Message, emoji: str = "") -> None:
        """Take all emoji off a message, or all of one kind, as a moderator."""
        self._sees(message)
        reactions.clear(self.world, message, emoji)

    def say(self, text: str, *, channel: str = "", files: tuple[Attachment, ...] = ()) -> Message:
        """Write a message."""
        where = self.world.channels[channel] if channel else self.dm
        for file in files:
            file.channel, file.ephemeral = where.id, False
        message = Message(
            id=self.world.new_id(),
            channel=where.id,
            author=self.id,
            at=self.world.now(),
            content=text,
            attachments=[file.id for file in files],
        )
        where.messages[message.id] = message
        self.world.tell("MESSAGE_CREATE", message_event(self.world, message), guild=where.guild)
        return message

    def delete(self, message: Message) -> None:
        """Delete a message, one's own or as a moderator."""
        self._sees(message)
        message.deleted = True
        where = self.world.channels[message.channel]
        told = {"id": message.id, "channel_id": where.id}
        told |= {"guild_id": where.guild} if where.guild else {}
        self.world.tell("MESSAGE_DELETE", told, guild=where.guild)

    def attach(
        self,
        data: bytes,
        name: str = "photo.png",
        *,
        content_type: str = "image/png",
        channel: str = "",
    ) -> Attachment:
        """A file of theirs, for an option or for `say`."""
        width, height = size_of(data) or (None, None)
        made = Attachment(
            id=self.world.new_id(),
            width=width,
            height=height,
            filename=name,
            data=data,
            content_type=content_type,
            channel=channel or self.dm.id,
            ephemeral=True,
        )
        self.world.attachments[made.id] = made
        return made

    # ------------------------------------------------------------------------------- inside

    async def _did(
        self, kind: int, data: Json, channel: str, message: Message | None = None
    ) -> Receipt:
        return await deliver(
            self.world,
            kind,
            data,
            user=self.id,
            channel=channel,
            message=message,
            wait_s=self.wait_s,
        )

    def _registered(self, name: str, kind: int, channel: str) -> Json:
        where = self.world.channels[channel]
        guild = self.world.guilds.get(where.guild)
        offered: list[Json] = [*self.world.app.commands, *(guild.commands if guild else ())]
        for command in offered:
            if command["name"] == name and command.get("type", SLASH) == kind:
                contexts = command.get("contexts")
                if contexts is not None and (0 if guild else 1) not in contexts:
                    raise ClientRefused(f"/{name} is not offered there")
                return command
        raise ClientRefused(f"no /{name} is registered: {[c['name'] for c in offered]}")

    def _sees(self, message: Message) -> None:
        if not seen_by(self.world, message, self.id):
            raise ClientRefused(f"{self.id} does not see the message {message.id}")

    def _part(self, message: Message, what: str, kind: int, *, stale: bool) -> Json:
        self._sees(message)
        shown = [message.components]
        if stale:
            shown += [version.components for version in reversed(message.versions)]
        there: list[str] = []
        for components in shown:
            for part in walk(components):
                if part.get("type") != kind:
                    continue
                names = (part.get("label"), part.get("placeholder"), part.get("custom_id"))
                if what in names and not part.get("disabled"):
                    return part
                there += [str(name) for name in names if name]
        raise ClientRefused(f"there is no {what} to press; there are {there}")
