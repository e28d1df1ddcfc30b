"""Every method of Slack's Web API that is called, and nothing that is not here is called.

Scopes and tiers: each method's page under docs.slack.dev/reference/methods.
"""

from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """A method of the Web API."""

    AUTH_TEST = "auth.test"
    AUTH_REVOKE = "auth.revoke"
    CHAT_POST_MESSAGE = "chat.postMessage"
    CHAT_POST_EPHEMERAL = "chat.postEphemeral"
    CHAT_UPDATE = "chat.update"
    CHAT_DELETE = "chat.delete"
    CONVERSATIONS_OPEN = "conversations.open"
    CONVERSATIONS_HISTORY = "conversations.history"
    CONVERSATIONS_REPLIES = "conversations.replies"
    FILES_GET_UPLOAD_URL = "files.getUploadURLExternal"
    FILES_COMPLETE_UPLOAD = "files.completeUploadExternal"
    FILES_INFO = "files.info"
    FILES_DELETE = "files.delete"
    VIEWS_OPEN = "views.open"
    VIEWS_UPDATE = "views.update"
    VIEWS_PUBLISH = "views.publish"
    OAUTH_ACCESS = "oauth.v2.access"
    CONNECTIONS_OPEN = "apps.connections.open"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What Slack asks of a caller of one method."""

    scopes: tuple[str, ...] = ()
    """Scopes of the bot token, all of which it may need."""
    per_minute: int = 50
    """Calls a minute, app and workspace (the lower end of its tier)."""
    posts: bool = False
    """Whether calling it twice leaves two things behind, so that a lost answer is a doubt."""


HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")

RULES: dict[Method, Rule] = {
    Method.AUTH_TEST: Rule(per_minute=300),
    Method.AUTH_REVOKE: Rule(per_minute=50),
    Method.CHAT_POST_MESSAGE: Rule(scopes=("chat:write",), per_minute=300, posts=True),
    Method.CHAT_POST_EPHEMERAL: Rule(scopes=("chat:write",), per_minute=100),
    Method.CHAT_UPDATE: Rule(scopes=("chat:write",), per_minute=50),
    Method.CHAT_DELETE: Rule(scopes=("chat:write",), per_minute=50),
    Method.CONVERSATIONS_OPEN: Rule(scopes=("im:write",), per_minute=50),
    Method.CONVERSATIONS_HISTORY: Rule(scopes=HISTORY, per_minute=50),
    Method.CONVERSATIONS_REPLIES: Rule(scopes=HISTORY, per_minute=50),
    Method.FILES_GET_UPLOAD_URL: Rule(scopes=("files:write",), per_minute=100),
    Method.FILES_COMPLETE_UPLOAD: Rule(scopes=("files:write",), per_minute=100),
    Method.FILES_INFO: Rule(scopes=("files:read",), per_minute=100),
    Method.FILES_DELETE: Rule(scopes=("files:write",), per_minute=50),
    Method.VIEWS_OPEN: Rule(per_minute=100),
    Method.VIEWS_UPDATE: Rule(per_minute=100),
    Method.VIEWS_PUBLISH: Rule(per_minute=100),
    Method.OAUTH_ACCESS: Rule(per_minute=600),
    Method.CONNECTIONS_OPEN: Rule(per_minute=1),
}
"""`files.completeUploadExternal` posts where it is given a channel; its caller says so."""


def scopes_needed() -> frozenset[str]:
    """The bot scopes that the methods called need."""
    return frozenset(scope for rule in RULES.values() for scope in rule.scopes)
