"""whose: the workspace in which somebody did something, as its key.

Bolt's answer to that is where the app was installed, which is the one for a token: of a form and a
Home tab it is `app_installed_team_id`, in an Enterprise Grid often another workspace than the one
in which the person works, or the enterprise itself (github.com/slackapi/bolt-python/issues/1229).
"""

from collections.abc import Mapping
from typing import Any

from bot.chat.slack_chat.incoming.payload import id_in
from bot.chat.slack_chat.places import parts_of, team_key
from bot.core.payloads import Body, part_of, text_in


def team_of(body: Body, context: Mapping[str, Any], *, own: str = "") -> str:
    """The key of the workspace; empty where nothing says it. `own` is what we wrote down for a
    form when it was opened, which holds within the same enterprise."""
    enterprise = text_in(context, "enterprise_id")
    if own and parts_of(own)[0] == enterprise:
        return own
    return team_key(enterprise, _of_view(body) or _installed(body, context))


def _of_view(body: Body) -> str:
    """Where a person has a form or their Home tab open; empty for everything else."""
    view = part_of(body, "view")
    if not view:
        return ""
    said = (
        id_in(body, "team"),
        text_in(part_of(body, "user"), "team_id"),
        text_in(view, "team_id"),
    )
    return next((team for team in said if team and not team.startswith("E")), "")


def _installed(body: Body, context: Mapping[str, Any]) -> str:
    enterprise, team = text_in(context, "enterprise_id"), text_in(context, "team_id")
    if not team and text_in(body, "enterprise_id") in ("", enterprise):
        # Installed for a whole enterprise, its authorisation names no workspace; the event does.
        team = text_in(body, "team_id")
    return team
