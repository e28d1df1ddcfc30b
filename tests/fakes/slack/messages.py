"""Methods of chat.*, and the messages that they leave."""

import json

from tests.fakes.slack.access import Caller, files_of
from tests.fakes.slack.blocks import check_message
from tests.fakes.slack.filing import file_json
from tests.fakes.slack.state import Channel, Json, Message, Refused, Workspace, World

TEXT, METADATA_BYTES = 40_000, 8_000


def channel_of(caller: Caller, args: Json, *, posting: bool = False) -> tuple[Workspace, Channel]:
    """The channel that a call names. Raises Refused where the app can't use it so."""
    for space in caller.spaces:
        channel = space.channels.get(str(args.get("channel", "")))
        if channel is None or (channel.kind != "public" and space.bot_user not in channel.members):
            continue
        if posting and channel.archived:
            raise Refused("is_archived")
        if posting and channel.restricted:
            raise Refused("restricted_action")
        if posting and space.bot_user not in channel.members:
            raise Refused("not_in_channel")
        return space, channel
    raise Refused("channel_not_found")


def message_json(world: World, message: Message, *, metadata: bool = True) -> Json:
    """A message as Slack gives it."""
    found: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": message.team,
    }
    if message.bot_id:
        found |= {"bot_id": message.bot_id, "app_id": world.app_id}
    if message.blocks:
        found["blocks"] = message.blocks
    if message.thread:
        found["thread_ts"] = message.thread
    if message.files:
        files = (world.files[f] for f in message.files)
        found["files"] = [file_json(world, f) for f in files if not f.deleted]
    if message.edits:
        found["edited"] = {"user": message.user, "ts": f"{message.edits[-1]:.6f}"}
    if metadata and message.metadata:
        found["metadata"] = message.metadata
    return found


def post_message(world: World, caller: Caller, args: Json) -> Json:
    """chat.postMessage."""
    space, channel = channel_of(caller, args, posting=True)
    text, blocks = checked_content(world, space, args)
    thread = str(args.get("thread_ts") or "")
    if thread and (thread not in channel.messages or channel.messages[thread].deleted):
        raise Refused("thread_not_found")
    metadata = args.get("metadata")
    if metadata is not None:
        _check_metadata(metadata)
    message = Message(
        team=space.id,
        channel=channel.id,
        ts=world.new_ts(),
        user=space.bot_user,
        bot_id=space.bot_id,
        text=text,
        blocks=blocks,
        metadata=metadata,
        thread=thread,
    )
    channel.messages[message.ts] = message
    show_files(world, message)
    _echo(world, channel, message_json(world, message, metadata=False))
    return {"channel": channel.id, "ts": message.ts, "message": message_json(world, message)}


def update(world: World, caller: Caller, args: Json) -> Json:
    """chat.update: `text` without `blocks` takes the blocks away."""
    space, channel = channel_of(caller, args)
    message = _own(space, channel, args, "cant_update_message")
    text, blocks = checked_content(world, space, args)
    message.versions.append(message.blocks)
    message.texts.append(message.text)
    message.text, message.blocks = text, blocks
    if args.get("metadata") is not None:
        _check_metadata(args["metadata"])
        message.metadata = args["metadata"]
    message.edits.append(world.now())
    show_files(world, message)
    shown = message_json(world, message, metadata=False)
    _echo(world, channel, {"subtype": "message_changed", "message": shown, "ts": world.new_ts()})
    return {"channel": channel.id, "ts": message.ts, "text": text, "message": shown}


def delete(world: World, caller: Caller, args: Json) -> Json:
    """chat.delete."""
    space, channel = channel_of(caller, args)
    message = _own(space, channel, args, "cant_delete_message")
    message.deleted = True
    gone = {"subtype": "message_deleted", "deleted_ts": message.ts, "ts": world.new_ts()}
    _echo(world, channel, gone)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(world: World, caller: Caller, args: Json) -> Json:
    """chat.postEphemeral: no files, no images of Slack's, in no history."""
    space, channel = channel_of(caller, args, posting=True)
    user = str(args.get("user", ""))
    if user not in space.users:
        raise Refused("user_not_found")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    if "slack_file" in json.dumps(args.get("blocks") or []):
        world.violated("chat.postEphemeral with a file: an ephemeral message can have none")
        raise Refused("invalid_blocks", errors=["no files in ephemeral messages"])
    text, blocks = checked_content(world, space, args)
    message = Message(
        team=space.id,
        channel=channel.id,
        ts=world.new_ts(),
        user=space.bot_user,
        bot_id=space.bot_id,
        text=text,
        blocks=blocks,
        thread=str(args.get("thread_ts") or ""),
        only_for=user,
    )
    channel.ephemerals.append(message)
    return {"message_ts": message.ts}


