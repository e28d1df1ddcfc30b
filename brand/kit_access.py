"""What a kit keeps people from, over and above their roles in Housestyle.

By the roles that they have on a platform, by the channel they speak in, and by how much they have
under way."""

from dataclasses import dataclass

REQUEST = "request"
APPROVE = "approve"
ACTIONS = (REQUEST, APPROVE)


@dataclass(frozen=True, kw_only=True)
class AccessRule:
    """One [[access]] entry: there, only who has one of these platform roles may do this.

    It takes away and never gives: whoever passes it still needs what [review] asks for.
    """

    name: str
    """What a refusal calls it."""
    platform: str
    place: str = ""
    """The platform's id of a server (Discord) or workspace (Slack); empty: anywhere on it, direct
    messages too."""
    channels: tuple[str, ...] = ()
    """Names of the kit's channels (`#social`) or the platform's ids; empty: all of them."""
    roles: tuple[str, ...] = ()
    """The platform's ids of the roles, one of which is needed; empty: nobody may."""
    may: tuple[str, ...] = (REQUEST,)
    """What the rule is about: request, approve."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """[limits]: how many requests may be under way at once. 0 is no limit."""

    open_jobs_person: int = 0
    """Of one person."""
    open_jobs_place: int = 0
    """Of all in one server or workspace."""
