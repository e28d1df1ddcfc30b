"""People's words: made harmless to store and show, compared, and held against the banned list."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from brand.emphasis import plain_text
from brand.errors import BannedWord
from brand.kit import BannedTerm, BrandKit

SIMILAR_ENOUGH = 0.6
MAX_COMPARED = 60
"""Longer words are cut before they are compared: the comparison is quadratic."""

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def clean(text: str) -> str:
    """The text in NFC, without control, bidirectional, zero-width and unassigned characters.

    Runs of white space become one space; the ends are trimmed.
    """
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if char.isspace() else char for char in composed)
    seen = "".join(char for char in spaced if unicodedata.category(char) not in _UNSEEN)
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def nearest(word: str, choices: Iterable[str]) -> str:
    """The choice that `word` was most likely meant to be, or an empty string."""
    wanted = word.casefold()[:MAX_COMPARED]
    best, best_ratio = "", SIMILAR_ENOUGH
    for choice in choices:
        ratio = SequenceMatcher(None, wanted, choice.casefold()[:MAX_COMPARED]).ratio()
        if ratio > best_ratio or (ratio == best_ratio and not best):
            best, best_ratio = choice, ratio
    return best


def one_of(choices: Sequence[str], *, limit: int = 12) -> str:
    """The choices as people read them, at most `limit` of them."""
    shown = ", ".join(choices[:limit])
    more = len(choices) - limit
    return f"{shown} and {more} more" if more > 0 else shown


def find_banned(text: str, kit: BrandKit) -> tuple[str, BannedTerm] | None:
    """The first banned word that the text holds, however it is spelt or weighed, or None."""
    pattern, terms = _banned_words(kit.banned)
    match = pattern.search(_folded(text)) if terms else None
    return terms[match[0]] if match else None


@lru_cache(maxsize=16)
def _banned_words(
    banned: tuple[BannedTerm, ...],
) -> tuple[re.Pattern[str], dict[str, tuple[str, BannedTerm]]]:
    """One pattern for all banned words in their compared form, and which term each belongs to."""
    terms: dict[str, tuple[str, BannedTerm]] = {}
    for term in banned:
        for word in term.words:
            terms.setdefault(_folded(word), (word, term))
    terms.pop("", None)
    longest_first = sorted(terms, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)"), terms


def refuse_banned(text: str, kit: BrandKit, *, field: str) -> None:
    """Raise BannedWord if the text holds a word that the kit bans."""
    found = find_banned(text, kit)
    if found is None:
        return
    word, term = found
    raise BannedWord(
        f"{kit.name}'s kit doesn't allow the word '{word}' (tone rule {term.rule}): "
        f"{term.reason.rstrip('.')}. Ask {term.owner} to change it, or try '{term.alternative}'.",
        field=field,
        word=word,
        rule=term.rule,
        owner=term.owner,
        alternative=term.alternative,
    )


def _folded(text: str) -> str:
    """Compared form: compatibility characters and case folded, weights and unseen signs gone."""
    return clean(unicodedata.normalize("NFKC", plain_text(clean(text)))).casefold()