def permalink(world: World, caller: Caller, args: Json) -> Json:
    """chat.getPermalink."""
    space, channel = channel_of(caller, args)
    ts = str(args.get("message_ts", ""))
    if ts not in channel.messages:
        raise Refused("message_not_found")
    link = f"https://{space.name}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def direct(world: World, space: Workspace, user: str) -> Channel:
    """The direct conversation of the app with this user; always the same one."""
    pair = {user, space.bot_user}
    for channel in space.channels.values():
        if channel.kind == "im" and channel.members == pair:
            return channel
    new = world.new_id("D")
    space.channels[new] = Channel(id=new, name="", team=space.id, kind="im", members=pair)
    return space.channels[new]


def users_info(world: World, caller: Caller, args: Json) -> Json:
    """users.info."""
    for space in caller.spaces:
        user = space.users.get(str(args.get("user", "")))
        if user is not None:
            about = {"id": user.id, "name": user.name, "team_id": user.team, "is_bot": user.is_bot}
            return {"user": about}
    raise Refused("user_not_found")


def add_reaction(world: World, caller: Caller, args: Json) -> Json:
    """reactions.add."""
    space, channel = channel_of(caller, args)
    message = channel.messages.get(str(args.get("timestamp", "")))
    if message is None or message.deleted:
        raise Refused("message_not_found")
    users = message.reactions.setdefault(str(args.get("name", "")), set())
    if space.bot_user in users:
        raise Refused("already_reacted")
    users.add(space.bot_user)
    return {}


def checked_content(world: World, space: Workspace, args: Json) -> tuple[str, list[Json]]:
    """(text, blocks) of a message. Raises Refused beyond Slack's limits."""
    text, blocks = args.get("text") or "", args.get("blocks") or []
    if not isinstance(text, str) or not (text or blocks):
        raise Refused("no_text")
    if not text:
        world.violated("a message with blocks and no text: nothing to read in a notification")
    if len(text) > TEXT:
        world.violated(f"a message of {len(text)} characters")
        raise Refused("msg_too_long")
    if blocks:
        wrong = check_message(blocks, files=files_of(world, space.id))
        refuse_blocks(world, wrong)
    return text, blocks


def refuse_blocks(world: World, wrong: list[str]) -> None:
    """Raises Refused for wrong blocks, and notes what can only be the app's own mistake."""
    if not wrong:
        return
    if any("slack file" not in fault for fault in wrong):
        world.violated(f"invalid_blocks: {wrong}")
    raise Refused("invalid_blocks", errors=wrong, response_metadata={"messages": wrong})


def show_files(world: World, message: Message) -> None:
    """Remember where the files in a message's blocks may be seen."""
    for block in message.blocks:
        for part in (block, block.get("accessory") or {}, *block.get("elements", [])):
            shown = part.get("slack_file") if isinstance(part, dict) else None
            for file in world.files.values():
                if shown and shown.get("id") == file.id:
                    file.shown.add(message.channel)


def _own(space: Workspace, channel: Channel, args: Json, error: str) -> Message:
    message = channel.messages.get(str(args.get("ts", "")))
    if message is None or message.deleted:
        raise Refused("message_not_found")
    if message.user != space.bot_user:
        raise Refused(error)
    return message


def _check_metadata(metadata: object) -> None:
    whole = isinstance(metadata, dict) and isinstance(metadata.get("event_payload"), dict)
    if not whole or not metadata.get("event_type"):
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise Refused("metadata_too_large")


def _echo(world: World, channel: Channel, event: Json) -> None:
    """In a direct conversation the app is told of its own messages too."""
    if channel.kind != "im":
        return
    about = {"type": "message", "channel": channel.id, "channel_type": "im", **event}
    world.told(channel.team, about | {"event_ts": about["ts"]})
