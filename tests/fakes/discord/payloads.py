"""How a Discord writes things down: the objects of its API, the same in REST and the gateway."""

from datetime import UTC, datetime

from tests.fakes.discord.cdn import address
from tests.fakes.discord.state import (
    DM,
    THREAD,
    Attachment,
    Channel,
    Interaction,
    Json,
    Member,
    Message,
    Reaction,
    Role,
    User,
    World,
    walk,
)

REPLY, CHAT_INPUT, MENU = 19, 20, 23
"""Types of messages."""


def stamp(seconds: float) -> str:
    """A time as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def user_json(user: User) -> Json:
    """A user as others see them."""
    found: Json = {
        "id": user.id,
        "username": user.username,
        "discriminator": "0000" if user.bot else "0",
        "global_name": None if user.bot else user.username.title(),
        "avatar": None,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }
    return {**found, "bot": True} if user.bot else found


def member_json(world: World, member: Member, *, with_user: bool = True) -> Json:
    """A member of a guild."""
    found: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "deaf": False,
        "flags": 0,
        "joined_at": stamp(member.joined_at),
        "mute": False,
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": list(member.roles),
    }
    return {**found, "user": user_json(world.users[member.user])} if with_user else found


def role_json(role: Role, *, position: int = 0) -> Json:
    """A role."""
    return {
        "id": role.id,
        "name": role.name,
        "permissions": str(role.permissions),
        "position": position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "flags": 0,
        "hoist": False,
        "icon": None,
        "managed": False,
        "mentionable": False,
        "unicode_emoji": None,
    }


def channel_json(world: World, channel: Channel) -> Json:
    """A channel, thread or conversation of two."""
    last = next(reversed(channel.messages), None)
    found: Json = {"id": channel.id, "type": channel.type, "flags": 0, "last_message_id": last}
    if channel.type == DM:
        return {**found, "recipients": [user_json(world.users[channel.recipient])]}
    found |= {"guild_id": channel.guild, "name": channel.name}
    if channel.type == THREAD:
        sent = len(channel.live())
        return found | {
            "parent_id": channel.parent,
            "owner_id": channel.owner,
            "member_count": 1,
            "message_count": sent,
            "total_message_sent": sent,
            "rate_limit_per_user": 0,
            "thread_metadata": {
                "archived": channel.archived,
                "archive_timestamp": stamp(world.now()),
                "auto_archive_duration": 1440,
                "locked": channel.locked,
            },
        }
    return found | {
        "position": 0,
        "parent_id": None,
        "nsfw": False,
        "topic": None,
        "rate_limit_per_user": 0,
        "permission_overwrites": [
            {"id": o.id, "type": o.kind, "allow": str(o.allow), "deny": str(o.deny)}
            for o in channel.overwrites
        ],
    }


def attachment_json(world: World, file: Attachment) -> Json:
    """A file, with an address that is signed anew."""
    url = address(world, file)
    found: Json = {
        "id": file.id,
        "filename": file.filename,
        "size": len(file.data),
        "url": url,
        "proxy_url": url,
        "content_type": file.content_type,
        "flags": 0,
    }
    if file.width is not None:
        found |= {"width": file.width, "height": file.height}
    if file.description:
        found["description"] = file.description
    return {**found, "ephemeral": True} if file.ephemeral else found


def reaction_json(world: World, reaction: Reaction) -> Json:
    """An emoji on a message, counted."""
    return {
        "emoji": emoji_json(reaction.key),
        "count": len(reaction.users) + len(reaction.supers),
        "count_details": {"burst": len(reaction.supers), "normal": len(reaction.users)},
        "burst_colors": [],
        "me": world.app.id in reaction.users,
        "me_burst": False,
    }


def emoji_json(key: str) -> Json:
    """`✅` or `name:id` as an object."""
    name, _, number = key.partition(":")
    return {"id": number or None, "name": name}


def shown_attachments(message: Message, world: World) -> list[Attachment]:
    """Files that stand under a message: those that a component shows are not among them, on
    purpose (discord-api-docs #8277)."""
    used = {
        str(media.get("attachment_id"))
        for part in message.parts()
        for media in _media_of(part)
        if media
    }
    return [world.attachments[found] for found in message.attachments if found not in used]


def _media_of(part: Json) -> list[Json]:
    items = [item["media"] for item in part.get("items", ())]
    return [*items, *(part[name] for name in ("media", "file") if isinstance(part.get(name), dict))]


def refreshed(world: World, message: Message) -> list[Json]:
    """A message's components, the addresses of their pictures signed anew."""
    for part in walk(message.components):
        for media in _media_of(part):
            file = world.attachments.get(str(media.get("attachment_id")))
            if file is not None:
                media["url"] = media["proxy_url"] = address(world, file)
    return message.components


def readable(world: World, message: Message) -> bool:
    """Whether the app may read what a message says (docs.discord.com, message content intent)."""
    return (
        world.app.reads_content
        or message.author == world.app.id
        or world.app.id in message.mentions
        or world.channels[message.channel].type == DM
    )


def message_json(world: World, message: Message, *, hide: bool = True) -> Json:
    """A message for the app. With `hide`, others' words are blank where the app may not read them;
    the message of an interaction is never hidden."""
    shown = not hide or readable(world, message)
    found: Json = {
        "id": message.id,
        "channel_id": message.channel,
        "type": _type_of(world, message),
        "author": user_json(world.users[message.author]),
        "content": message.content if shown else "",
        "components": refreshed(world, message) if shown else [],
        "embeds": message.embeds if shown else [],
        "attachments": [
            attachment_json(world, file)
            for file in (shown_attachments(message, world) if shown else ())
        ],
        "timestamp": stamp(message.at),
        "edited_timestamp": stamp(message.edited_at) if message.edited_at is not None else None,
        "flags": message.flags,
        "mentions": [user_json(world.users[user]) for user in message.mentions],
        "mention_roles": list(message.mention_roles),
        "mention_everyone": message.mention_everyone,
        "pinned": False,
        "tts": False,
    }
    if message.reactions:
        found["reactions"] = [reaction_json(world, reaction) for reaction in message.reactions]
    if message.webhook:
        found |= {"webhook_id": message.webhook, "application_id": world.app.id}
    if message.interaction:
        found["interaction_metadata"] = _metadata(world, world.interactions[message.interaction])
    if message.reply_to:
        found["message_reference"] = {
            "type": 0,
            "channel_id": message.channel,
            "message_id": message.reply_to,
        }
    return found


def message_event(world: World, message: Message) -> Json:
    """What MESSAGE_CREATE and MESSAGE_UPDATE tell."""
    guild = world.channels[message.channel].guild
    found = message_json(world, message)
    if not guild:
        return found
    found["guild_id"] = guild
    member = world.guilds[guild].members.get(message.author)
    if member is not None and not message.webhook:
        found["member"] = member_json(world, member, with_user=False)
    return found


def _type_of(world: World, message: Message) -> int:
    if message.reply_to:
        return REPLY
    if message.interaction and world.interactions[message.interaction].type == 2:
        return MENU if world.interactions[message.interaction].message else CHAT_INPUT
    return REPLY if message.interaction else 0


def _metadata(world: World, asked: Interaction) -> Json:
    """`interaction_metadata` of an answer."""
    where = asked.guild or asked.user
    found: Json = {
        "id": asked.id,
        "type": asked.type,
        "user": user_json(world.users[asked.user]),
        "authorizing_integration_owners": {"0": where},
    }
    if asked.type == 3:
        found["interacted_message_id"] = asked.message
    if asked.type == 5:
        found["triggering_interaction_metadata"] = {**found, "type": 2}
    return found
