"""Messages of the app: what may stand in them, and how they are made and changed."""

import re

from tests.fakes.discord import components as parts
from tests.fakes.discord import payloads
from tests.fakes.discord.access import invalid
from tests.fakes.discord.asked import Upload
from tests.fakes.discord.cdn import kind_of, size_of
from tests.fakes.discord.state import (
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    MIB,
    NONCE_S,
    Attachment,
    Channel,
    Json,
    Message,
    Refused,
    Version,
    World,
)

MOST_CONTENT = 2000
MOST_FILES = 10
MOST_EMBED_TEXT = 6000
MOST_REQUEST = 25 * MIB
MOST_NONCE = 25
SETTABLE = EPHEMERAL | COMPONENTS_V2 | 1 << 2 | 1 << 12
"""Flags that an app may give: ephemeral, components v2, no embeds, silent."""
PLAIN_NAME = re.compile(r"[^A-Za-z0-9._-]")
USER_PING, ROLE_PING = re.compile(r"<@!?(\d+)>"), re.compile(r"<@&(\d+)>")


class Overtaken(Refused):
    """A change names a file that another change took away meanwhile: nobody's mistake."""

    def __init__(self) -> None:
        words = "Attachment ids must be among the files or the message's."
        refused = invalid(attachments=words)
        super().__init__(refused.status, refused.code, refused.message, refused.errors)


def is_v2(body: Json, before: int = 0) -> bool:
    """Whether the message is made of components alone."""
    return bool(((body.get("flags") or 0) | before) & COMPONENTS_V2)


def check_body(world: World, channel: Channel, body: Json, before: Message | None = None) -> None:
    """Refuse what a message may not say."""
    content = body.get("content") or ""
    if len(content) > MOST_CONTENT:
        raise invalid(content="Must be 2000 or fewer in length.")
    v2 = is_v2(body, before.flags if before else 0)
    kept = "" if before is None or "content" in body else before.content
    if v2 and (content or kept or body.get("embeds") or body.get("poll")):
        raise invalid(flags="The 'content' field cannot be used with IS_COMPONENTS_V2.")
    if before is None and (body.get("flags") or 0) & ~SETTABLE:
        raise invalid(flags="Flags are not settable.")
    parts.check(body.get("components") or [], v2=v2)
    _check_embeds(body.get("embeds") or [])
    _check_mentions(body.get("allowed_mentions") or {})
    guild = world.guilds.get(channel.guild)
    said = _all_text(content, body.get("components") or [])
    for word in guild.blocked_words if guild else ():
        if word.lower() in said.lower():
            raise Refused(400, 200000, "Message was blocked by AutoMod")


def _check_embeds(embeds: list[Json]) -> None:
    total = 0
    for embed in embeds:
        fields = [text for f in embed.get("fields", ()) for text in (f["name"], f["value"])]
        texts = [embed.get("title"), embed.get("description"), *fields]
        total += sum(len(text) for text in texts if text)
    if total > MOST_EMBED_TEXT:
        raise invalid(embeds="Embed size exceeds maximum size of 6000")


def _check_mentions(allowed: Json) -> None:
    for one in ("users", "roles"):
        if one in (allowed.get("parse") or ()) and allowed.get(one):
            raise invalid(allowed_mentions=f"parse:['{one}'] and {one}: [ids] are exclusive.")


def _all_text(content: str, components: list[Json]) -> str:
    shown = [str(part["content"]) for _, part in parts.located(components) if "content" in part]
    return "\n".join([content, *shown])


def pinged(world: World, text: str, allowed: Json | None) -> tuple[list[str], list[str], bool]:
    """(users, roles, everybody) that a text pings. Without `allowed_mentions` it pings all."""
    rules = allowed if allowed is not None else {"parse": ["users", "roles", "everyone"]}
    parse = rules.get("parse") or []
    users = [u for u in dict.fromkeys(USER_PING.findall(text)) if u in world.users]
    roles = list(dict.fromkeys(ROLE_PING.findall(text)))
    if "users" not in parse:
        users = [user for user in users if user in (rules.get("users") or [])]
    if "roles" not in parse:
        roles = [role for role in roles if role in (rules.get("roles") or [])]
    everybody = "everyone" in parse and ("@everyone" in text or "@here" in text)
    return users, roles, everybody


def kept_files(
    world: World, channel: Channel, body: Json, uploads: list[Upload], before: Message | None
) -> list[Attachment]:
    """The message's files after this request: those kept, then those brought along."""
    limit = _limit(world, channel)
    if sum(len(upload.data) for upload in uploads) > MOST_REQUEST:
        raise Refused(413, 40005, "Request entity too large")
    if any(len(upload.data) > limit for upload in uploads):
        raise Refused(413, 40005, "Request entity too large")
    listed = body.get("attachments")
    described = {str(given["id"]): given for given in listed or ()}
    numbers = {upload.number for upload in uploads}
    stand = before.attachments if before else []
    kept = [f for f in stand if listed is None or f in described]
    for number in described:
        if number not in numbers and number in world.attachments and number not in stand:
            raise Overtaken
        if number not in numbers and number not in stand:
            raise invalid(attachments="Attachment ids must be among the files or the message's.")
    if len(kept) + len(uploads) > MOST_FILES:
        raise Refused(400, 30015, "Maximum number of attachments in a message reached (10)")
    brought = [_file(world, channel, up, described.get(up.number, {})) for up in uploads]
    return [*(world.attachments[f] for f in kept), *brought]


