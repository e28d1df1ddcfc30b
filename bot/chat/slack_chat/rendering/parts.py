"""The parts that all cards are put together from, and how they fit into one message."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    ImageBlock,
    ImageElement,
    SectionBlock,
)
from slack_sdk.models.blocks.basic_components import SlackFile

from bot.chat.slack_chat.rendering.controls import Controls
from bot.chat.slack_chat.rendering.limits import MESSAGE_BLOCKS, MESSAGE_WEIGHT, weight_of
from bot.chat.slack_chat.rendering.text import (
    Marked,
    alt,
    bold,
    code,
    joined,
    linked,
    mrk,
    packed,
    said,
)
from bot.core.card_words import ARCHIVED, DRAFT, has_page, stamped
from bot.core.messages import Card, PictureRef

MAX_TITLE = 400
MAX_SAID = 1200
"""Most characters of the lines of a card together, where they stand as one text."""
MAX_TAIL = 800
MAX_TAIL_BUTTONS = 25
MAX_ALT, MIN_ALT, ALL_ALTS = 1000, 120, 3000
SPARE_BLOCKS = 1
SPARE_WEIGHT = 200
"""Kept for the line that says what is left out."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a card is drawn with: the files at hand and the buttons so far."""

    files: Mapping[str, str]
    """Slack's file ids by the name of the blob."""
    controls: Controls = field(default_factory=Controls)
    alt_room: int = MAX_ALT
    """Most characters of each alt text: those of many pictures share the message's room."""
    portal: str = ""
    """Its address, for links; empty where there is none to show."""

    @classmethod
    def of(cls, card: Card, files: Mapping[str, str], portal: str = "") -> Self:
        """What this card is drawn with."""
        each = ALL_ALTS // max(1, len(card.pictures))
        return cls(files=files, alt_room=max(MIN_ALT, min(MAX_ALT, each)), portal=portal)

    def under(self, ref: PictureRef, words: Marked) -> Marked:
        """What stands under a picture: the words, and the link to its page once it is approved."""
        shown = self.portal and has_page(ref)
        page = linked(ARCHIVED, f"{self.portal}/pictures/{ref.asset}") if shown else Marked("")
        return joined(" · ", (words, page))

    def large(self, ref: PictureRef) -> list[Block]:
        """The picture over the whole width; nothing where its file is not in Slack."""
        file = self.files.get(ref.blob)
        if not file:
            return []
        shown = alt(ref.alt, self.alt_room)
        return [ImageBlock(alt_text=shown, slack_file=SlackFile(id=file))]

    def small(self, ref: PictureRef) -> ImageElement | None:
        """The picture beside a text."""
        file = self.files.get(ref.blob)
        shown = alt(ref.alt, self.alt_room)
        return ImageElement(alt_text=shown, slack_file=SlackFile(id=file)) if file else None


def section(text: Marked) -> Block:
    """A paragraph."""
    return SectionBlock(text=mrk(text))


def sections(lines: Iterable[Marked]) -> list[Block]:
    """Lines as few paragraphs."""
    return [section(text) for text in packed(lines)]


def quiet(text: Marked) -> list[Block]:
    """Small grey text; nothing for nothing."""
    return [ContextBlock(elements=[mrk(text, MAX_SAID)])] if text else []


def title(card: Card, icon: str = "") -> Block:
    """What it is about."""
    return section(joined(" ", (Marked(icon), bold(card.title, MAX_TITLE))))


def draft_word(shown: bool) -> Marked:
    """ "draft", or nothing."""
    return Marked(DRAFT if shown else "")


def tail(card: Card, sheet: Sheet) -> list[Block]:
    """What every card ends with: the decision, what to do next, its buttons, its reference."""
    stamp = said(stamped(card), MAX_TAIL)
    tried = joined(" ", (Marked("Try"), code(card.hint, 300))) if card.hint else Marked("")
    blocks = sections([stamp, said(card.fix, MAX_TAIL), tried])
    blocks += quiet(said(card.footer, MAX_TAIL))
    blocks += sheet.controls.row(card.buttons[:MAX_TAIL_BUTTONS])
    if card.reference:
        blocks += quiet(joined(" ", (Marked("Reference"), code(card.reference, 100))))
    return blocks


def fitted(
    head: Sequence[Block], groups: Sequence[Sequence[Block]], end: Sequence[Block], left_out: str
) -> tuple[Block, ...]:
    """Head, as many groups as fit, and the end, which always stands; `left_out` says with {n}
    what is missing."""
    blocks = MESSAGE_BLOCKS - len(head) - len(end) - SPARE_BLOCKS
    room = MESSAGE_WEIGHT - weight_of(head) - weight_of(end) - SPARE_WEIGHT
    body: list[Block] = []
    for done, group in enumerate(groups):
        blocks, room = blocks - len(group), room - weight_of(group)
        if blocks < 0 or room < 0:
            note = quiet(said(left_out.format(n=len(groups) - done)))
            return (*head, *body, *note, *end)
        body += group
    return (*head, *body, *end)
