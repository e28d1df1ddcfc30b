"""Commands as they are typed in Slack, which knows no other of ours than `/imagine`."""

from functools import partial

from bot.core import as_typed

ALONE = ("help", "queue", "cancel", "usage", "find", "show", "schedule")
"""Verbs that stand behind `/imagine` without a slash of their own."""
COMMAND = "imagine"


def _spell(verb: str, _rest: str) -> str:
    if verb == COMMAND:
        return f"/{verb}"
    return f"/{COMMAND} {verb}" if verb in ALONE else f"/{COMMAND} /{verb}"


typed_here = partial(as_typed.typed, _spell)
"""A line: "/find mug" is "/imagine find mug", "/people" is "/imagine /people"."""
in_code = partial(as_typed.in_code, _spell)
"""The same for every command that stands in `code`."""
in_mistake = partial(as_typed.in_mistake, _spell)
"""The same for what says what is wrong."""
as_typed_here = partial(as_typed.as_typed, _spell)
"""The card with its commands as they work in Slack."""
