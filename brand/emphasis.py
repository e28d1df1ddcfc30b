"""Emphasis in prompts: `(word)`, `((word))`, `(word:1.3)`, `[word]`, escapes, BREAK.

The notation is AUTOMATIC1111's (its wiki page "Features", section "Attention/emphasis"): a round
bracket multiplies the weight of its contents by 1.1, a square one divides by 1.1, `:number` before
a closing round bracket names the factor, a backslash makes a bracket text, and BREAK starts a new
chunk. Where that page is silent: a bracket that is never closed reaches to the end of what encloses
it, a closing bracket without an opening one is text, and the product of all weights is capped to
WEIGHT_LIMITS. Every function is linear in the length of the text.
"""

import re
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from brand.errors import PromptTooLong

MAX_CHARACTERS = 100_000
WEIGHT_LIMITS = (0.1, 2.0)
FACTORS = {"(": 1.1, "[": 1 / 1.1}

# Counts are bounded wherever two repeats could share characters, so that nothing backtracks far.
_TOKEN = re.compile(
    r"""
    \\[\\()\[\]]                                              # an escaped character
    | :[ ]{0,4}
      (?P<weight>[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,4})?)
      [ ]{0,4}\)                                              # `:1.3)`
    | \bBREAK\b
    | [^\\()\[\]:B]+                                          # text
    | .                                                       # a bracket, or one character of text
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING = {")": "(", "]": "["}
_BRACKET_OR_ESCAPE = re.compile(r"[\\()\[\]]")


@dataclass(frozen=True, kw_only=True)
class Span:
    """A piece of the prompt and how strongly it counts; 1.0 is neutral."""

    text: str
    weight: float = 1.0


Chunk = tuple[Span, ...]


def parse_emphasis(prompt: str) -> tuple[Chunk, ...]:
    """The prompt as chunks (parted by BREAK) of weighted spans, escapes resolved.

    There is at least one chunk, and a chunk without text is an empty tuple. Neighbours of equal
    weight are one span. Raises PromptTooLong beyond MAX_CHARACTERS.
    """
    tokens = _tokens(prompt)
    brackets = _match_brackets(tokens)
    chunks: list[Chunk] = []
    pieces: list[tuple[str, float]] = []
    weights = [1.0]
    for index, (text, _) in enumerate(tokens):
        if text == "BREAK":
            chunks.append(_merged(pieces))
            pieces = []
        elif index in brackets.factors:
            weights.append(weights[-1] * brackets.factors[index])
        elif index in brackets.closes:
            del weights[-brackets.closes[index] :]
        else:
            pieces.append((text[1:] if _is_escape(text) else text, weights[-1]))
    return (*chunks, _merged(pieces))


def plain_text(prompt: str) -> str:
    """The prompt's words alone, without weights; chunks are joined by a space."""
    chunks = parse_emphasis(prompt)
    return " ".join(filter(None, ("".join(span.text for span in chunk) for chunk in chunks)))


def escape_emphasis(text: str) -> str:
    """The text with every bracket and backslash escaped: it then weighs nothing."""
    return _BRACKET_OR_ESCAPE.sub(r"\\\g<0>", text)


def contained(text: str) -> str:
    """The text with its unmatched brackets escaped: it cannot weigh anything that stands around it.

    Raises PromptTooLong beyond MAX_CHARACTERS.
    """
    tokens = _tokens(text)
    brackets = _match_brackets(tokens)
    last = len(tokens) - 1
    out: list[str] = []
    for index, (token, _) in enumerate(tokens):
        stray = token[-1] in _OPENING and not _is_escape(token) and index not in brackets.closes
        if stray or index in brackets.unclosed or (index == last and token[-1] == "\\"):
            token = token[:-1] + ("" if _is_escape(token) else "\\") + token[-1]
        out.append(token)
    return "".join(out)


def _tokens(prompt: str) -> list[tuple[str, str | None]]:
    if len(prompt) > MAX_CHARACTERS:
        raise PromptTooLong(
            f"The prompt has {len(prompt):,} characters; at most {MAX_CHARACTERS:,} are read. "
            "Shorten it."
        )
    return [(match.group(), match["weight"]) for match in _TOKEN.finditer(prompt)]


def _is_escape(token: str) -> bool:
    return len(token) == 2 and token[0] == "\\"


@dataclass(kw_only=True)
class _Brackets:
    """Which tokens weigh: opening ones with their factor, closing ones with the levels they end."""

    factors: dict[int, float] = field(default_factory=dict)
    closes: dict[int, int] = field(default_factory=dict)
    unclosed: set[int] = field(default_factory=set)


def _match_brackets(tokens: list[tuple[str, str | None]]) -> _Brackets:
    found = _Brackets()
    stack: list[tuple[str, int]] = []
    depth = {"(": 0, "[": 0}
    for index, (text, number) in enumerate(tokens):
        if text in FACTORS:
            stack.append((text, index))
            depth[text] += 1
            found.factors[index] = FACTORS[text]
            found.unclosed.add(index)
            continue
        opening = _OPENING.get(text) or ("(" if number else "")
        if not opening or not depth[opening]:
            continue
        levels, kind, start = 0, "", -1
        while kind != opening:
            kind, start = stack.pop()
            depth[kind] -= 1
            levels += 1
        found.closes[index] = levels
        found.unclosed.discard(start)
        if number:
            found.factors[start] = _capped(float(number))
    return found


def _capped(weight: float) -> float:
    low, high = WEIGHT_LIMITS
    return min(max(weight, low), high)


def _merged(pieces: list[tuple[str, float]]) -> Chunk:
    """Neighbours of equal weight joined, weights capped, white space at the chunk's ends gone."""
    weighed = ((text, round(_capped(weight), 6)) for text, weight in pieces)
    spans = [
        ("".join(text for text, _ in group), weight)
        for weight, group in groupby(weighed, key=itemgetter(1))
    ]
    filled = [index for index, (text, _) in enumerate(spans) if text.strip()]
    if not filled:
        return ()
    first, last = filled[0], filled[-1]
    spans[first] = (spans[first][0].lstrip(), spans[first][1])
    spans[last] = (spans[last][0].rstrip(), spans[last][1])
    return tuple(Span(text=text, weight=weight) for text, weight in spans[first : last + 1])
