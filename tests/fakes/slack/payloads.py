"""What Slack sends an app, as its reference pages show it."""

from tests.fakes.slack.messages import message_json
from tests.fakes.slack.state import Json, Message, View, World
from tests.fakes.slack.views import view_json

VERIFICATION_TOKEN = "verification-token-of-old"


def about(world: World, team: str, user: str) -> Json:
    """Who did it, where, in every interactive payload."""
    space = world.workspaces[team]
    person = space.users[user]
    enterprise = {"id": space.enterprise, "name": "Org"} if space.enterprise else None
    return {
        "team": {"id": team, "domain": space.name}
        | ({"enterprise_id": space.enterprise} if space.enterprise else {}),
        "user": {"id": user, "username": person.name, "name": person.name, "team_id": team},
        "api_app_id": world.app_id,
        "token": VERIFICATION_TOKEN,
        "enterprise": enterprise,
        "is_enterprise_install": org_wide(world, team),
    }


def org_wide(world: World, team: str) -> bool:
    """Whether the app is in this workspace by an installation for its whole enterprise."""
    enterprise = world.workspaces[team].enterprise
    tokens = [t for t in world.tokens.values() if t.kind == "bot" and not t.revoked]
    return any(
        enterprise and not t.team and t.enterprise == enterprise for t in tokens
    ) and not any(t.team == team for t in tokens)


def command(world: World, team: str, user: str, name: str, text: str, channel: str) -> Json:
    """A slash command's form."""
    space = world.workspaces[team]
    where = space.channels[channel]
    form = {
        "token": VERIFICATION_TOKEN,
        "team_id": team,
        "team_domain": space.name,
        "channel_id": channel,
        "channel_name": "directmessage" if where.kind == "im" else where.name,
        "user_id": user,
        "user_name": space.users[user].name,
        "command": name,
        "text": text,
        "api_app_id": world.app_id,
        "is_enterprise_install": str(org_wide(world, team)).lower(),
        "response_url": world.new_response_url(team, channel, user),
        "trigger_id": world.new_trigger(team, user),
    }
    if space.enterprise:
        form |= {"enterprise_id": space.enterprise, "enterprise_name": "Org"}
    return form


def action_in_message(world: World, user: str, message: Message, action: Json) -> Json:
    """A button of a message."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": bool(message.only_for),
    }
    if message.thread:
        container["thread_ts"] = message.thread
    found = {
        "type": "block_actions",
        **about(world, message.team, user),
        "container": container,
        "channel": _channel(world, message.team, message.channel),
        "trigger_id": world.new_trigger(message.team, user),
        "response_url": world.new_response_url(message.team, message.channel, user),
        "state": {"values": {}},
        "actions": [action],
    }
    if not message.only_for:
        found["message"] = message_json(world, message)
    return found


def action_in_view(world: World, view: View, action: Json) -> Json:
    """A button or select of a form or Home tab."""
    return {
        "type": "block_actions",
        **about(world, view.team, view.user),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": world.new_trigger(view.team, view.user),
        "view": view_json(world, view),
        "actions": [action],
    }


def submission(world: World, view: View) -> Json:
    """A form that was sent off."""
    return {
        "type": "view_submission",
        **about(world, view.team, view.user),
        "trigger_id": world.new_trigger(view.team, view.user),
        "view": view_json(world, view),
        "response_urls": [],
    }


def closed(world: World, view: View, *, cleared: bool) -> Json:
    """A form that was closed, where the view asked to be told."""
    return {
        "type": "view_closed",
        **about(world, view.team, view.user),
        "view": view_json(world, view),
        "is_cleared": cleared,
    }


def suggestion(world: World, view: View, block: str, action: str, typed: str) -> Json:
    """What was typed into an external select."""
    return {
        "type": "block_suggestion",
        **about(world, view.team, view.user),
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(world, view),
        "action_id": action,
        "block_id": block,
        "value": typed,
    }


def message_shortcut(world: World, user: str, name: str, message: Message) -> Json:
    """A shortcut in a message's menu."""
    return {
        "type": "message_action",
        **about(world, message.team, user),
        "callback_id": name,
        "trigger_id": world.new_trigger(message.team, user),
        "action_ts": world.new_ts(),
        "response_url": world.new_response_url(message.team, message.channel, user),
        "channel": _channel(world, message.team, message.channel),
        "message_ts": message.ts,
        "message": message_json(world, message),
    }


def global_shortcut(world: World, team: str, user: str, name: str) -> Json:
    """A shortcut in the search bar."""
    return {
        "type": "shortcut",
        **about(world, team, user),
        "callback_id": name,
        "trigger_id": world.new_trigger(team, user),
        "action_ts": world.new_ts(),
    }


def event(world: World, team: str, inner: Json) -> Json:
    """An event in its wrapping."""
    space = world.workspaces[team]
    wide = org_wide(world, team)
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": team,
        "api_app_id": world.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": world.new_id("Ev"),
        "event_time": int(world.now()),
        "authorizations": [
            {
                "enterprise_id": space.enterprise or None,
                "team_id": None if wide else team,
                "user_id": space.bot_user,
                "is_bot": True,
                "is_enterprise_install": wide,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{world.new_id('')}",
    } | ({"enterprise_id": space.enterprise} if space.enterprise else {})


def _channel(world: World, team: str, channel: str) -> Json:
    found = world.workspaces[team].channels[channel]
    return {"id": channel, "name": "directmessage" if found.kind == "im" else found.name}
