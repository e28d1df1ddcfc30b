"""The words that go out with a picture: what they are, and whether the kit lets them out."""

from bot.core.assets import Asset
from bot.core.errors import Mistake
from bot.core.reviews import Review
from brand.errors import BannedWord
from brand.kit import BrandKit
from brand.words import refuse_banned

MAX_CAPTION = 1000
"""Most characters of a caption: an approver reads all of it on the card."""


def posted_words(review: Review, asset: Asset) -> str:
    """What stands with the picture in the channel: its caption, else what was asked for. May be
    empty."""
    return review.caption or asset.words


def check_caption(kit: BrandKit, caption: str, words: str) -> None:
    """Raises Mistake where the caption, or without one the words that were asked for, hold a word
    that the kit bans, or are too long to be judged."""
    goes_out = caption or words
    if len(goes_out) > MAX_CAPTION:
        what, fix = "The caption has", "Shorten it."
        if not caption:
            what = "Without a caption the words that were asked for go out, and they have"
            fix = "Type a caption behind the channel: `/send ID #CHANNEL the words that go out`."
        raise Mistake(
            f"{what} {len(goes_out):,} characters; at most {MAX_CAPTION:,} go out.",
            fix=fix,
            field="caption",
        )
    try:
        refuse_banned(caption or words, kit, field="caption")
    except BannedWord as exc:
        raise Mistake(str(exc), nearest=exc.alternative, field="caption") from exc
