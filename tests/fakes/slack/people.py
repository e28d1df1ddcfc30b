"""People in front of this Slack: what they type and press, and what the app answered."""

from typing import TYPE_CHECKING, Any

from tests.fakes.slack import answers, payloads
from tests.fakes.slack.blocks import elements_of
from tests.fakes.slack.configured import ClientRefused
from tests.fakes.slack.delivery import Receipt
from tests.fakes.slack.messages import direct, message_json
from tests.fakes.slack.state import Channel, File, Json, Message, View, Workspace

if TYPE_CHECKING:
    from tests.fakes.slack.app import FakeSlack


class Person:
    """Someone in a workspace. Each deed returns the Receipt of what it sent to the app."""

    def __init__(self, slack: "FakeSlack", team: str, user: str) -> None:
        self.slack = slack
        self.team = team
        self.id = user

    @property
    def space(self) -> Workspace:
        """Their workspace."""
        return self.slack.world.workspaces[self.team]

    @property
    def dm(self) -> Channel:
        """Their direct conversation with the app."""
        return direct(self.slack.world, self.space, self.id)

    @property
    def modal(self) -> View | None:
        """The form on top, None if none is open."""
        stack = self.slack.world.stacks.get((self.team, self.id), [])
        return stack[-1] if stack else None

    @property
    def home(self) -> View | None:
        """Their Home tab, None until it was published."""
        return self.slack.world.homes.get((self.team, self.id))

    def ephemerals(self) -> list[Message]:
        """What only they saw, in any channel, oldest first."""
        found = [m for c in self.space.channels.values() for m in c.ephemerals]
        return sorted((m for m in found if m.only_for == self.id), key=lambda m: float(m.ts))

    async def command(
        self, name: str, text: str = "", *, channel: str = "", copies: int = 1
    ) -> Receipt:
        """Type a slash command; without a channel, in the conversation with the app."""
        where = channel or self.dm.id
        form = payloads.command(self.slack.world, self.team, self.id, name, text, where)
        receipt = await self._send("slash_commands", form, copies)
        answers.to_command(self.slack.world, receipt, self.id, where)
        return receipt

    async def click(
        self, where: Message | View, action: str, *, stale: bool = False, copies: int = 1
    ) -> Receipt:
        """Press a button. `stale`: also one that the message no longer has."""
        block, element = self._element(where, action, stale=stale)
        if element["type"] != "button":
            raise ClientRefused(f"{action} is a {element['type']}, not a button")
        return await self._act(where, block, element, {"value": element.get("value")}, copies)

    async def choose(
        self, where: Message | View, action: str, value: str, *, text: str = "", stale: bool = False
    ) -> Receipt:
        """Choose in a select or overflow menu, by the option's value. A form remembers it."""
        block, element = self._element(where, action, stale=stale)
        option = answers.option_of(element, value, text)
        chosen = {"selected_option": option}
        if isinstance(where, View) and element["type"] != "overflow":
            where.values.setdefault(block["block_id"], {})[action] = {
                "type": element["type"],
                **chosen,
            }
        return await self._act(where, block, element, chosen, 1)

    def fill(self, view: View, values: dict[str, Any]) -> None:
        """Type into a form: block id -> text, option value, list of values, or File."""
        for block_id, value in values.items():
            block = next((b for b in view.blocks() if b.get("block_id") == block_id), None)
            if block is None:
                raise ClientRefused(f"the form has no block {block_id}")
            element = elements_of(block)[0]
            state = answers.typed(self.slack.world, element, value)
            view.values.setdefault(block_id, {})[element["action_id"]] = state

    async def submit(
        self, view: View, values: dict[str, Any] | None = None, *, copies: int = 1
    ) -> Receipt:
        """Send a form off. What the app answers is done: closed, errors, another view."""
        self.fill(view, values or {})
        if missing := answers.missing(view):
            raise ClientRefused(f"the form still needs {', '.join(missing)}")
        receipt = await self._send(
            "interactive", payloads.submission(self.slack.world, view), copies
        )
        answers.to_submission(self.slack.world, view, receipt)
        return receipt

    async def close(self, view: View) -> Receipt | None:
        """Close a form; the app hears of it where the view asks so."""
        told = payloads.closed(self.slack.world, view, cleared=False)
        answers.pop(self.slack.world, view)
        if view.body.get("notify_on_close"):
            return await self._send("interactive", told, 1)
        return None

    async def suggest(self, view: View, action: str, typed: str = "") -> Receipt:
        """Type into an external select; `receipt.body` has the options."""
        block, element = self._element(view, action, stale=False)
        if element["type"] != "external_select":
            raise ClientRefused(f"{action} loads no options")
        told = payloads.suggestion(self.slack.world, view, block["block_id"], action, typed)
        receipt = await self._send("interactive", told, 1)
        answers.to_suggestion(self.slack.world, receipt)
        return receipt

    async def shortcut(self, name: str, message: Message | None = None) -> Receipt:
        """Use a shortcut, in a message's menu or the global one."""
        world = self.slack.world
        if message is None:
            told = payloads.global_shortcut(world, self.team, self.id, name)
        else:
            told = payloads.message_shortcut(world, self.id, name, message)
        return await self._send("interactive", told, 1)

    async def say(
        self,
        text: str,
        *,
        channel: str = "",
        thread: str = "",
        files: tuple[File, ...] = (),
        copies: int = 1,
    ) -> Receipt | None:
        """Write a message; the app hears of it in its own conversation or where it is mentioned."""
        where = self.space.channels[channel] if channel else self.dm
        message = self._written(text, where, thread, files)
        bot = self.space.bot_user
        inner = message_json(self.slack.world, message)
        inner |= {"channel": where.id, "event_ts": message.ts}
        if files:
            inner["subtype"] = "file_share"
        if where.kind == "im" and bot in where.members:
            return await self._tell({**inner, "channel_type": "im"}, copies)
        if f"<@{bot}>" in text and bot in where.members:
            inner.pop("subtype", None)
            return await self._tell({**inner, "type": "app_mention"}, copies)
        return None

    async def mention(self, text: str, *, channel: str, thread: str = "", **more: Any) -> Receipt:
        """Write `@Housestyle text`."""
        told = f"<@{self.space.bot_user}> {text}"
        receipt = await self.say(told, channel=channel, thread=thread, **more)
        if receipt is None:
            raise ClientRefused("the app is not in that channel, so it hears nothing")
        return receipt

    async def react(self, message: Message, emoji: str, *, copies: int = 1) -> Receipt:
        """Put an emoji on a message."""
        message.reactions.setdefault(emoji, set()).add(self.id)
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        inner = {
            "type": "reaction_added",
            "user": self.id,
            "reaction": emoji,
            "item": item,
            "item_user": message.user,
            "event_ts": self.slack.world.new_ts(),
        }
        return await self._tell(inner, copies)

    async def open_home(self) -> Receipt:
        """Open the app's Home tab."""
        inner: Json = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": self.dm.id,
            "tab": "home",
            "event_ts": self.slack.world.new_ts(),
        }
        if self.home is not None:
            inner["view"] = payloads.view_json(self.slack.world, self.home)
        return await self._tell(inner, 1)

    def upload(self, data: bytes, name: str = "photo.png", *, external: str = "") -> File:
        """A file of theirs, to be sent with `say` or put into a form."""
        return self.slack.upload(self, data, name, external=external)

    def _written(self, text: str, where: Channel, thread: str, files: tuple[File, ...]) -> Message:
        world = self.slack.world
        if self.id not in where.members:
            raise ClientRefused(f"{self.id} is not in {where.id}")
        message = Message(
            team=self.team,
            channel=where.id,
            ts=world.new_ts(),
            user=self.id,
            text=text,
            thread=thread,
            files=tuple(f.id for f in files),
        )
        where.messages[message.ts] = message
        for file in files:
            file.shares[where.id] = message.ts
        return message

    def _element(self, where: Message | View, action: str, *, stale: bool) -> tuple[Json, Json]:
        shown = [where.blocks] if isinstance(where, Message) else [where.blocks()]
        if stale and isinstance(where, Message):
            shown += reversed(where.versions)
        for blocks in shown:
            for block in blocks:
                for element in elements_of(block):
                    if element.get("action_id") == action:
                        return block, element
        raise ClientRefused(f"there is no {action} to press; there are {answers.actions_of(where)}")

    async def _act(
        self, where: Message | View, block: Json, element: Json, chosen: Json, copies: int
    ) -> Receipt:
        world = self.slack.world
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block.get("block_id", "b"),
            "action_ts": world.new_ts(),
            **{k: v for k, v in chosen.items() if v is not None},
        }
        if "text" in element:
            action["text"] = element["text"]
        if isinstance(where, View):
            told = payloads.action_in_view(world, where, action)
        else:
            told = payloads.action_in_message(world, self.id, where, action)
        return await self._send("interactive", told, copies)

    async def _tell(self, inner: Json, copies: int) -> Receipt:
        told = payloads.event(self.slack.world, self.team, inner)
        return await self._send("events_api", told, copies)

    async def _send(self, kind: str, payload: Json, copies: int) -> Receipt:
        return await self.slack.delivery.send(self.team, kind, payload, copies=copies)
