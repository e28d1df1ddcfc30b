"""Where things are on Slack, in the words of the core.

A workspace is named by one key: `T1`, or `E1/T1` in an Enterprise Grid, where user ids belong to
the enterprise and channel ids may be shared between its workspaces. An installation for a whole
enterprise has the key `E1/`.
"""

PLATFORM = "slack"


def team_key(enterprise: str | None, team: str | None) -> str:
    """The key of a workspace from Slack's two ids, either of which may be missing."""
    return f"{enterprise}/{team or ''}" if enterprise else (team or "")


def parts_of(key: str) -> tuple[str, str]:
    """(enterprise id, team id) of a key; an empty text for what it has not."""
    enterprise, slash, team = key.partition("/")
    return (enterprise, team) if slash else ("", key)


def is_direct(channel: str) -> bool:
    """Whether a channel id is that of a direct conversation of two (`D…`)."""
    return channel.startswith("D")
