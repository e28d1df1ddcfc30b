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
from bot.core.messages import Card, PictureRef

ICONS = {
    "queued": "⏳",
    "rendering": "🎨",
    "checking": "🔎",
    "paused": "⏸️",
    "done": "✅",
    "failed": "⚠️",
    "cancelled": "🚫",
}
BAR = 12
"""Characters of a progress bar: one line on a phone."""
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


def bar(progress: float) -> str:
    """How far it is, to see; the words say it as well."""
    full = round(max(0.0, min(progress, 1.0)) * BAR)
    return "▰" * full + "▱" * (BAR - full)


def _status(card: Card) -> Marked:
    none_passes = bool(card.pictures) and all(
        any(field.ok is False for field in ref.fields) for ref in card.pictures
    )
    icon = "⚠️" if none_passes else ICONS.get(card.state, "")
    words = joined(" ", (Marked(icon), said(card.status, 1500)))
    if not card.progress or card.state == "queued":
        return words
    percent = "" if "%" in card.status else f" {card.progress * 100:.0f} %"
    return joined("\n", (words, Marked(f"{code(bar(card.progress))}{percent}")))


def _picture(ref: PictureRef, sheet: Sheet, *, many: bool) -> list[Block]:
    number = bold(str(ref.number)) if many else Marked("")
    line = joined(" · ", (number, draft_word(ref.draft), verdict(ref.fields)))
    under = joined("\n", (line, said(ref.caption, 1000)))
    return [*sheet.large(ref), *quiet(under), *sheet.controls.of_picture(ref, many=many)]
