"""Commands as they are typed in Discord: those that stand there under their own name, with their
option named; any other one under `/housestyle`."""

from functools import partial

from bot.chat.discord_chat.surfaces import COMMANDS, IMAGINE, Kind
from bot.core import as_typed

ANY = "housestyle"
"""The command under which every other one is typed."""


def _spell(verb: str, rest: str) -> str:
    command = COMMANDS.get(verb)
    flagged = rest.startswith("-") and verb != IMAGINE
    if command is None or command.line != f"/{verb}" or flagged:
        return f"/{ANY} line:{verb}"
    named = next((each.name for each in command.options if each.kind is Kind.TEXT), "")
    return f"/{verb} {named}:" if named and rest else f"/{verb}"


typed_here = partial(as_typed.typed, _spell)
"""A line: "/find mug" is "/find words: mug", "/people" is "/housestyle line:people"."""
as_typed_here = partial(as_typed.as_typed, _spell)
"""The card with its commands as they work in Discord."""
