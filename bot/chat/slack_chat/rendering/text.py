"""Text for Slack: the one place that makes text objects, so that nothing a person wrote can act.

Slack reads `&`, `<` and `>` as its own marks (mentions, links, dates), in plain text too, and
shows `&amp;`, `&lt;` and `&gt;` as the characters. See docs.slack.dev/messaging/formatting.
"""

import re
import unicodedata
from collections.abc import Iterable

from slack_sdk.models.blocks import MarkdownTextObject, PlainTextObject

from bot.core.readable import JOINERS, length, one_line, readable

SECTION = 3000
"""Most characters of a section's text."""
FIELD = 2000
"""Most characters of a section's field, of a context's text and of an alt text."""
BUTTON = 75
"""Most characters of a button's and an option's label."""
HEADER = 150
FALLBACK = 3000
"""Most characters of the text that notifications and screen readers get; Slack cuts at 4000."""
NOTHING = "—"
"""Slack refuses an empty text."""

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ENTITY_BEGUN = re.compile(r"&[a-z]{0,3}$")
_FENCE = re.compile("`{3,}")
_WEB = re.compile(r"https?://[^\s<>|&\"`]{1,500}", re.I)


class Marked(str):
    """Text in Slack's own mark-up, safe to send: made by the functions below alone."""

    __slots__ = ()


def escaped(text: str) -> str:
    """A cleaned text in which Slack finds none of its marks."""
    return "".join(_ESCAPES.get(char, char) for char in readable(text))


def _unfenced(text: str) -> str:
    """Without the fence that would make code of all that follows, in whatever text it stands."""
    return _FENCE.sub(lambda found: "\u02cb" * len(found[0]), text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of an escaped text, with "…" where something is left out. No
    entity, mark, emoji or `code` is left open."""
    if length(text) <= limit:
        return text
    room, kept = limit - 2, 0  # for the "…" and a closing backtick
    for kept, char in enumerate(text):  # noqa: B007 - how many fit is what is asked
        room -= length(char)
        if room < 0:
            break
    head = _ENTITY_BEGUN.sub("", text[:kept])
    if head.rfind("<") > head.rfind(">"):
        head = head[: head.rfind("<")]
    head = head.rstrip(JOINERS)
    while head and unicodedata.category(head[-1])[0] == "M":
        head = head[:-1].rstrip(JOINERS)
    shut = "`" if head.rpartition("\n")[2].count("`") % 2 else ""
    return f"{head.rstrip()}…{shut}"


def said(text: str, limit: int = SECTION) -> Marked:
    """Our own sentence, or what a person wrote; `code` in it shows as code."""
    return Marked(cut(_unfenced(escaped(text)).strip(), limit))


def bold(text: str, limit: int = 500) -> Marked:
    """One line that stands out."""
    line = _unfenced(escaped(one_line(text))).replace("*", "\u2217")
    return Marked(f"*{cut(line, limit)}*" if line else "")


def code(text: str, limit: int = 500) -> Marked:
    """A word to type or to copy."""
    line = escaped(one_line(text)).replace("`", "\u02cb")
    return Marked(f"`{cut(line, limit)}`" if line else "")


def joined(glue: str, parts: Iterable[Marked]) -> Marked:
    """The parts that say something, with `glue` (ours) between them."""
    return Marked(glue.join(part for part in parts if part))


def linked(words: str, url: str) -> Marked:
    """Our words as a link; nothing where the address is none to be linked to."""
    return Marked(f"<{url}|{words}>" if _WEB.fullmatch(url) else "")


def packed(lines: Iterable[Marked], limit: int = SECTION) -> list[Marked]:
    """Lines as few texts of at most `limit` characters each."""
    texts: list[str] = []
    for text in (cut(line, limit) for line in lines if line):
        if texts and length(texts[-1]) + 1 + length(text) <= limit:
            texts[-1] += f"\n{text}"
        else:
            texts.append(text)
    return [Marked(text) for text in texts]


def plain(text: str, limit: int) -> PlainTextObject:
    """A text object that shows exactly this, on one line; `:codes:` are no emoji in it."""
    return PlainTextObject(text=cut(escaped(one_line(text)), limit) or NOTHING, emoji=False)


def mrk(text: str, limit: int = SECTION) -> MarkdownTextObject:
    """A text object in Slack's mark-up. A str is escaped, a Marked is taken as it is. Slack looks
    for no names, channels or addresses in it."""
    marked = text if isinstance(text, Marked) else said(text, limit)
    return MarkdownTextObject(text=cut(marked, limit) or NOTHING, verbatim=True)


def alt(text: str, limit: int = FIELD) -> str:
    """A picture's alt text. It is read aloud as it is, so marks become look-alikes."""
    line = one_line(text).replace("<", "\u2039").replace(">", "\u203a")
    return cut(line, limit) or "A picture"


def fallback(parts: Iterable[str]) -> str:
    """The text beside the blocks: what a notification and a screen reader say."""
    words = joined("\n", (said(one_line(part)) for part in parts))
    return cut(words, FALLBACK) or NOTHING
