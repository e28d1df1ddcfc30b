"""How a Discord writes guilds down, for REST and the gateway."""

from tests.fakes.discord import access
from tests.fakes.discord.payloads import channel_json, member_json, role_json, stamp
from tests.fakes.discord.state import THREAD, Channel, Guild, Json, World


def channels_of(world: World, guild: str, *, kind: int = 0) -> list[Channel]:
    """Channels (or threads) of a guild that the app sees."""
    return [
        channel
        for channel in world.channels.values()
        if channel.guild == guild
        and channel.type == kind
        and access.permissions_in(world, channel, world.app.id)
    ]


def guild_json(world: World, guild: Guild) -> Json:
    """A guild as GUILD_CREATE tells it; without members that the app needs no intent for."""
    me = guild.members.get(world.app.id)
    return {
        **guild_facts(guild),
        "joined_at": stamp(me.joined_at if me else 0),
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "voice_states": [],
        "presences": [],
        "members": [member_json(world, me)] if me else [],
        "channels": [channel_json(world, found) for found in channels_of(world, guild.id)],
        "threads": [
            channel_json(world, found) for found in channels_of(world, guild.id, kind=THREAD)
        ],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def guild_facts(guild: Guild) -> Json:
    """What REST and the gateway both say of a guild."""
    return {
        "id": guild.id,
        "name": guild.name,
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": [],
        "banner": None,
        "owner_id": guild.owner,
        "application_id": None,
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 0,
        "roles": [role_json(role, position=i) for i, role in enumerate(guild.roles.values())],
        "default_message_notifications": 0,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_presences": None,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
        "incidents_data": None,
    }
