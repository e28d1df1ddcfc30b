"""Channels, conversations of two and threads, and the messages in them."""

from tests.fakes.discord import payloads, sending
from tests.fakes.discord.access import (
    CREATE_PUBLIC_THREADS,
    MANAGE_MESSAGES,
    READ_MESSAGE_HISTORY,
    channel_seen,
    invalid,
    may_send,
    must,
    permissions_in,
)
from tests.fakes.discord.asked import Asked, Reply
from tests.fakes.discord.state import DM, THREAD, Channel, Message, Refused, World

OLD_S = 3600.0
PAGE, MOST_PAGE = 50, 100


def message_seen(world: World, channel: Channel, message: str) -> Message:
    """A message that stands for everybody. Raises 10008."""
    found = channel.messages.get(message)
    if found is None or found.deleted or found.only_for:
        raise Refused(404, 10008, "Unknown Message")
    return found


def channel(asked: Asked) -> Reply:
    """GET /channels/{id}."""
    found = channel_seen(asked.world, asked.params["channel_id"])
    return 200, payloads.channel_json(asked.world, found)


def direct(asked: Asked) -> Reply:
    """POST /users/@me/channels: the conversation of two, made when it is first asked for."""
    user = asked.world.users.get(str(asked.body.get("recipient_id")))
    if user is None:
        raise Refused(400, 50033, "Invalid Recipient(s)")
    if user.bot:
        raise Refused(403, 50007, "Cannot send messages to this user")
    return 200, payloads.channel_json(asked.world, asked.world.direct(user.id))


def create(asked: Asked) -> Reply:
    """POST /channels/{id}/messages."""
    world = asked.world
    where = channel_seen(world, asked.params["channel_id"])
    may_send(world, where, files=bool(asked.files))
    known = sending.once(world, asked.body)
    if known is not None:
        return 200, payloads.message_json(world, known)
    reply_to = _answered(world, where, asked)
    message = sending.create(world, where, asked.body, asked.files)
    message.reply_to = reply_to
    sending.remember(world, message)
    found = payloads.message_json(world, message)
    return 200, {**found, "nonce": message.nonce} if message.nonce else found


def _answered(world: World, where: Channel, asked: Asked) -> str:
    reference = asked.body.get("message_reference") or {}
    answered = str(reference.get("message_id") or "")
    if not answered:
        return ""
    must(world, where, READ_MESSAGE_HISTORY)
    if world.message(where.id, answered) is None:
        if reference.get("fail_if_not_exists", True):
            raise invalid(message_reference="Unknown message")
        return ""
    return answered


def history(asked: Asked) -> Reply:
    """GET /channels/{id}/messages: newest first; nothing without Read Message History."""
    world, query = asked.world, asked.query
    where = channel_seen(world, asked.params["channel_id"])
    if not permissions_in(world, where, world.app.id) & READ_MESSAGE_HISTORY:
        return 200, []
    limit = int(query.get("limit", PAGE))
    found = sorted(where.live(), key=lambda message: int(message.id))
    if "around" in query:
        near = sorted(found, key=lambda m: abs(int(m.id) - int(query["around"])))[:limit]
        found = sorted(near, key=lambda message: int(message.id))
    elif "after" in query:
        found = [m for m in found if int(m.id) > int(query["after"])][:limit]
    else:
        found = [m for m in found if int(m.id) < int(query.get("before", 1 << 63))][-limit:]
    return 200, [payloads.message_json(world, message) for message in reversed(found)]


def get(asked: Asked) -> Reply:
    """GET /channels/{id}/messages/{id}."""
    world = asked.world
    where = channel_seen(world, asked.params["channel_id"])
    if not permissions_in(world, where, world.app.id) & READ_MESSAGE_HISTORY:
        raise Refused(403, 50001, "Missing Access")
    return 200, payloads.message_json(world, message_seen(world, where, asked.params["message_id"]))


def edit(asked: Asked) -> Reply:
    """PATCH /channels/{id}/messages/{id}."""
    world = asked.world
    where = channel_seen(world, asked.params["channel_id"])
    message = message_seen(world, where, asked.params["message_id"])
    if message.author != world.app.id:
        raise Refused(403, 50005, "Cannot edit a message authored by another user")
    if where.type == THREAD and where.archived:
        raise Refused(400, 50083, "Thread is archived")
    if asked.files:
        may_send(world, where, files=True)
    if world.now() - message.at > OLD_S and where.id in world.old_edits_left:
        _spend_old_edit(world, where)
    sending.change(world, message, asked.body, asked.files)
    return 200, payloads.message_json(world, message)


def _spend_old_edit(world: World, where: Channel) -> None:
    if world.old_edits_left[where.id] < 1:
        words = "Maximum number of edits to messages older than 1 hour reached. Try again later."
        raise Refused(429, 30046, words)
    world.old_edits_left[where.id] -= 1


def delete(asked: Asked) -> Reply:
    """DELETE /channels/{id}/messages/{id}."""
    world = asked.world
    where = channel_seen(world, asked.params["channel_id"])
    message = message_seen(world, where, asked.params["message_id"])
    if message.author != world.app.id:
        if where.type == DM:
            raise Refused(403, 50003, "Cannot execute action on a DM channel")
        must(world, where, MANAGE_MESSAGES)
    remove(world, message)
    return 204, None


def remove(world: World, message: Message) -> None:
    """Take a message and its files away, whoever asks."""
    message.deleted = True
    for file in message.attachments:
        world.attachments[file].deleted = True
    guild = world.channels[message.channel].guild
    if not message.only_for:
        told = {"id": message.id, "channel_id": message.channel}
        world.tell("MESSAGE_DELETE", {**told, "guild_id": guild} if guild else told, guild=guild)


def typing(asked: Asked) -> Reply:
    """POST /channels/{id}/typing."""
    may_send(asked.world, channel_seen(asked.world, asked.params["channel_id"]), files=False)
    return 204, None


def start_thread(asked: Asked) -> Reply:
    """POST /channels/{id}/messages/{id}/threads: one thread a message, with the message's id."""
    world = asked.world
    where = channel_seen(world, asked.params["channel_id"])
    must(world, where, CREATE_PUBLIC_THREADS)
    message = message_seen(world, where, asked.params["message_id"])
    if message.id in world.channels:
        raise Refused(400, 160004, "A thread has already been created for this message")
    thread = Channel(
        id=message.id,
        type=THREAD,
        name=str(asked.body.get("name", "")),
        guild=where.guild,
        parent=where.id,
        owner=world.app.id,
    )
    world.channels[thread.id] = thread
    found = payloads.channel_json(world, thread)
    world.tell("THREAD_CREATE", {**found, "newly_created": True}, guild=where.guild)
    return 201, found
