"""What Discord tells the app of itself, of guilds and of people."""

from tests.fakes.discord import payloads
from tests.fakes.discord.asked import Asked, Reply
from tests.fakes.discord.guilds import channels_of, guild_facts
from tests.fakes.discord.state import Guild, Refused

DAY_MS = 24 * 3600 * 1000


def me(asked: Asked) -> Reply:
    """GET /users/@me."""
    user = asked.world.users[asked.world.app.id]
    return 200, {
        **payloads.user_json(user),
        "locale": "en-US",
        "mfa_enabled": False,
        "verified": True,
        "email": None,
    }


def user(asked: Asked) -> Reply:
    """GET /users/{id}."""
    found = asked.world.users.get(asked.params["user_id"])
    if found is None:
        raise Refused(404, 10013, "Unknown User")
    return 200, payloads.user_json(found)


def application(asked: Asked) -> Reply:
    """GET /applications/@me and /oauth2/applications/@me."""
    world = asked.world
    owner = next((g.owner for g in world.guilds.values()), world.app.id)
    return 200, {
        "id": world.app.id,
        "name": world.app.name,
        "description": "",
        "icon": None,
        "type": None,
        "bot": payloads.user_json(world.users[world.app.id]),
        "bot_public": True,
        "bot_require_code_grant": False,
        "flags": world.app.flags,
        "flags_new": str(world.app.flags),
        "owner": payloads.user_json(world.users[owner]),
        "team": None,
        "verify_key": "0" * 64,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": [],
        "approximate_guild_count": len(world.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
    }


def gateway(asked: Asked) -> Reply:
    """GET /gateway."""
    return 200, {"url": _gateway_url(asked)}


def gateway_bot(asked: Asked) -> Reply:
    """GET /gateway/bot."""
    return 200, {
        "url": _gateway_url(asked),
        "shards": asked.world.shards,
        "session_start_limit": {
            "total": 1000,
            "remaining": max(0, asked.world.identifies_left),
            "reset_after": DAY_MS,
            "max_concurrency": 1,
        },
    }


def _gateway_url(asked: Asked) -> str:
    return f"ws{asked.world.base.removeprefix('http')}/gateway/"


def _guild(asked: Asked) -> Guild:
    found = asked.world.guilds.get(asked.params["guild_id"])
    if found is None:
        raise Refused(404, 10004, "Unknown Guild")
    if asked.world.app.id not in found.members:
        raise Refused(403, 50001, "Missing Access")
    return found


def guild(asked: Asked) -> Reply:
    """GET /guilds/{id}."""
    return 200, guild_facts(_guild(asked))


def guilds(asked: Asked) -> Reply:
    """GET /users/@me/guilds: those that the app is in."""
    inside = [g for g in asked.world.guilds.values() if asked.world.app.id in g.members]
    return 200, [
        {
            "id": found.id,
            "name": found.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": str(found.roles[found.id].permissions),
            "features": [],
        }
        for found in inside
    ]


def channels(asked: Asked) -> Reply:
    """GET /guilds/{id}/channels: without threads."""
    found = channels_of(asked.world, _guild(asked).id)
    return 200, [payloads.channel_json(asked.world, channel) for channel in found]


def roles(asked: Asked) -> Reply:
    """GET /guilds/{id}/roles."""
    found = _guild(asked).roles.values()
    return 200, [payloads.role_json(role, position=i) for i, role in enumerate(found)]


def member(asked: Asked) -> Reply:
    """GET /guilds/{id}/members/{user}."""
    found = _guild(asked).members.get(asked.params["user_id"])
    if found is None:
        known = asked.params["user_id"] in asked.world.users
        raise Refused(404, 10007 if known else 10013, "Unknown Member" if known else "Unknown User")
    return 200, payloads.member_json(asked.world, found)
