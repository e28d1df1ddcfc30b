"""The job card: one message that changes in place, from its place in the queue to its pictures."""

from bot.chat.discord_chat.rendering.page import Item, Page
from bot.chat.discord_chat.rendering.parts import (
    MAX_STATUS,
    MAX_WHO,
    Sheet,
    add_pictures,
    draft_word,
    finished,
    head,
    tail,
)
from bot.chat.discord_chat.rendering.text import Marked, code, joined, lines, quiet, said
from bot.core.card_words import bar, percent, shows_bar, state_icon
from bot.core.messages import Card

LEFT_OUT = "{n} more pictures:"


def job_items(card: Card, sheet: Sheet) -> list[Item]:
    """Who and what | the state with its bar | the picture so far, or the pictures | buttons."""
    who = joined(" · ", (*map(said, card.lines), draft_word(card.draft)))
    begin = head(card, quiet(who, MAX_WHO), _status(card))
    page = Page(begin, tail(card, sheet))
    if card.preview is not None and not card.pictures:
        page.add(*sheet.gallery([card.preview]))
    add_pictures(page, card, sheet, LEFT_OUT)
    return finished(page, sheet)


def _status(card: Card) -> Marked:
    words = joined(" ", (Marked(state_icon(card)), said(card.status, MAX_STATUS)))
    if not shows_bar(card):
        return words
    return lines((words, Marked(f"{code(bar(card.progress or 0))}{percent(card)}")))
