"""Methods of files.*: uploads in three steps, and processing that takes its time."""

import secrets

from tests.fakes.slack.access import Caller, may_read
from tests.fakes.slack.filing import file_json
from tests.fakes.slack.messages import channel_of, checked_content, message_json
from tests.fakes.slack.state import File, Json, Message, Refused, World


def upload_url(world: World, caller: Caller, args: Json) -> Json:
    """files.getUploadURLExternal."""
    name, length = str(args.get("filename") or ""), str(args.get("length") or "")
    if not name or not length.isdecimal() or int(length) < 1:
        raise Refused("invalid_arguments")
    alt = str(args.get("alt_txt") or "")
    if len(alt) > 1000:
        world.violated(f"an alt_txt of {len(alt)} characters; a file's has at most 1000")
        raise Refused("alt_txt_too_large")
    space = caller.spaces[0]
    file = File(
        id=world.new_id("F"),
        team=space.id,
        user=space.bot_user,
        name=name,
        alt=alt,
        size=int(length),
        upload=secrets.token_hex(16),
        created=world.now(),
    )
    world.files[file.id] = file
    return {"upload_url": f"{world.base}/upload/v1/{file.upload}", "file_id": file.id}


def received(world: World, upload: str, data: bytes) -> tuple[int, str]:
    """Bytes at an upload address: the HTTP status and what is said."""
    file = next((f for f in world.files.values() if f.upload == upload), None)
    if file is None or file.complete:
        return 404, "no such upload"
    if len(data) != file.size:
        return 400, f"expected {file.size} bytes, got {len(data)}"
    file.data = data
    return 200, f"OK - {len(data)}"


def complete(world: World, caller: Caller, args: Json) -> Json:
    """files.completeUploadExternal, with a channel or without one."""
    named = args.get("files")
    if not isinstance(named, list) or not named:
        raise Refused("invalid_arguments")
    channel = args.get("channel_id") or args.get("channels")
    if channel:
        channel_of(caller, {"channel": channel}, posting=True)
    files = [_mine(world, caller, entry) for entry in named]
    for file, entry in zip(files, named, strict=True):
        file.complete = True
        file.title = str(entry.get("title") or file.name)
        file.ready_at = world.now() + world.processing_s
    if channel:
        _share(world, caller, files, {**args, "channel": channel})
    return {"files": [file_json(world, file) for file in files]}


def info(world: World, caller: Caller, args: Json) -> Json:
    """files.info."""
    return {"file": file_json(world, _seen(world, caller, args)), "comments": []}


def delete(world: World, caller: Caller, args: Json) -> Json:
    """files.delete: its own only."""
    file = _seen(world, caller, args)
    if file.user != caller.spaces[0].bot_user:
        raise Refused("cant_delete_file")
    file.deleted = True
    return {}


def deprecated(world: World, caller: Caller, args: Json) -> Json:
    """files.upload, dead since November 2025."""
    world.violated("files.upload was called")
    raise Refused("method_deprecated")


def _mine(world: World, caller: Caller, entry: Json) -> File:
    file = world.files.get(str(entry.get("id", "")))
    if file is None or file.user != caller.spaces[0].bot_user or file.team != caller.spaces[0].id:
        raise Refused("file_not_found")
    if file.complete:
        raise Refused("file_already_completed")
    if not file.data:
        raise Refused("file_upload_size_limit_exceeded", detail="no bytes were uploaded")
    return file


def _share(world: World, caller: Caller, files: list[File], args: Json) -> None:
    space, channel = channel_of(caller, args, posting=True)
    comment = str(args.get("initial_comment") or "")
    text, blocks = checked_content(world, space, args | {"text": comment}) if comment else ("", [])
    message = Message(
        team=space.id,
        channel=channel.id,
        ts=world.new_ts(),
        user=space.bot_user,
        bot_id=space.bot_id,
        text=text,
        blocks=blocks,
        thread=str(args.get("thread_ts") or ""),
        files=tuple(file.id for file in files),
    )
    channel.messages[message.ts] = message
    for file in files:
        file.shares[channel.id] = message.ts
    if channel.kind == "im":
        shown = message_json(world, message, metadata=False)
        world.told(space.id, {**shown, "subtype": "file_share", "channel": channel.id,
                              "channel_type": "im", "event_ts": message.ts})  # fmt: skip


def _seen(world: World, caller: Caller, args: Json) -> File:
    file = world.files.get(str(args.get("file", "")))
    if file is None or file.deleted:
        raise Refused("file_deleted" if file else "file_not_found")
    if not any(may_read(world, file, space) for space in caller.spaces):
        raise Refused("file_not_found")
    return file
