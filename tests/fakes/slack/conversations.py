"""Methods of conversations.*: looking back, joining, opening."""

from tests.fakes.slack.access import Caller
from tests.fakes.slack.messages import channel_of, direct, message_json
from tests.fakes.slack.state import Channel, Json, Message, Refused, Workspace, World

HISTORY = {"public": "channels", "private": "groups", "im": "im"}
PAGE, DISTRIBUTED_PAGE = 100, 15


def open_(world: World, caller: Caller, args: Json) -> Json:
    """conversations.open: the direct conversation with one user."""
    user = str(args.get("users", ""))
    for space in caller.spaces:
        if user in space.users and user != space.bot_user:
            channel = direct(world, space, user)
            return {"channel": {"id": channel.id}, "no_op": True, "already_open": True}
    raise Refused("user_not_found")


def join(world: World, caller: Caller, args: Json) -> Json:
    """conversations.join: public channels only."""
    space, channel = channel_of(caller, args)
    if channel.kind != "public":
        raise Refused("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refused("is_archived")
    channel.members.add(space.bot_user)
    return {"channel": _channel_json(space, channel)}


def info(world: World, caller: Caller, args: Json) -> Json:
    """conversations.info."""
    space, channel = channel_of(caller, args)
    return {"channel": _channel_json(space, channel)}


def history(world: World, caller: Caller, args: Json) -> Json:
    """conversations.history: newest first, without the answers in threads."""
    _space, channel = _readable(caller, args)
    shown = [m for m in channel.live() if not m.thread or m.thread == m.ts]
    page = [m for m in reversed(shown) if _within(m, args)]
    return _page(world, page, args)


def replies(world: World, caller: Caller, args: Json) -> Json:
    """conversations.replies: the first message of the thread, then its answers."""
    _space, channel = _readable(caller, args)
    root = str(args.get("ts", ""))
    if root not in channel.messages:
        raise Refused("thread_not_found")
    page = [m for m in channel.live() if root in (m.ts, m.thread)]
    return _page(world, [m for m in page if m.ts == root or _within(m, args)], args)


def _readable(caller: Caller, args: Json) -> tuple[Workspace, Channel]:
    space, channel = channel_of(caller, args)
    needed = f"{HISTORY[channel.kind]}:history"
    if needed not in caller.token.scopes:
        raise Refused("missing_scope", needed=needed, provided=",".join(caller.token.scopes))
    if space.bot_user not in channel.members:
        raise Refused("not_in_channel")
    return space, channel


def _within(message: Message, args: Json) -> bool:
    oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
    ts = float(message.ts)
    if str(args.get("inclusive", "")).lower() in ("1", "true"):
        return oldest <= ts <= latest
    return oldest < ts < latest


def _page(world: World, page: list[Message], args: Json) -> Json:
    most = DISTRIBUTED_PAGE if world.distributed else 999
    limit = min(int(args.get("limit") or PAGE), most)
    metadata = str(args.get("include_all_metadata", "")).lower() in ("1", "true")
    begin = int(args.get("cursor") or 0)
    end = begin + limit
    shown = [message_json(world, m, metadata=metadata) for m in page[begin:end]]
    more = {"response_metadata": {"next_cursor": str(end)}} if len(page) > end else {}
    return {"messages": shown, "has_more": bool(more), **more}


def _channel_json(space: Workspace, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_private": channel.kind != "public",
        "is_im": channel.kind == "im",
        "is_archived": channel.archived,
        "is_member": space.bot_user in channel.members,
    }
