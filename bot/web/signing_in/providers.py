"""Providers of identities: what is configured, and the presets for Slack and Discord."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.core.people import Identity

SLACK = "https://slack.com"
DISCORD = "https://discord.com"
SLACK_USER = "https://slack.com/user_id"
SLACK_TEAM = "https://slack.com/team_id"
SLACK_ENTERPRISE = "https://slack.com/enterprise_id"
"""There in an Enterprise Grid alone."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MAX_NAME = 255


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Addresses of a provider. `issuer` names it in tokens and answers (RFC 9207)."""

    issuer: str
    authorize: str
    token: str
    keys: str = ""
    """Of its JWKS; empty where it gives no ID tokens."""
    me: str = ""
    """Where it says whose token that is; empty where the ID token says so."""
    auth_method: str = "client_secret_basic"
    says_issuer: bool = False
    """Whether it promises to name itself in the answer."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One way to sign in. `name` stands in addresses, `label` on buttons."""

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scope: str = "openid profile"
    hosts: frozenset[str] = frozenset()
    """Hosts besides the issuer's that it may be reached at."""
    endpoints: Endpoints | None = None
    """Fixed ones; None asks the issuer (OpenID Connect Discovery)."""

    @property
    def redirect_path(self) -> str:
        """Where the provider sends people back to, below the portal's address."""
        return f"/sign-in/{self.name}/callback"

    def allows(self, address: str) -> bool:
        """Whether it may be spoken to there: its own hosts, by https (http on loopback only)."""
        try:
            parts = urlsplit(address)
            parts.port  # noqa: B018  reading it checks it
        except ValueError:
            return False
        host = parts.hostname or ""
        if parts.username is not None or parts.password is not None:
            return False
        if host != urlsplit(self.issuer).hostname and host not in self.hosts:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)

    def account(self, claims: Mapping[str, Any]) -> Identity | None:
        """Whose these proven claims are; None where they do not say. An e-mail address is never
        looked at: whoever may set one at a provider is not thereby our member."""
        match self.name:
            case "slack":
                return _identity("slack", claims.get(SLACK_USER), _workspace(claims))
            case "discord":
                return _identity("discord", claims.get("id"), "")
            case _:
                return _identity("oidc", claims.get("sub"), self.issuer)


def _workspace(claims: Mapping[str, Any]) -> object:
    """The key of the workspace, as in Slack itself: `T1`, or `E1/T1` in an Enterprise Grid."""
    team, enterprise = claims.get(SLACK_TEAM), claims.get(SLACK_ENTERPRISE)
    if not enterprise:
        return team
    whole = isinstance(enterprise, str) and isinstance(team, str) and team
    return f"{enterprise}/{team}" if whole else None


def _identity(platform: str, user: object, team: object) -> Identity | None:
    if not isinstance(user, str) or not isinstance(team, str):
        return None
    if not 0 < len(user) <= MAX_NAME or len(team) > MAX_NAME or not user.isprintable():
        return None
    if platform == "slack" and not team:
        return None
    return Identity(platform=platform, user=user, team=team)


def oidc(
    *,
    issuer: str,
    client_id: str,
    client_secret: str,
    label: str = "your company account",
    hosts: frozenset[str] = frozenset(),
) -> Provider:
    """Any issuer with discovery."""
    return Provider(
        name="oidc",
        label=label,
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
        hosts=hosts,
    )


def slack(*, client_id: str, client_secret: str, issuer: str = SLACK) -> Provider:
    """Sign in with Slack: its user and workspace ids stand in claims of their own
    (docs.slack.dev, Sign in with Slack)."""
    return Provider(
        name="slack",
        label="Slack",
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
    )


def discord(*, client_id: str, client_secret: str, address: str = DISCORD) -> Provider:
    """Discord has OAuth 2.0 without ID tokens: the token's owner is asked for
    (docs.discord.com, OAuth2)."""
    return Provider(
        name="discord",
        label="Discord",
        issuer=address,
        client_id=client_id,
        client_secret=client_secret,
        scope="identify",
        endpoints=Endpoints(
            issuer=address,
            authorize=f"{address}/oauth2/authorize",
            token=f"{address}/api/oauth2/token",
            me=f"{address}/api/v10/users/@me",
        ),
    )
