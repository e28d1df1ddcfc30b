"""What went wrong, as a card for a conversation. What nobody foresaw has a reference id that the
log has too."""

import logging
from dataclasses import replace

from bot.core.cards import error_card
from bot.core.errors import HousestyleError
from bot.core.ids import new_id
from bot.core.messages import Card
from bot.core.watching import reference

log = logging.getLogger(__name__)


def said_error(error: Exception) -> Card:
    """The card for a conversation. Call it where the error was caught: the log gets its trace."""
    if isinstance(error, HousestyleError):
        return error_card(error)
    key = noted(error)
    unknown = HousestyleError(
        "Something broke on our side. Nothing was charged.",
        fix=f"Try again; if it stays, tell an admin the reference {key}.",
    )
    return error_card(unknown, reference=key)


def asked_for(card: Card, line: str, *, called: str = "What you asked for") -> Card:
    """The refusal with the line that somebody typed, or as they would have typed their form."""
    if not line:
        return card
    kept = line.replace("`", "\u02cb")  # else it would end the code that it stands in
    return replace(card, lines=(*card.lines, f"{called}: `{kept}`"))


def noted(error: Exception) -> str:
    """Log what nobody foresaw; the reference id that its line has."""
    key = reference() or new_id()
    log.error(
        "Something said in a chat could not be worked off",
        exc_info=error,
        extra={"action": "chat.failed", "reference": key},
    )
    return key
