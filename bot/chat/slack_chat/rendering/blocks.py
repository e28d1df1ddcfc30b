"""A card as one message of Slack."""

import re
from collections.abc import Iterator, Mapping

from bot.chat.slack_chat.rendering.commands import as_typed_here
from bot.chat.slack_chat.rendering.job import job_blocks
from bot.chat.slack_chat.rendering.limits import Message, checked
from bot.chat.slack_chat.rendering.lists import plain_blocks, post_blocks
from bot.chat.slack_chat.rendering.parts import Sheet
from bot.chat.slack_chat.rendering.review import review_blocks
from bot.chat.slack_chat.rendering.text import fallback
from bot.core.card_words import spoken
from bot.core.messages import Card, PictureRef

DRAWN = {"job": job_blocks, "review": review_blocks, "post": post_blocks}
"""Kinds with an anatomy of their own; the rest are drawn alike."""

_OF_SLACK = re.compile(r"F[A-Z0-9]{8,}")


def message_of(card: Card, *, files: Mapping[str, str], portal: str = "") -> Message:
    """The card as blocks and as the text that notifications and screen readers have.

    `files` has Slack's file id of each blob at hand; a picture without one is left out, its
    facts and buttons stay. `portal` is its address, for links. What may stand where is not
    decided here but by `bot/core/drafts`. Raises Unsendable where the card can't be said in Slack.
    """
    shown = {**{name: name for name in _sent_already(card)}, **files}
    card = as_typed_here(card)
    draw = DRAWN.get(card.kind, plain_blocks)
    sheet = Sheet.of(card, shown, portal)
    return checked(Message(text=fallback(spoken(card)), blocks=draw(card, sheet)))


def blobs_of(card: Card) -> tuple[tuple[str, str], ...]:
    """(blob, alt text) of each picture that should be in Slack before the card is sent; each
    blob once. What is a file of Slack's already is not among them."""
    wanted = {ref.blob: ref.alt for ref in _refs(card)}
    return tuple((blob, alt) for blob, alt in wanted.items() if not _OF_SLACK.fullmatch(blob))


def _refs(card: Card) -> Iterator[PictureRef]:
    yield from card.pictures
    if card.preview is not None and not card.pictures:
        yield card.preview


def _sent_already(card: Card) -> list[str]:
    """A preview is uploaded by who shows it, and named by its file."""
    return [ref.blob for ref in _refs(card) if _OF_SLACK.fullmatch(ref.blob)]
