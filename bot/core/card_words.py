"""What every chat says of a card beside its own words: icons, bars, and all of it read aloud."""

from collections.abc import Iterator

from bot.core.messages import Card, PictureRef

DRAFT = "✏️ draft"
"""Drafts carry the word, everywhere."""
STATES = {
    "queued": "⏳",
    "rendering": "🎨",
    "checking": "🔎",
    "paused": "⏸️",
    "done": "✅",
    "failed": "⚠️",
    "cancelled": "🚫",
}
WARNING = "⚠️"
ARCHIVED = "in the archive"
"""Links an approved picture to its page: what made it, who decided, where it went."""
STAMPS = {"Approved": "✅", "Rejected": "❌", "Change": "✏️", "Expired": "⌛", "Withdrawn": "↩️"}
BAR = 12
"""Characters of a progress bar: one line on a phone."""


def bar(progress: float) -> str:
    """How far it is, to see; the words say it as well."""
    full = round(max(0.0, min(progress, 1.0)) * BAR)
    return "▰" * full + "▱" * (BAR - full)


def state_icon(card: Card) -> str:
    """What stands before a job's state; a warning where it is done and no picture passes."""
    none_passes = bool(card.pictures) and all(
        any(field.ok is False for field in ref.fields) for ref in card.pictures
    )
    return WARNING if none_passes else STATES.get(card.state, "")


def shows_bar(card: Card) -> bool:
    """Whether it has begun and not ended."""
    return bool(card.progress) and card.state != "queued"


def percent(card: Card) -> str:
    """ " 45 %" beside the bar, where the state line doesn't say it."""
    return "" if "%" in card.status else f" {(card.progress or 0) * 100:.0f} %"


def stamped(card: Card) -> str:
    """The decision with its icon; nothing before it."""
    icon = next((STAMPS[word] for word in STAMPS if card.stamp.startswith(word)), "")
    return f"{icon} {card.stamp}".lstrip() if card.stamp else ""


def caption_under(ref: PictureRef, card: Card) -> str:
    """What stands under a picture, without the stamp, which stands where the buttons were."""
    return ref.caption.removeprefix(card.stamp).lstrip(" —·") if card.stamp else ref.caption


def has_page(ref: PictureRef) -> bool:
    """Whether its page in the portal is linked beside it: once it is approved."""
    return bool(ref.asset) and not ref.draft


def spoken(card: Card) -> Iterator[str]:
    """All that a card says, in its order, without buttons."""
    yield f"{card.title} (draft)" if card.draft else card.title
    yield card.stamp or card.status
    yield from card.lines
    for ref in card.pictures:
        yield ref.alt
    for row in card.rows:
        yield " · ".join(cell for cell in row if cell)
    for field in card.fields:
        yield f"{field.label}: {field.value.removeprefix(field.label).lstrip(' :')}"
    yield from (card.footer, card.fix)
    if card.hint:
        yield f"Try {card.hint}"
    if card.reference:
        yield f"Reference {card.reference}"
