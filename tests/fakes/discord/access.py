"""Who may do what where (docs.discord.com, permissions and their overwrites)."""

from tests.fakes.discord.state import DM, THREAD, Channel, Json, Overwrite, Refused, World

ADD_REACTIONS = 1 << 6
ADMINISTRATOR = 1 << 3
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
USE_APPLICATION_COMMANDS = 1 << 31
CREATE_PUBLIC_THREADS = 1 << 35
SEND_MESSAGES_IN_THREADS = 1 << 38
ALL = (1 << 53) - 1
IN_DM = ADD_REACTIONS | VIEW_CHANNEL | SEND_MESSAGES | ATTACH_FILES | READ_MESSAGE_HISTORY

USUAL = (
    ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | USE_APPLICATION_COMMANDS
    | SEND_MESSAGES_IN_THREADS
)
"""What @everyone may in a guild of the tests."""


def permissions_in(world: World, channel: Channel, user: str) -> int:
    """What a user may in a channel or thread: bits; 0 for who is no member."""
    if channel.type == DM:
        return IN_DM if user in (world.app.id, channel.recipient) else 0
    guild = world.guilds[channel.guild]
    member = guild.members.get(user)
    if member is None:
        return 0
    if user == guild.owner:
        return ALL
    held = [guild.id, *member.roles]
    bits = 0
    for role in held:
        bits |= guild.roles[role].permissions if role in guild.roles else 0
    if bits & ADMINISTRATOR:
        return ALL
    above = world.channels[channel.parent] if channel.type == THREAD else channel
    everyone = [o for o in above.overwrites if o.id == guild.id]
    roles = [o for o in above.overwrites if o.kind == 0 and o.id in member.roles]
    own = [o for o in above.overwrites if o.kind == 1 and o.id == user]
    for rules in (everyone, roles, own):
        bits = _overwritten(bits, rules)
    return bits if bits & VIEW_CHANNEL else 0


def _overwritten(bits: int, rules: list[Overwrite]) -> int:
    for rule in rules:
        bits &= ~rule.deny
    for rule in rules:
        bits |= rule.allow
    return bits


def deny(channel: Channel, who: str, bits: int, *, kind: int = 1) -> None:
    """Take permissions from a member (or, kind 0, a role) in one channel."""
    for rule in channel.overwrites:
        if rule.id == who:
            rule.deny |= bits
            rule.allow &= ~bits
            return
    channel.overwrites.append(Overwrite(id=who, kind=kind, deny=bits))


def allow(channel: Channel, who: str, bits: int, *, kind: int = 1) -> None:
    """Give permissions to a member (or, kind 0, a role) in one channel."""
    for rule in channel.overwrites:
        if rule.id == who:
            rule.allow |= bits
            rule.deny &= ~bits
            return
    channel.overwrites.append(Overwrite(id=who, kind=kind, allow=bits))


def channel_seen(world: World, channel: str) -> Channel:
    """A channel that the app sees. Raises 10003, or 50001 where it may not look inside."""
    found = world.channels.get(channel)
    if found is None:
        raise Refused(404, 10003, "Unknown Channel")
    if not permissions_in(world, found, world.app.id) & VIEW_CHANNEL:
        raise Refused(403, 50001, "Missing Access")
    return found


def must(world: World, channel: Channel, bits: int) -> None:
    """Raises 50013 where the app lacks one of these permissions there."""
    if bits & ~permissions_in(world, channel, world.app.id):
        raise Refused(403, 50013, "Missing Permissions")


def may_send(world: World, channel: Channel, *, files: bool) -> None:
    """Raises what Discord says where the app may not write there."""
    if channel.type == DM:
        person = world.users[channel.recipient]
        if person.bot or not person.takes_dms:
            raise Refused(403, 50007, "Cannot send messages to this user")
        return
    if channel.type == THREAD and channel.archived and channel.locked:
        raise Refused(400, 50083, "Thread is archived")
    write = SEND_MESSAGES_IN_THREADS if channel.type == THREAD else SEND_MESSAGES
    must(world, channel, write | (ATTACH_FILES if files else 0))


def invalid(**wrong: str) -> Refused:
    """50035 with a field's complaint: `invalid(content="Must be 2000 or fewer in length.")`."""
    errors: Json = {}
    for field, words in wrong.items():
        inner = errors
        for step in field.split("__"):
            inner = inner.setdefault(step, {})
        inner["_errors"] = [{"code": 50035, "message": words}]
    return Refused(400, 50035, "Invalid Form Body", errors)
