"""What an administrator chose for Discord."""

from dataclasses import dataclass, field

API_BASE_URL = "https://discord.com/api/v10"
GATEWAY_URL = "wss://gateway.discord.gg/"


@dataclass(frozen=True, kw_only=True)
class DiscordOptions:
    """Everything the adapter is told. Settings become this in `bot/chats.py`."""

    token: str = field(repr=False)
    """The bot's token."""
    base_url: str
    """Where people reach this house, without a slash at the end."""
    api_base_url: str = API_BASE_URL
    """Where the REST API is, without a slash at the end."""
    gateway_url: str = GATEWAY_URL
    """Where the gateway is, with a slash at the end."""
    shards: int = 1
    """Gateway connections among which the guilds are shared, 1 to 64."""
    senders: int = 3
    """Messages that are sent at the same time."""
    guilds: tuple[str, ...] = ()
    """Guilds in which it answers; empty: any that it was invited to."""
    approve_emoji: tuple[str, ...] = ()
    reject_emoji: tuple[str, ...] = ()
    """Emoji that vote beside ✅ and ❌: as typed, or the name of a guild's own."""

    def allows(self, guild: str) -> bool:
        """Whether it answers there; outside guilds that is the house's business alone."""
        return not guild or not self.guilds or guild in self.guilds
