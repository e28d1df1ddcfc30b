"""The words of a text as the archive's search knows them: the same for every store.

Upper and lower case, accents and a plural s make no difference; scripts that are written without
spaces are taken character by character.
"""

import re
import unicodedata

from bot.core.assets import Asset

MAX_WORD = 64
MAX_QUERY_WORDS = 8

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f"
_ACCENTS = frozenset(map(chr, range(0x0300, 0x0370)))
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def words_of(text: str) -> tuple[str, ...]:
    """The distinct search words of a text, in order."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in folded if char not in _ACCENTS)
    # Composed again, or Korean syllables and voiced kana would fall apart.
    plain = unicodedata.normalize("NFC", plain)
    return tuple(dict.fromkeys(_singular(word[:MAX_WORD]) for word in _WORD.findall(plain)))


def query_words(text: str) -> tuple[str, ...]:
    """The words that must all be there; at most MAX_QUERY_WORDS of them count."""
    return words_of(text)[:MAX_QUERY_WORDS]


def asset_words(asset: Asset) -> tuple[str, ...]:
    """Under which words an asset is found: the person's, the prompt's and the template's name."""
    return words_of(" ".join((asset.words, asset.spec.prompt, asset.template)))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
