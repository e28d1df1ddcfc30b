"""Text for Slack: the one place that makes text objects, so that nothing a person wrote can act.

Slack reads `&`, `<` and `>` as its own marks (mentions, links, dates), in plain text too, and
shows `&amp;`, `&lt;` and `&gt;` as the characters. See docs.slack.dev/messaging/formatting.
"""

import re
import unicodedata
from collections.abc import Iterable

from slack_sdk.models.blocks import MarkdownTextObject, PlainTextObject

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
_JOINERS = "\u200c\u200d"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, NUL among them
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"  # zero width, bidirectional orders
    "\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)


class Marked(str):
    """Text in Slack's own mark-up, safe to send: made by the functions below alone."""

    __slots__ = ()


def clean(text: str) -> str:
    """What a reader sees of a text: no controls, no bidirectional orders, nothing of no width
    (joiners stay inside emoji and scripts that need them), one kind of line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    text = _UNSEEN.sub("", text.encode("utf-8", "replace").decode("utf-8"))
    if not any(joiner in text for joiner in _JOINERS):
        return text
    last = len(text) - 1
    return "".join(
        char
        for at, char in enumerate(text)
        if char not in _JOINERS or (0 < at < last and _joins(text[at - 1]) and _joins(text[at + 1]))
    )


def _joins(char: str) -> bool:
    return not char.isascii() and char not in _JOINERS


def one_line(text: str) -> str:
    """A cleaned text without line ends and double spaces."""
    return " ".join(clean(text).split())


def escaped(text: str) -> str:
    """A cleaned text in which Slack finds none of its marks."""
    return "".join(_ESCAPES.get(char, char) for char in clean(text))


def _unfenced(text: str) -> str:
    """Without the fence that would make code of all that follows, in whatever text it stands."""
    return _FENCE.sub(lambda found: "\u02cb" * len(found[0]), text)


def length(text: str) -> int:
    """Characters as the stricter count has them: one outside the basic plane is two."""
    return len(text) + sum(char > "\uffff" for char in text)


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
    head = head.rstrip(_JOINERS)
    while head and unicodedata.category(head[-1])[0] == "M":
        head = head[:-1].rstrip(_JOINERS)
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
