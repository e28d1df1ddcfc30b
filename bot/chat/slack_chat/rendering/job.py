"""The job card: one message that changes in place, from its place in the queue to its pictures."""

from slack_sdk.models.blocks import Block

from bot.chat.slack_chat.rendering.facts import verdict
from bot.chat.slack_chat.rendering.parts import (
    Sheet,
    draft_word,
    fitted,
    quiet,
    section,
    tail,
    title,
)
from bot.chat.slack_chat.rendering.text import Marked, bold, code, joined, said
from bot.core.card_words import bar, percent, shows_bar, state_icon
from bot.core.messages import Card, PictureRef

LEFT_OUT = "{n} more pictures: `/imagine show` and the job's id, or the portal, has them all."


def job_blocks(card: Card, sheet: Sheet) -> tuple[Block, ...]:
    """Who and what | the state with its bar | the picture so far, or the pictures | buttons."""
    many = len(card.pictures) > 1
    head = [title(card), *quiet(joined(" · ", (*map(said, card.lines), draft_word(card.draft))))]
    head += [section(line) for line in (_status(card),) if line]
    if card.preview is not None and not card.pictures:
        head += sheet.large(card.preview)
    groups = [_picture(ref, sheet, many=many) for ref in card.pictures]
    return fitted(head, groups, tail(card, sheet), LEFT_OUT)


def _status(card: Card) -> Marked:
    words = joined(" ", (Marked(state_icon(card)), said(card.status, 1500)))
    if not shows_bar(card):
        return words
    return joined("\n", (words, Marked(f"{code(bar(card.progress or 0))}{percent(card)}")))


def _picture(ref: PictureRef, sheet: Sheet, *, many: bool) -> list[Block]:
    number = bold(str(ref.number)) if many else Marked("")
    line = joined(" · ", (number, draft_word(ref.draft), verdict(ref.fields)))
    under = joined("\n", (line, sheet.under(ref, said(ref.caption, 1000))))
    return [*sheet.large(ref), *quiet(under), *sheet.controls.of_picture(ref, many=many)]
