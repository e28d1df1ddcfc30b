"""Who calls, and what they may see."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.slack.filing import kind_of
from tests.fakes.slack.state import File, Json, Refused, Token, Workspace, World

SHOWN = ("image/png", "image/jpeg", "image/gif")
"""What a `slack_file` may be."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A token, and the workspaces that it works in."""

    token: Token
    spaces: tuple[Workspace, ...]

    @property
    def team(self) -> str:
        """The workspace of a token of one."""
        return self.token.team or self.token.enterprise


def caller_of(
    world: World, value: str, *, kinds: tuple[str, ...], scopes: tuple[str, ...]
) -> Caller:
    """The caller with this token. Raises Refused where it is unknown, void or not enough."""
    if not value:
        raise Refused("not_authed")
    token = world.tokens.get(value)
    if token is None:
        raise Refused("invalid_auth")
    if token.revoked:
        raise Refused(token.revoked)
    if token.expires_at is not None and world.now() >= token.expires_at:
        raise Refused("token_expired")
    if token.kind not in kinds:
        raise Refused("not_allowed_token_type")
    if missing := [scope for scope in scopes if scope not in token.scopes]:
        raise Refused("missing_scope", needed=missing[0], provided=",".join(sorted(token.scopes)))
    return Caller(token=token, spaces=tuple(world.spaces_of(token)))


def may_read(world: World, file: File, space: Workspace) -> bool:
    """Whether the app may use this file in this workspace."""
    if file.team != space.id or file.deleted:
        return False
    inside = (space.channels[c] for c in file.shares if c in space.channels)
    shared = any(space.bot_user in channel.members for channel in inside)
    return file.user == space.bot_user or file.granted or shared


def files_of(world: World, team: str) -> Callable[[Json], str | None]:
    """What is wrong with a `slack_file` in this workspace."""
    space = world.workspaces[team]

    def fault(slack_file: Json) -> str | None:
        file = _named(world, slack_file)
        if file is None or not file.complete or not may_read(world, file, space):
            return "invalid slack file"
        if world.now() < file.ready_at or kind_of(file)[1] not in SHOWN:
            return "invalid slack file"
        return None

    return fault


def _named(world: World, slack_file: Json) -> File | None:
    if not isinstance(slack_file, dict) or set(slack_file) not in ({"id"}, {"url"}):
        return None
    if "id" in slack_file:
        return world.files.get(str(slack_file["id"]))
    named = (f for f in world.files.values() if f"/{f.team}-{f.id}/" in str(slack_file["url"]))
    return next(named, None)
