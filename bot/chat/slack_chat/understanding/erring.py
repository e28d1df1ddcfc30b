"""What went wrong, for the surface on which it is said: a card in a conversation, words at a
block of a form. What nobody foresaw has a reference id that the log has too."""

import logging
from collections.abc import Iterable

from bot.core.cards import error_card
from bot.core.errors import HousestyleError, Mistake
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


def modal_error(error: Exception, blocks: Iterable[str], otherwise: str) -> dict[str, str]:
    """Block id -> words, for a `response_action` of `errors`. A mistake in a field stands at its
    block, if the form has it among `blocks` (ids, up to their `~`); all else at `otherwise`."""
    card = said_error(error)
    words = " ".join(part for part in (*card.lines, card.fix) if part)
    field = error.field if isinstance(error, Mistake) else ""
    found = (block for block in blocks if field and block.partition("~")[0] == field)
    return {next(found, otherwise): words}


def noted(error: Exception) -> str:
    """Log what nobody foresaw; the reference id that its line has."""
    key = reference() or new_id()
    log.error(
        "Something said in Slack could not be worked off",
        exc_info=error,
        extra={"action": "slack.failed", "reference": key},
    )
    return key
