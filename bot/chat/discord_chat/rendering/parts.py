"""The parts that all cards are put together from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import discord

from bot.chat.discord_chat.rendering.commands import typed_here
from bot.chat.discord_chat.rendering.controls import Controls
from bot.chat.discord_chat.rendering.limits import IN_GALLERY, counted
from bot.chat.discord_chat.rendering.page import Item, Page, text_item
from bot.chat.discord_chat.rendering.text import (
    ALT,
    PEN,
    Marked,
    bold,
    code,
    joined,
    lines,
    linked,
    plain,
    quiet,
    said,
)
from bot.core import phrases
from bot.core.card_words import ARCHIVED, DRAFT, caption_under, has_page, stamped
from bot.core.messages import Button, Card, Field, PictureRef

Link = Callable[[Card | PictureRef], str]

NOTHING = "—"
"""Discord refuses an empty text."""
MAX_TITLE = 300
MAX_WHO = 500
MAX_STATUS = 600
MAX_STAMP, MAX_FIX, MAX_HINT, MAX_FOOTER = 500, 400, 300, 300
MAX_CAPTION = 700
MAX_TOLD = 2
SEE = "see it in the portal"
HAS_ALL = "the portal has them all"


def nowhere(_thing: Card | PictureRef) -> str:
    """No link."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a card is drawn with: the files at hand, where else things are, the buttons so far."""

    shown: Mapping[str, str]
    """Names of this message's attachments by the name of the blob."""
    link: Link
    controls: Controls = field(default_factory=Controls)

    def gallery(self, refs: Iterable[PictureRef]) -> list[Item]:
        """The pictures that are attached, with their alt texts; nothing where none is."""
        items = [
            discord.MediaGalleryItem(
                f"attachment://{self.shown[ref.blob]}",
                description=plain(ref.alt, ALT) or "A picture",
            )
            for ref in refs
            if ref.blob in self.shown
        ]
        return [discord.ui.MediaGallery(*items[:IN_GALLERY])] if items else []

    def caption(self, ref: PictureRef, card: Card, limit: int = MAX_CAPTION) -> Marked:
        """What stands under a picture: its number, whether it is a draft, how it was judged."""
        number = bold(str(ref.number)) if len(card.pictures) > 1 else Marked("")
        missing = Marked("")
        if ref.blob not in self.shown:
            where = linked(SEE, self.link(ref))
            missing = Marked(f"Not shown here: {where}.")
        judged = phrases.verdict(PEN, ref.fields)
        first = joined(" · ", (number, draft_word(ref.draft), judged, missing))
        page = self._page(ref)
        page = page if len(first) + len(page) + 8 <= limit else Marked("")
        room = limit - len(first) - len(page) - 8
        under = said(caption_under(ref, card), room) if room > 20 else Marked("")
        return lines((first, quiet(joined(" · ", (under, page)))))

    def _page(self, ref: PictureRef) -> Marked:
        """The link to its page, once it is approved; nothing where it has none."""
        where = self.link(ref) if has_page(ref) else ""
        return linked(ARCHIVED, where) if where else Marked("")


def draft_word(shown: bool) -> Marked:
    """ "draft", or nothing."""
    return Marked(DRAFT if shown else "")


def facts(fields: Sequence[Field]) -> list[Marked]:
    """What was measured, a line each; colours stand below as squares."""
    return phrases.facts(PEN, fields)


def head(card: Card, *more: Marked, icon: str = "") -> list[Item]:
    """What every card begins with: what it is about, and a few lines."""
    title = joined(" ", (Marked(icon), bold(card.title, MAX_TITLE) or Marked(NOTHING)))
    return [text_item(lines((title, *more)))]


def tail(card: Card, sheet: Sheet) -> list[Item]:
    """What every card ends with: the decision, what to do next, its reference, its buttons."""
    tried = joined(" ", (Marked("Try"), code(card.hint, MAX_HINT))) if card.hint else Marked("")
    named = joined(" ", (Marked("Reference"), code(card.reference, 80)))
    words = lines(
        (
            said(stamped(card), MAX_STAMP),
            said(card.fix, MAX_FIX),
            tried,
            quiet(said(card.footer, MAX_FOOTER)),
            quiet(named if card.reference else Marked("")),
        )
    )
    text: list[Item] = [text_item(words)] if words else []
    return [*text, *sheet.controls.of_card(card.buttons)]


def add_pictures(page: Page, card: Card, sheet: Sheet, left_out: str) -> None:
    """The pictures, each with its number, facts and what may be done with it."""
    refs = card.pictures[:IN_GALLERY]
    if not refs:
        return
    page.add(*sheet.gallery(refs))
    each = min(MAX_CAPTION, max(0, page.text - len(refs)) // len(refs))
    captions = [sheet.caption(ref, card, each) for ref in refs]
    pressed = sheet.controls.of_pictures(refs, page.parts - 1)
    rows: list[Item] = [row for under in pressed.under for row in under]
    needed = counted(row.to_component_dict() for row in (*rows, *pressed.rows))
    if needed + sum(map(bool, captions)) <= page.parts:
        for caption, under in zip(captions, pressed.under, strict=True):
            page.write([caption])
            page.add(*under)
    else:  # many buttons: what is said of the pictures stands in one text
        page.write(captions)
        page.add(*rows)
    page.add(*pressed.rows)
    missing = len(card.pictures) - len(refs)
    if missing:
        page.note(said_left(left_out.format(n=missing), card, sheet))


def said_left(words: str, card: Card, sheet: Sheet) -> Marked:
    """What is left out, and where all of it is."""
    where = linked(HAS_ALL, sheet.link(card))
    return Marked(f"{said(words)} {where}.")


def finished(page: Page, sheet: Sheet) -> list[Item]:
    """All that stands on the card, with the commands for what found no room as a button."""
    untold = sheet.controls.untold
    for line in _typed(untold[:MAX_TOLD]):
        page.note(line)
    if len(untold) > MAX_TOLD:
        page.note(Marked(f"{len(untold) - MAX_TOLD} more buttons: {HAS_ALL}."))
    return page.items()


def _typed(buttons: Iterable[Button]) -> Iterator[Marked]:
    """The command that does what a button would."""
    for button in buttons:
        line = typed_here("/" + " ".join(button.action.split(":", 2)))
        yield joined(": ", (said(button.label, 60), code(line, 200)))
