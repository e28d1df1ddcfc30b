"""The Home tab: what a person looks at in the morning, and where each thing goes on."""

from collections.abc import Mapping, Sequence

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    DividerBlock,
    HeaderBlock,
    SectionBlock,
)
from slack_sdk.models.views import View

from bot.chat.slack_chat.rendering.commands import as_typed_here, in_code
from bot.chat.slack_chat.rendering.controls import Controls
from bot.chat.slack_chat.rendering.facts import named, row_line, verdict
from bot.chat.slack_chat.rendering.limits import checked_view
from bot.chat.slack_chat.rendering.parts import Sheet, draft_word, quiet, sections
from bot.chat.slack_chat.rendering.text import (
    BUTTON,
    HEADER,
    Marked,
    bold,
    code,
    joined,
    mrk,
    plain,
    said,
)
from bot.chat.slack_chat.surfaces import OPEN_PREFIX, VIEW_IMAGINE
from bot.core.errors import HousestyleError
from bot.core.messages import Button, Card, PictureRef
from bot.core.overview import Overview

PORTAL_LINK = "link:portal"
"""A link of the page. Slack tells of its clicks too; nothing is to be done then."""
SHOWS = "show:"
"""Begin of the actions that bring a thing to look at."""


def home_view(overview: Overview, *, files: Mapping[str, str], portal: str = "") -> View:
    """The page. `files` has Slack's file ids of the pictures that wait for a vote; one that can't
    be shown can be opened, not decided on: nobody votes on what they do not see."""
    sheet = Sheet(files=files, alt_room=300)
    blocks = [
        _quick(portal),
        *_rows(overview.jobs, overview.row_buttons, sheet.controls),
        *_votes(overview.approvals, sheet),
        *_rows(overview.week, overview.row_buttons, sheet.controls),
        *_rows(overview.budget, {}, sheet.controls),
    ]
    return checked_view(View(type="home", blocks=blocks))


def stranger_view(error: HousestyleError) -> View:
    """For somebody whom the house does not know: why, and how to get in."""
    blocks = [
        HeaderBlock(text=plain(error.title, HEADER)),
        *sections([said(error.message), said(in_code(error.fix))]),
    ]
    return checked_view(View(type="home", blocks=blocks))


def _quick(portal: str) -> Block:
    new = ButtonElement(
        text=plain("New picture", BUTTON),
        action_id=f"{OPEN_PREFIX}{VIEW_IMAGINE}",
        style="primary",
        value="-",
    )
    link = ButtonElement(text=plain("Open the portal", BUTTON), action_id=PORTAL_LINK, url=portal)
    return ActionsBlock(elements=[new, link] if portal.startswith("https://") else [new])


def _begun(card: Card) -> list[Block]:
    head: list[Block] = [DividerBlock(), HeaderBlock(text=plain(card.title, HEADER))]
    return head + sections(map(said, card.lines))


def _ended(card: Card) -> list[Block]:
    tried = joined(" ", (Marked("Try"), code(card.hint, 300))) if card.hint else Marked("")
    return [
        *sections(named(card.fields))[:2],
        *quiet(joined("\n", (said(card.footer), said(card.fix), tried))),
    ]


def _rows(card: Card, of_row: Mapping[str, tuple[Button, ...]], controls: Controls) -> list[Block]:
    card = as_typed_here(card)
    rows = [
        SectionBlock(
            text=mrk(_line(card.columns[:-1], row[:-1]), 700),
            accessory=controls.beside(row[-1], of_row.get(row[-1], ())),
        )
        for row in card.rows
    ]
    return [*_begun(card), *rows, *_ended(card)]


def _line(columns: Sequence[str], cells: Sequence[str]) -> Marked:
    if len(cells) == 2:  # a thing and how it stands
        return joined("\n", (bold(cells[0], 200), said(cells[1], 400)))
    return row_line(columns, cells)


def _votes(card: Card, sheet: Sheet) -> list[Block]:
    card = as_typed_here(card)
    votes = [block for ref in card.pictures for block in _vote(ref, sheet)]
    return [*_begun(card), *votes, *_ended(card)]


def _vote(ref: PictureRef, sheet: Sheet) -> list[Block]:
    small = sheet.small(ref)
    title, _, lines = ref.caption.partition("\n")
    check = joined(" · ", (draft_word(ref.draft), verdict(ref.fields)))
    text = joined("\n", (bold(title, 200), said(lines, 2500), check))
    buttons = [b for b in ref.buttons if small is not None or b.action.startswith(SHOWS)]
    return [SectionBlock(text=mrk(text), accessory=small), *sheet.controls.row(buttons)]
