"""Every other card: answers, errors, lists of things and of pictures, posts."""

from slack_sdk.models.blocks import Block, SectionBlock

from bot.chat.slack_chat.rendering.facts import facts, row_line, verdict
from bot.chat.slack_chat.rendering.parts import (
    MAX_SAID,
    Sheet,
    draft_word,
    fitted,
    quiet,
    section,
    sections,
    tail,
    title,
)
from bot.chat.slack_chat.rendering.text import Marked, bold, joined, mrk, packed, said
from bot.core.card_words import WARNING
from bot.core.messages import Card, PictureRef

LEFT_OUT = "{n} more parts are left out: the portal has them all."
MAX_ROWS = 60
ROWS_TEXT = 1500
"""Characters of rows that stand as one text, so that a long table can end after any of them."""


def plain_blocks(card: Card, sheet: Sheet) -> tuple[Block, ...]:
    """What, why, what to do next; rows and pictures between."""
    head = [title(card, WARNING if card.kind == "error" else "")]
    status = joined(" · ", (said(card.status, MAX_SAID), draft_word(_is_draft(card))))
    head += quiet(status)
    groups = [[block] for block in sections(map(said, card.lines))]
    groups += _rows(card)
    alone = len(card.pictures) == 1 and card.kind != "list"
    groups += [_alone(ref, sheet) if alone else _small(ref, sheet) for ref in card.pictures]
    groups += [[section(text)] for text in packed(facts(card.fields), ROWS_TEXT)]
    return fitted(head, groups, tail(card, sheet), LEFT_OUT)


def post_blocks(card: Card, sheet: Sheet) -> tuple[Block, ...]:
    """A published picture with the words under it, and nothing else."""
    pictures = [block for ref in card.pictures for block in sheet.large(ref)]
    words = sections([said(card.title), *map(said, card.lines)])
    return fitted([], [[block] for block in pictures], words[:2] or sections([said("—")]), LEFT_OUT)


def _is_draft(card: Card) -> bool:
    return card.draft and not any(ref.draft for ref in card.pictures)


def _rows(card: Card) -> list[list[Block]]:
    lines = [row_line(card.columns, row) for row in card.rows[:MAX_ROWS]]
    groups: list[list[Block]] = [[section(text)] for text in packed(lines, ROWS_TEXT)]
    if len(card.rows) > MAX_ROWS:
        more = f"{len(card.rows) - MAX_ROWS} more: the portal has them all."
        groups.append(quiet(said(more)))
    return groups


def _alone(ref: PictureRef, sheet: Sheet) -> list[Block]:
    words = joined(" · ", (draft_word(ref.draft), said(ref.caption, 1000)))
    under = quiet(sheet.under(ref, words))
    return [*sheet.large(ref), *under, *sheet.controls.of_picture(ref, many=False)]


def _small(ref: PictureRef, sheet: Sheet) -> list[Block]:
    """One of several: its facts beside a small picture."""
    first = joined(" · ", (bold(str(ref.number)), draft_word(ref.draft), verdict(ref.fields)))
    lines = joined("\n", (first, said(ref.caption, 500)))
    beside = SectionBlock(text=mrk(lines or Marked("—")), accessory=sheet.small(ref))
    return [beside, *sheet.controls.of_picture(ref, many=True)]
