"""The review card: all that an approver needs to decide, on one screen."""

from slack_sdk.models.blocks import Block

from bot.chat.slack_chat.rendering.facts import facts, verdict
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
from bot.chat.slack_chat.rendering.text import joined, said
from bot.core.card_words import caption_under
from bot.core.messages import Card
from bot.core.readable import length

LEFT_OUT = "{n} more parts: the portal has them all."


def review_blocks(card: Card, sheet: Sheet) -> tuple[Block, ...]:
    """The picture large | the brand check | who asks, why, for where, by when | what was
    measured | buttons, or the stamp."""
    head = [title(card), *quiet(draft_word(card.draft))]
    groups = [
        [*sheet.large(ref), *quiet(sheet.under(ref, said(caption_under(ref, card), 1000)))]
        for ref in card.pictures
    ]
    line = verdict(card.fields)
    if not line and card.status:
        line = said(card.status, 1500)
    groups += [[section(line)]] if line else []
    groups.append(_asked(card))
    groups += [[block] for block in sections(facts(card.fields))]
    return fitted(head, groups, tail(card, sheet), LEFT_OUT)


def _asked(card: Card) -> list[Block]:
    """Small as long as it fits; the words that go out are cut as late as Slack lets us."""
    lines = [said(line) for line in card.lines]
    together = joined("\n", lines)
    return quiet(together) if length(together) <= MAX_SAID else sections(lines)
