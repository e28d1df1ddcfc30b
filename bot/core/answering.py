"""What every chat does with a typed line and its answer: whose kit holds, and where it stands.

A chat says only what it calls a person's direct line (`own`); all other words are these.
"""

from collections.abc import Sequence

from bot.core.cards import reply_card
from bot.core.commands import (
    Approve,
    AskChange,
    Command,
    EditWords,
    Extend,
    Imagine,
    Reject,
    Reroll,
    SendToApproval,
    Share,
    TakeBack,
    Upscale,
    Vary,
)
from bot.core.messages import Audience, Card, ChannelRef
from bot.core.places import is_at
from brand.kit import BrandKit

OWN = "your own channel"
MAKE_A_JOB = (Imagine, Vary, Reroll, Upscale, Extend, EditWords)
"""Commands whose answer is the card of a new job, which comes by itself."""
TELL_THEMSELVES = (*MAKE_A_JOB, SendToApproval, Approve, Reject, AskChange, TakeBack)
"""Commands whose card is written with their change: a second delivery of one needs no answer."""


def kit_in_force(
    kits: Sequence[BrandKit], platform: str, channel: str, team: str = "", chosen: str = ""
) -> BrandKit:
    """Of the channel's brands, or of all where it is nobody's: the chosen one, else the first.
    `kits` must not be empty."""
    place = ChannelRef(platform=platform, channel=channel, team=team)
    here = [kit for kit in kits if any(is_at(item, place) for item in kit.channels)]
    return next((kit for kit in here or kits if kit.id == chosen), (here or list(kits))[0])


def is_shared(command: Command) -> bool:
    """Whether others in a working channel see the line: they will see the draft too."""
    return isinstance(command, Imagine) and not command.brief.private


def elsewhere(card: Card, room_name: str, audience: Audience, *, own: str = OWN) -> Card:
    """Says where the card is that does not stand here. `room_name` may be empty."""
    room = f"#{room_name.removeprefix('#')}" if room_name else "this channel"
    why = (
        f"Drafts stay out of {room}, which is public."
        if audience is Audience.PUBLIC
        else "You asked for it privately."
    )
    queued = card.status.partition(". ")[0] or card.title
    return reply_card(queued, why, fix=f"Follow it in {own}.")


def sent_to_you(card: Card, *, own: str = OWN) -> Card:
    """Says in a channel that the answer, which has pictures, is in the person's direct line."""
    return reply_card(card.title, f"Only you may see it, so it stands in {own}.")


def told(command: Command, card: Card) -> Card:
    """A card that stands in another place, as a short answer."""
    if _asks_for_approval(command, card):
        return reply_card("Sent to approval", card.title, *card.lines[:1])
    if isinstance(command, TakeBack):
        return reply_card("Your vote is taken back", card.title, *card.lines[:1])
    if card.kind == "review" and not card.stamp:  # the first of several votes
        return reply_card("Your vote counts", card.title, *card.lines[:1])
    said = card.stamp or card.status or "Done"
    return reply_card(said, *(line for line in (card.title, card.footer) if line != said and line))


def answer_here(
    command: Command,
    card: Card,
    *,
    audience: Audience,
    room_name: str = "",
    standing: str = "",
    own: str = OWN,
) -> Card | None:
    """What is said to the one who gave the command, where they gave it; None where the card
    stands or comes there by itself. `standing` is the subject of the card whose button it was."""
    if not card.subject or card.private:
        return card
    if isinstance(command, MAKE_A_JOB):
        private = isinstance(command, Imagine) and command.brief.private
        if audience is Audience.REQUESTER or (audience is Audience.WORKING and not private):
            return None
        return elsewhere(card, room_name, audience, own=own)
    tells_itself = isinstance(command, TELL_THEMSELVES) or _asks_for_approval(command, card)
    if standing == card.subject or (standing and tells_itself):
        return None  # what it was said on changes
    return told(command, card)


def _asks_for_approval(command: Command, card: Card) -> bool:
    """What isn't approved yet is shared by asking for that."""
    return card.kind == "review" and isinstance(command, SendToApproval | Share)
