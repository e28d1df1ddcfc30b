"""Typed text as tokens that know their place.

Characters that nobody sees (control, zero-width, bidirectional, unassigned) are left out before
anything is read, so that what is shown is what is rendered; they come in by copying, not by will,
and are therefore no mistake. Positions count in the text as it was typed.

A double quotation mark opens a phrase only at the start of a word or right after `=` or `:`, so
`a 12" pizza` and `mother's day` are plain words. Curly and angled quotation marks count as straight
ones. Every character is looked at a bounded number of times.
"""

import unicodedata
from dataclasses import dataclass, field

from bot.core.errors import Position

QUOTES = frozenset('"“”„‟«»＂')
SINGLE_QUOTES = frozenset("'‘’‚‛＇")
LONG_DASHES = frozenset("–—―")
"""What phones make of `--`."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_ENDS_VALUE = " ,;"


@dataclass(frozen=True, kw_only=True)
class Token:
    """A word or a quoted phrase; `start` and `end` count in `Typed.seen`."""

    text: str
    start: int
    end: int
    phrase: str | None = None
    """The inside, if the token is one quoted phrase and nothing else."""
    unclosed: int = -1
    """Where in `Typed.seen` a quotation mark stands that is never closed, or -1."""

    @property
    def quoted(self) -> bool:
        """Whether it is one quoted phrase: plain words, whatever stands in it."""
        return self.phrase is not None


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What a person typed."""

    raw: str
    seen: str
    """Without unseen characters; every white space is one blank."""
    places: tuple[int, ...] = field(repr=False)
    """For each character of `seen` its index in `raw`."""
    tokens: tuple[Token, ...]

    def position(self, start: int, end: int) -> Position:
        """The span `start` to `end` of `seen` as a position in `raw`."""
        if start >= len(self.places):
            return Position(start=len(self.raw), end=len(self.raw))
        last = self.places[min(max(end, start + 1), len(self.places)) - 1]
        return Position(start=self.places[start], end=last + 1)

    def of(self, token: Token) -> Position:
        """Where a token stands in `raw`."""
        return self.position(token.start, token.end)

    def rest(self, token: Token) -> str:
        """What stands in `raw` from this token to the end."""
        return self.raw[self.places[token.start] :].strip()


def read_typed(text: str) -> Typed:
    """Leave out what nobody sees and cut the rest into tokens."""
    seen: list[str] = []
    places: list[int] = []
    for index, char in enumerate(text):
        blank = char.isspace()
        if blank or unicodedata.category(char) not in _UNSEEN:
            seen.append(" " if blank else char)
            places.append(index)
    joined = "".join(seen)
    return Typed(raw=text, seen=joined, places=tuple(places), tokens=_tokens(joined))


def unquoted(text: str) -> str:
    r"""The inside of a quoted value (`\"` and `\\` read as one character), or the text itself."""
    if len(text) < 2:
        return text
    if text[0] in QUOTES and text[-1] in QUOTES:
        return _unescaped(text[1:-1])
    if text[0] in SINGLE_QUOTES and text[-1] in SINGLE_QUOTES:
        return text[1:-1]
    return text


def quoted(text: str) -> str:
    """The text as one phrase in straight double quotation marks."""
    escaped = "".join(f"\\{char}" if char in QUOTES or char == "\\" else char for char in text)
    return f'"{escaped}"'


def _tokens(seen: str) -> tuple[Token, ...]:
    tokens: list[Token] = []
    at = 0
    while at < len(seen):
        if seen[at] == " ":
            at += 1
            continue
        token = _token(seen, at)
        tokens.append(token)
        at = token.end
    return tuple(tokens)


def _token(seen: str, start: int) -> Token:
    at, unclosed, phrase_end = start, -1, -1
    while at < len(seen) and seen[at] != " ":
        if not _opens(seen, start, at):
            at += 1
            continue
        close = _closing(seen, at)
        if close < 0:
            unclosed = at if seen[at] in QUOTES else unclosed
            at += 1
            continue
        phrase_end = close + 1 if at == start else phrase_end
        at = close + 1
    text = seen[start:at]
    phrase = _unescaped(text[1:-1]) if phrase_end == at else None
    return Token(text=text, start=start, end=at, phrase=phrase, unclosed=unclosed)


def _opens(seen: str, start: int, at: int) -> bool:
    if seen[at] in QUOTES:
        return at == start or seen[at - 1] in "=:"
    return seen[at] in SINGLE_QUOTES and at > start and seen[at - 1] == "="


def _closing(seen: str, at: int) -> int:
    """Where the phrase that opens at `at` is closed, or -1.

    Linear over the whole text: an opening mark never follows a backslash, so where one search
    for a double mark fails there is no later opening one; and a search for a single mark stops at
    the next one, before which none can open.
    """
    if seen[at] in SINGLE_QUOTES:
        return _closing_single(seen, at)
    index = at + 1
    while index < len(seen):
        if seen[index] == "\\":
            index += 2
            continue
        if seen[index] in QUOTES:
            return index
        index += 1
    return -1


def _closing_single(seen: str, at: int) -> int:
    for index in range(at + 1, len(seen)):
        if seen[index] in SINGLE_QUOTES:
            ends = index + 1 == len(seen) or seen[index + 1] in _ENDS_VALUE
            return index if ends else -1
    return -1


def _unescaped(text: str) -> str:
    out: list[str] = []
    escaped = False
    for char in text:
        if escaped and char not in QUOTES and char != "\\":
            out.append("\\")
        if char == "\\" and not escaped:
            escaped = True
            continue
        out.append(char)
        escaped = False
    return "".join(out) + ("\\" if escaped else "")
