"""What an administrator chose for Slack."""

from dataclasses import dataclass, field
from enum import StrEnum

API_BASE_URL = "https://slack.com/api/"
AUTHORIZE_URL = "https://slack.com/oauth/v2/authorize"


class Mode(StrEnum):
    """How Slack's deliveries come in."""

    HTTP = "http"
    SOCKET = "socket"


@dataclass(frozen=True, kw_only=True)
class SlackOptions:
    """Everything the adapter is told. Settings become this in `bot/chats.py`."""

    mode: Mode
    base_url: str
    """Where people and Slack reach this house, without a slash at the end."""
    api_base_url: str = API_BASE_URL
    """Where the Web API is, with a slash at the end."""
    authorize_url: str = AUTHORIZE_URL
    bot_token: str = field(default="", repr=False)
    """The token of the one workspace; empty where workspaces install by OAuth."""
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    token_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys that seal stored tokens; the first seals, all of them open."""
    sockets: int = 2
    """Sockets held open, 1 to 10."""
    senders: int = 3
    """Messages that are sent at the same time."""
    allowed_teams: tuple[str, ...] = ()
    """Teams or enterprises that may install; empty: any."""
    approve_emoji: tuple[str, ...] = ()
    reject_emoji: tuple[str, ...] = ()
    """Names of emoji that vote beside the ones everybody knows, without colons."""

    @property
    def distributed(self) -> bool:
        """Whether workspaces install it by OAuth."""
        return bool(self.client_id)