def _limit(world: World, channel: Channel) -> int:
    guild = world.guilds.get(channel.guild)
    return guild.file_limit if guild else 10 * MIB


def _file(world: World, channel: Channel, upload: Upload, described: Json) -> Attachment:
    size = size_of(upload.data)
    name = PLAIN_NAME.sub("_", described.get("filename") or upload.filename)
    return Attachment(
        id=world.new_id(),
        filename=name,
        data=upload.data,
        content_type=kind_of(upload.data),
        channel=channel.id,
        width=size[0] if size else None,
        height=size[1] if size else None,
        description=described.get("description") or None,
    )


def create(
    world: World,
    channel: Channel,
    body: Json,
    uploads: list[Upload],
    *,
    webhook: str = "",
    interaction: str = "",
    only_for: str = "",
) -> Message:
    """A new message of the app, checked and told of. Permissions are the caller's."""
    check_body(world, channel, body)
    files = kept_files(world, channel, body, uploads, None)
    if not (body.get("content") or body.get("components") or body.get("embeds") or files):
        raise Refused(400, 50006, "Cannot send an empty message")
    message = Message(
        id=world.new_id(),
        channel=channel.id,
        author=world.app.id,
        at=world.now(),
        webhook=webhook,
        interaction=interaction,
        only_for=only_for,
        nonce=str(body.get("nonce") or ""),
    )
    _fill(world, message, body, files)
    message.flags = (body.get("flags") or 0) & SETTABLE
    channel.messages[message.id] = message
    channel.archived = False
    if not only_for:
        _tell(world, "MESSAGE_CREATE", message)
    return message


def change(world: World, message: Message, body: Json, uploads: list[Upload]) -> None:
    """Change a message of the app: what the body leaves out stays."""
    channel = world.channels[message.channel]
    if message.flags & COMPONENTS_V2 and not is_v2({}, message.flags | (body.get("flags") or 0)):
        raise invalid(flags="IS_COMPONENTS_V2 cannot be removed.")
    check_body(world, channel, body, message)
    files = kept_files(world, channel, body, uploads, message)
    before = Version(
        content=message.content,
        components=message.components,
        attachments=list(message.attachments),
        at=world.now(),
    )
    _fill(world, message, body, files)
    message.versions.append(before)
    message.flags = (message.flags | (body.get("flags") or 0) & COMPONENTS_V2) & ~LOADING
    message.edited_at = world.now()
    if not message.only_for:
        _tell(world, "MESSAGE_UPDATE", message)


def _fill(world: World, message: Message, body: Json, files: list[Attachment]) -> None:
    if "components" in body:
        given = body["components"] or []
        named = {file.filename: file for file in files}
        message.components = parts.unfurled(given, named, world)
        message.given = given
    for file in files:
        file.ephemeral = bool(message.only_for)
        world.attachments[file.id] = file
    for gone in set(message.attachments) - {file.id for file in files}:
        world.attachments[gone].deleted = True
    message.attachments = [file.id for file in files]
    if "content" in body:
        message.content = (body["content"] or "").strip()
    if "embeds" in body:
        message.embeds = body["embeds"] or []
    text = _all_text(message.content, message.components)
    found = pinged(world, text, body.get("allowed_mentions"))
    message.mentions, message.mention_roles, message.mention_everyone = found


def once(world: World, body: Json) -> Message | None:
    """The message that this nonce made within the last minutes, where that is enforced."""
    nonce = str(body.get("nonce") or "")
    if len(nonce) > MOST_NONCE:
        raise invalid(nonce="Must be 25 or fewer in length.")
    if not nonce or not body.get("enforce_nonce"):
        return None
    at, known = world.nonces.get((world.app.id, nonce), (0.0, ""))
    if not known or world.now() - at > NONCE_S:
        return None
    return next((c.messages[known] for c in world.channels.values() if known in c.messages), None)


def remember(world: World, message: Message) -> None:
    """Keep a message's nonce for some minutes."""
    if message.nonce:
        world.nonces[(world.app.id, message.nonce)] = (world.now(), message.id)


def _tell(world: World, name: str, message: Message) -> None:
    event = payloads.message_event(world, message)
    if name == "MESSAGE_CREATE" and message.nonce:
        event["nonce"] = message.nonce
    world.tell(name, event, guild=world.channels[message.channel].guild)
