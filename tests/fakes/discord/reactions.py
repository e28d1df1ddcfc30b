"""Emoji on messages: the app's own by REST, anybody's by `react` and `unreact`."""

import re

from tests.fakes.discord import payloads
from tests.fakes.discord.access import (
    ADD_REACTIONS,
    MANAGE_MESSAGES,
    READ_MESSAGE_HISTORY,
    channel_seen,
    must,
)
from tests.fakes.discord.asked import Asked, Reply
from tests.fakes.discord.channels import message_seen
from tests.fakes.discord.state import Channel, Json, Message, Reaction, Refused, World

MOST_EMOJI = 20
PAGE = 25
CUSTOM = re.compile(r"^[A-Za-z0-9_]{2,32}:\d+$")


NORMAL, SUPER = 0, 1


def react(world: World, message: Message, key: str, user: str, *, is_super: bool = False) -> bool:
    """Put a user's emoji (`✅` or `name:id`) on a message and tell of it; False if it is there."""
    found = message.reaction(key)
    if found is None:
        if len(message.reactions) >= MOST_EMOJI:
            raise Refused(400, 30010, "Maximum number of reactions reached (20)")
        name, _, number = key.partition(":")
        found = Reaction(name=name, id=number)
        message.reactions.append(found)
    there = found.supers if is_super else found.users
    if user in there:
        return False
    there.append(user)
    told = _told(world, message, key, user, is_super=is_super)
    told["message_author_id"] = message.author
    guild = world.channels[message.channel].guild
    if guild:
        told["member"] = payloads.member_json(world, world.guilds[guild].members[user])
    world.tell("MESSAGE_REACTION_ADD", told, guild=guild)
    return True


def unreact(world: World, message: Message, key: str, user: str, *, is_super: bool = False) -> bool:
    """Take a user's emoji away and tell of it; False if it isn't there."""
    found = message.reaction(key)
    there = [] if found is None else found.supers if is_super else found.users
    if found is None or user not in there:
        return False
    there.remove(user)
    if not (found.users or found.supers):
        message.reactions.remove(found)
    guild = world.channels[message.channel].guild
    told = _told(world, message, key, user, is_super=is_super)
    world.tell("MESSAGE_REACTION_REMOVE", told, guild=guild)
    return True


def clear(world: World, message: Message, key: str = "") -> None:
    """Take all emoji off a message, or all of one kind, as a moderator may; nobody is told whose
    they were."""
    where = world.channels[message.channel]
    message.reactions = [one for one in message.reactions if key and one.key != key]
    told: Json = {"channel_id": where.id, "message_id": message.id}
    told |= {"guild_id": where.guild} if where.guild else {}
    told |= {"emoji": payloads.emoji_json(key)} if key else {}
    event = "MESSAGE_REACTION_REMOVE_EMOJI" if key else "MESSAGE_REACTION_REMOVE_ALL"
    world.tell(event, told, guild=where.guild)


def _told(world: World, message: Message, key: str, user: str, *, is_super: bool) -> Json:
    guild = world.channels[message.channel].guild
    found: Json = {
        "user_id": user,
        "channel_id": message.channel,
        "message_id": message.id,
        "emoji": {**payloads.emoji_json(key)},
        "burst": is_super,
        "type": SUPER if is_super else NORMAL,
    }
    return {**found, "guild_id": guild} if guild else found


def _met(asked: Asked) -> tuple[Channel, Message, str]:
    where = channel_seen(asked.world, asked.params["channel_id"])
    must(asked.world, where, READ_MESSAGE_HISTORY)
    key = asked.params["emoji_name"]
    if key.isascii() and not CUSTOM.match(key):
        raise Refused(400, 10014, "Unknown Emoji")
    return where, message_seen(asked.world, where, asked.params["message_id"]), key


def put(asked: Asked) -> Reply:
    """PUT …/reactions/{emoji}/@me."""
    where, message, key = _met(asked)
    if message.reaction(key) is None:
        must(asked.world, where, ADD_REACTIONS)
    react(asked.world, message, key, asked.world.app.id)
    return 204, None


def take_own(asked: Asked) -> Reply:
    """DELETE …/reactions/{emoji}/@me."""
    _, message, key = _met(asked)
    unreact(asked.world, message, key, asked.world.app.id)
    return 204, None


def take(asked: Asked) -> Reply:
    """DELETE …/reactions/{emoji}/{user}."""
    where, message, key = _met(asked)
    if asked.params["user_id"] != asked.world.app.id:
        must(asked.world, where, MANAGE_MESSAGES)
    unreact(asked.world, message, key, asked.params["user_id"])
    return 204, None


def who(asked: Asked) -> Reply:
    """GET …/reactions/{emoji}: users of one type of it in order of their ids, after one of them."""
    _, message, key = _met(asked)
    found = message.reaction(key)
    of_type = {str(NORMAL): found.users, str(SUPER): found.supers} if found else {}
    users = sorted(of_type.get(asked.query.get("type", str(NORMAL)), ()), key=int)
    after, limit = int(asked.query.get("after", 0)), int(asked.query.get("limit", PAGE))
    shown = [user for user in users if int(user) > after][:limit]
    return 200, [payloads.user_json(asked.world.users[user]) for user in shown]
