"""A card as one message of Discord."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import discord

from bot.chat.discord_chat.rendering.commands import as_typed_here
from bot.chat.discord_chat.rendering.job import job_items
from bot.chat.discord_chat.rendering.limits import IN_GALLERY, MAX_ID, checked
from bot.chat.discord_chat.rendering.lists import plain_items
from bot.chat.discord_chat.rendering.page import Item
from bot.chat.discord_chat.rendering.parts import Link, Sheet, nowhere
from bot.chat.discord_chat.rendering.review import review_items
from bot.chat.discord_chat.rendering.text import CONTENT, cut, lines, said
from bot.core.card_words import spoken
from bot.core.messages import Card, PictureRef
from bot.core.readable import one_line

DRAWN = {"job": job_items, "review": review_items}
"""Kinds with an anatomy of their own; the rest are drawn alike."""
COMPONENTS_V2 = 1 << 15
"""The flag of a message that is all components (docs.discord.com, message flags)."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What one message says, as the API takes it."""

    components: tuple[dict[str, Any], ...]
    flags: int
    text: str
    """The same words without pictures and buttons, marked up, at most 2000 characters."""


def rendered(
    card: Card, *, marker: str = "", shown: Mapping[str, str], link: Link | None = None
) -> Rendered:
    """The card as components.

    `marker` is the outgoing message's id, by which its message is found again; `shown` has the
    name of the attachment of each blob that goes along; a picture without one is told of, with
    its address by `link`, and keeps its facts and buttons. What may stand where is not decided
    here but by `core/drafts`. Raises Unsendable where the card can't be said in Discord.
    """
    card = as_typed_here(card)
    draw = DRAWN.get(card.kind, plain_items)
    items = draw(card, Sheet(shown=shown, link=link or nowhere))
    container = _marked(items, marker).to_component_dict()
    container = {name: value for name, value in container.items() if value is not None}
    checked([container])
    return Rendered(components=(container,), flags=COMPONENTS_V2, text=spoken_text(card))


def spoken_text(card: Card) -> str:
    """All that the card says, as the text of a plain message."""
    return cut(lines(said(one_line(part)) for part in spoken(card)), CONTENT)


def pictures_of(card: Card) -> tuple[tuple[str, str], ...]:
    """(blob, alt text) of each picture that goes along with the card; each blob once."""
    return tuple({ref.blob: ref.alt for ref in _refs(card)}.items())


def _refs(card: Card) -> Iterator[PictureRef]:
    yield from card.pictures[:IN_GALLERY]
    if card.preview is not None and not card.pictures:
        yield card.preview


def marker_ids(marker: str) -> tuple[int, int]:
    """Two ids of components, each of 31 bits and never the same, which together name an outgoing
    message: the container's and the first text's."""
    digest = hashlib.sha256(marker.encode()).digest()
    first = int.from_bytes(digest[:8], "big") % MAX_ID + 1
    second = int.from_bytes(digest[8:16], "big") % (MAX_ID - 1) + 1
    return first, second + 1 if second >= first else second


def _marked(items: list[Item], marker: str) -> discord.ui.Container[Any]:
    if not marker:
        return discord.ui.Container(*items)
    whole, first = marker_ids(marker)
    text = next(item for item in items if isinstance(item, discord.ui.TextDisplay))
    text.id = first
    return discord.ui.Container(*items, id=whole)
