"""The review card: all that an approver needs to decide, on one screen."""

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
from bot.chat.discord_chat.rendering.text import PEN, said
from bot.core import phrases
from bot.core.messages import Card

LEFT_OUT = "{n} more parts:"


def review_items(card: Card, sheet: Sheet) -> list[Item]:
    """The picture large | the brand check | who asks, why, for where, by when | what was
    measured | buttons, or the stamp."""
    unmarked = card.draft and not any(ref.draft for ref in card.pictures)
    page = Page(head(card, draft_word(unmarked)), tail(card, sheet))
    add_pictures(page, card, sheet, LEFT_OUT)
    judged = phrases.verdict(PEN, card.fields) or said(card.status, MAX_STATUS)
    left = page.write([judged, *map(said, card.lines)])
    left += page.write(facts(card.fields))
    if left:
        page.note(said_left(LEFT_OUT.format(n=left), card, sheet))
    return finished(page, sheet)
