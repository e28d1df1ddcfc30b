"""whose: the workspace in which somebody did something, as its key.

Bolt's answer to that is where the app was installed, which is the one for a token: of a form and a
Home tab it is `app_installed_team_id`, in an Enterprise Grid often another workspace than the one
in which the person works, or the enterprise itself (github.com/slackapi/bolt-python/issues/1229).
"""

from collections.abc import Mapping
from typing import Any

from bot.chat.slack_chat.places import parts_of, team_key

Body = Mapping[str, Any]


def team_of(body: Body, context: Mapping[str, Any], *, own: str = "") -> str:
    """The key of the workspace; empty where nothing says it. `own` is what we wrote down for a
    form when it was opened, which holds within the same enterprise."""
    enterprise = _text(context, "enterprise_id")
    if own and parts_of(own)[0] == enterprise:
        return own
    return team_key(enterprise, _of_view(body) or _installed(body, context))


def _of_view(body: Body) -> str:
    """Where a person has a form or their Home tab open; empty for everything else."""
    view = _part(body, "view")
    if not view:
        return ""
    said = (_id(body, "team"), _text(_part(body, "user"), "team_id"), _text(view, "team_id"))
    return next((team for team in said if team and not team.startswith("E")), "")


def _installed(body: Body, context: Mapping[str, Any]) -> str:
    enterprise, team = _text(context, "enterprise_id"), _text(context, "team_id")
    if not team and _text(body, "enterprise_id") in ("", enterprise):
        # Installed for a whole enterprise, its authorisation names no workspace; the event does.
        team = _text(body, "team_id")
    return team


def _text(thing: Body, name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""


def _part(thing: Body, name: str) -> Body:
    value = thing.get(name)
    return value if isinstance(value, dict) else {}


def _id(thing: Body, name: str) -> str:
    return _text(thing, name) or _text(_part(thing, name), "id")
