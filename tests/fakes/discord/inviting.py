"""Discord's page on which an administrator lets an app into a server (docs.discord.com, OAuth2)."""

from urllib.parse import parse_qs, urlsplit

from tests.fakes.discord import access
from tests.fakes.discord.guilds import guild_json
from tests.fakes.discord.interactions import ClientRefused
from tests.fakes.discord.state import World

ASKED = {
    access.VIEW_CHANNEL: "View Channels",
    access.SEND_MESSAGES: "Send Messages",
    access.SEND_MESSAGES_IN_THREADS: "Send Messages in Threads",
    access.ATTACH_FILES: "Attach Files",
    access.READ_MESSAGE_HISTORY: "Read Message History",
    access.ADD_REACTIONS: "Add Reactions",
    access.MANAGE_MESSAGES: "Manage Messages",
    access.MENTION_EVERYONE: "Mention Everyone",
    access.ADMINISTRATOR: "Administrator",
}
"""What the page lists of an address's permissions."""


def authorize(world: World, address: str, *, guild: str) -> set[str]:
    """Open the address, choose the guild, press Authorize; what the page had listed. The app is
    let in with a role of its own that has these permissions and no others."""
    parts = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if (parts.netloc, parts.path) != ("discord.com", "/oauth2/authorize"):
        raise ClientRefused(f"{address} is not Discord's page")
    if asked.get("client_id") != world.app.id:
        raise ClientRefused("Unknown Application")
    if "bot" not in asked.get("scope", "").split():
        raise ClientRefused("without the scope bot nobody is let into a server")
    bits = int(asked.get("permissions", "0"))
    if bits & ~sum(ASKED):
        raise ClientRefused(f"{bits} has permissions that this page knows no name of")
    role = world.add_role(guild, world.app.name, permissions=bits)
    world.join(guild, world.app.id, role.id)
    world.tell("GUILD_CREATE", guild_json(world, world.guilds[guild]), guild=guild)
    return {name for bit, name in ASKED.items() if bits & bit}
