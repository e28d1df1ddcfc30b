"""One of the kit's words, in whatever case a person typed it."""

from brand.errors import UnknownChoice
from brand.kit import BrandKit
from brand.words import clean, nearest, one_of


def chosen(value: str, allowed: tuple[str, ...], field: str, kit: BrandKit) -> str:
    """The allowed spelling of `value`. Raises UnknownChoice with the nearest right word."""
    for item in allowed:
        if item.casefold() == clean(value).casefold():
            return item
    shown, suggestion = clean(value)[:80], nearest(clean(value), allowed)
    article = "an" if field[0] in "aeiou" else "a"
    ask = f"Did you mean `{suggestion}`? " if suggestion else ""
    have = f"Choose one of {one_of(allowed)}. " if allowed else f"The kit has no {field} yet. "
    raise UnknownChoice(
        f"`{field}:{shown}` isn't {article} {field} of {kit.name}. {ask}{have}Nothing was queued.",
        field=field,
        value=value,
        allowed=allowed,
        suggestion=suggestion,
    )
