"""Learned words (textual inversions) found in a prompt: whole words, in small letters or large."""

import re
from collections.abc import Iterable


def learned_word_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """One group that matches any of these words where it stands alone; the longest goes first."""
    ordered = sorted(words, key=len, reverse=True)
    return re.compile("(" + "|".join(map(_alone, ordered)) + ")", re.IGNORECASE)


def holds_word(text: str, word: str) -> bool:
    """Whether this learned word stands in the text."""
    return learned_word_pattern([word]).search(text) is not None


def _alone(word: str) -> str:
    """A letter beside it makes it part of another word; a bracket of its own ends it anyway."""
    before = r"(?<!\w)" if re.match(r"\w", word) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", word) else ""
    return before + re.escape(word) + after
