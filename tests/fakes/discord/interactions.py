"""Interactions: what people did in the words of the gateway, and what became of it."""

import asyncio
import time
from dataclasses import dataclass

from tests.fakes.discord.access import VIEW_CHANNEL, permissions_in
from tests.fakes.discord.payloads import channel_json, member_json, message_json, user_json
from tests.fakes.discord.state import (
    ACK_S,
    DM,
    EPHEMERAL,
    Channel,
    Interaction,
    Json,
    Message,
    World,
)
from tests.fakes.waiting import ENOUGH_S

COMMAND, COMPONENT, AUTOCOMPLETE, SUBMISSION = 2, 3, 4, 5
SAYS, DEFERS, UPDATES_LATER, UPDATES, SUGGESTS, ASKS = 4, 5, 6, 7, 8, 9
"""Types of the first answer."""
DEFAULT_LIMIT = 10 * 1024 * 1024


class ClientRefused(Exception):
    """Discord's own client would not have let a person do this."""


@dataclass(frozen=True, kw_only=True)
class Modal:
    """An open form. It stays open until it is sent off."""

    title: str
    custom_id: str
    components: list[Json]
    channel: str
    message: str
    """Id of the message whose button opened it; empty for a command's."""

    def fields(self) -> dict[str, Json]:
        """What can be filled in, by custom id, with its label."""
        found: dict[str, Json] = {}
        for part in self.components:
            inner = [part["component"]] if "component" in part else part.get("components", [])
            for field in inner:
                if "custom_id" in field:
                    label = part.get("label") or field.get("label", "")
                    found[field["custom_id"]] = {**field, "label": label}
        return found


@dataclass(kw_only=True)
class Receipt:
    """What became of a deed."""

    world: World
    interaction: Interaction
    ms: float
    """Milliseconds until the first answer, by the wall clock; the whole wait if there was none."""

    @property
    def acked(self) -> bool:
        """Whether the app answered, and in time."""
        return self.interaction.response is not None

    @property
    def type(self) -> int:
        """Type of the first answer; 0 without one."""
        return int((self.interaction.response or {}).get("type", 0))

    @property
    def data(self) -> Json:
        """Data of the first answer."""
        return (self.interaction.response or {}).get("data") or {}

    @property
    def ephemeral(self) -> bool:
        """Whether the answer is for this person alone."""
        return self.interaction.ephemeral

    @property
    def modal(self) -> Modal | None:
        """The form that opened."""
        if self.type != ASKS:
            return None
        return Modal(
            title=self.data["title"],
            custom_id=self.data["custom_id"],
            components=self.data["components"],
            channel=self.interaction.channel,
            message=self.interaction.message,
        )

    @property
    def choices(self) -> dict[str, str]:
        """What was suggested: name -> value."""
        return {choice["name"]: str(choice["value"]) for choice in self.data.get("choices", ())}

    @property
    def original(self) -> Message | None:
        """`@original` as it stands; None where there is none, or no more."""
        return self.world.message(self.interaction.channel, self.interaction.original)

    async def answer(self, within_s: float = ENOUGH_S) -> Message:
        """`@original` once it is more than `thinking …`."""
        async with asyncio.timeout(within_s):
            await self.interaction.changed.wait()
        found = self.original
        assert found is not None, "the answer was deleted"
        return found


async def deliver(
    world: World,
    kind: int,
    data: Json,
    *,
    user: str,
    channel: str,
    message: Message | None = None,
    wait_s: float = ACK_S,
) -> Receipt:
    """Tell the app what a person did, and wait for its first answer, as their client does."""
    where = world.channels[channel]
    if not permissions_in(world, where, user) & VIEW_CHANNEL:
        raise ClientRefused(f"{user} does not see the channel {channel}")
    interaction = Interaction(
        id=world.new_id(),
        token=world.new_token(),
        type=kind,
        user=user,
        channel=channel,
        guild=where.guild,
        made_at=world.now(),
        message=message.id if message else "",
    )
    world.interactions[interaction.token] = interaction
    began = time.perf_counter()
    world.tell("INTERACTION_CREATE", _payload(world, interaction, data, message), guild=where.guild)
    try:
        async with asyncio.timeout(wait_s):
            await interaction.answered.wait()
    except TimeoutError:
        world.violated(f"The application did not respond to {_named(kind, data)}")
    ms = (time.perf_counter() - began) * 1000
    return Receipt(world=world, interaction=interaction, ms=ms)


def _named(kind: int, data: Json) -> str:
    return f"{kind} {data.get('name') or data.get('custom_id')}"


def _payload(world: World, interaction: Interaction, data: Json, message: Message | None) -> Json:
    """docs.discord.com, interaction structure."""
    where = world.channels[interaction.channel]
    told: Json = {
        "id": interaction.id,
        "application_id": world.app.id,
        "type": interaction.type,
        "data": data,
        "channel": _channel(world, where, interaction.user),
        "channel_id": where.id,
        "token": interaction.token,
        "version": 1,
        "locale": interaction.locale,
        "entitlements": [],
        "app_permissions": str(permissions_in(world, where, world.app.id)),
        "attachment_size_limit": DEFAULT_LIMIT,
    }
    if where.guild:
        guild = world.guilds[where.guild]
        member = member_json(world, guild.members[interaction.user])
        told |= {
            "guild": {"id": guild.id, "locale": "en-US", "features": []},
            "guild_id": guild.id,
            "guild_locale": "en-US",
            "member": member | {"permissions": str(permissions_in(world, where, interaction.user))},
            "authorizing_integration_owners": {"0": guild.id},
            "context": 0,
            "attachment_size_limit": guild.file_limit,
        }
    else:
        told |= {
            "user": user_json(world.users[interaction.user]),
            "authorizing_integration_owners": {"0": "0"},
            "context": 1,
        }
    if message is not None:
        told["message"] = message_json(world, message, hide=False)
    return told


def _channel(world: World, where: Channel, user: str) -> Json:
    """The channel with the person's permissions in it."""
    told = channel_json(world, where)
    if where.type != DM:
        told["permissions"] = str(permissions_in(world, where, user))
    return told


def seen_by(world: World, message: Message, user: str) -> bool:
    """Whether a person has this message before them."""
    if message.deleted or (message.flags & EPHEMERAL and message.only_for != user):
        return False
    return bool(permissions_in(world, world.channels[message.channel], user) & VIEW_CHANNEL)
