"""Every other card: answers, errors, lists of things and of pictures."""

from bot.chat.discord_chat.rendering.page import Item, Page
from bot.chat.discord_chat.rendering.parts import (
    MAX_STATUS,
    Sheet,
    add_pictures,
    draft_word,
    facts,
    finished,
    head,
    said_left,
    tail,
)
from bot.chat.discord_chat.rendering.text import PEN, joined, quiet, said
from bot.core import phrases
from bot.core.card_words import WARNING
from bot.core.messages import Card

LEFT_OUT = "{n} more pictures: `/find` with more words finds fewer,"
MORE_ROWS = "{n} more: `/show` and an id shows one,"
MORE_PARTS = "{n} more lines:"
AMONG = 0.6
"""The share of the room that a table takes where pictures or facts follow."""


def plain_items(card: Card, sheet: Sheet) -> list[Item]:
    """What, why, what to do next; rows and pictures between."""
    draft = card.draft and not any(ref.draft for ref in card.pictures)
    state = quiet(joined(" · ", (said(card.status), draft_word(draft))), MAX_STATUS)
    icon = WARNING if card.kind == "error" else ""
    page = Page(head(card, state, icon=icon), tail(card, sheet))
    left = page.write([said(line) for line in card.lines], share=1.0 if not card.rows else AMONG)
    rows = [phrases.row_line(PEN, card.columns, row) for row in card.rows]
    share = AMONG if card.pictures or card.fields else 1.0
    if missing := page.write(rows, share=share):
        page.note(said_left(MORE_ROWS.format(n=missing), card, sheet))
    add_pictures(page, card, sheet, LEFT_OUT)
    left += page.write(facts(card.fields))
    if left:
        page.note(said_left(MORE_PARTS.format(n=left), card, sheet))
    return finished(page, sheet)
