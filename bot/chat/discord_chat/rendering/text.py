"""Text for Discord: the one place that marks it up, so that nothing a person wrote can act.

Discord shows a character with a backslash before it as it is, but in `code`, where nothing acts
but a mention, and where the backslash would be seen. Mentions are kept apart by a character of no
width as well: the server looks for them before it looks for marks. See docs.discord.com,
reference (message formatting).
"""

import re
import unicodedata
from collections.abc import Iterable

from bot.core.phrases import Pen
from bot.core.readable import JOINERS, length, one_line, readable

TEXT = 4000
"""Most characters of all texts of a message together."""
CONTENT = 2000
"""Most characters of a plain message."""
ALT = 1024
LABEL = 80
OPTION = 100
PLACEHOLDER = 150
APART = "\u200b"
"""Between the @ of a mention and its name."""
TICK = "\u02cb"
"""What a backtick looks like that makes no code."""

_MENTION = re.compile(r"@(?=everyone|here|[!&]?\d)|<(?=[#:/@]|a:|t:|id:)", re.I)
_MARKS = re.compile(r"([\\*_~|<>\[\]`])")
_LINE_BEGUN = re.compile(r"^([^\S\n]*)([#\-+])", re.M)
_NUMBERED = re.compile(r"^([^\S\n]*\d+)([.)])", re.M)
_COLON = re.compile(r":(?=//|[\w+\-~]+:)")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_CODE = re.compile(r"`[^`\n]*`")
_BOLD = re.compile(r"(?<!\\)(?:\\\\)*\*\*")
_LINK = re.compile(r"https?://[^\s<>()\[\]\\`*|~]+", re.I)
_WEB = re.compile(r"https?://[^\s<>()\[\]\\`\"]{1,500}", re.I)


class Marked(str):
    """Text in Discord's own mark-up, safe to send: made by the functions below alone."""

    __slots__ = ()


def apart(text: str) -> str:
    """The text with nothing in it that Discord takes for a mention, an emoji or a time."""
    return _MENTION.sub(lambda found: f"{found[0]}{APART}", text)


def escaped(text: str) -> str:
    """A text in which Discord finds none of its marks."""
    return _escaped(readable(text))


def _escaped(text: str) -> str:
    text = _MARKS.sub(r"\\\1", apart(text).replace("`", TICK))
    text = _LINE_BEGUN.sub(r"\1\\\2", text)
    text = _NUMBERED.sub(r"\1\\\2", text)
    return _COLON.sub(r"\:", text)


def _with_code(text: str) -> str:
    """Escaped, but for `code`, which stays code."""
    parts = _SPAN.split(text)
    parts[::2] = [_escaped(part) for part in parts[::2]]
    parts[1::2] = [f"`{apart(part)}`" for part in parts[1::2]]
    return "".join(parts)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of an escaped text, with "…" where something is left out. No
    mark, emoji or `code` is left open."""
    if length(text) <= limit:
        return text
    room, kept = limit - 4, 0  # for the "…", a closing backtick and closing stars
    for kept, char in enumerate(text):  # noqa: B007 - how many fit is what is asked
        room -= length(char)
        if room < 0:
            break
    head = _whole(text[:kept])
    line = head.rpartition("\n")[2]
    shut = "`" if line.count("`") % 2 else ""
    if not shut and len(_BOLD.findall(_CODE.sub("", line))) % 2:
        shut = "**"
    return f"{head.rstrip()}…{shut}"


def _whole(head: str) -> str:
    """Without a mark or an emoji of which the rest is gone."""
    head = head.rstrip(JOINERS)
    while head and unicodedata.category(head[-1])[0] == "M":
        head = head[:-1].rstrip(JOINERS)
    backslashes = len(head) - len(head.rstrip("\\"))
    return head[:-1] if backslashes % 2 else head


def _begun(text: str, limit: int) -> str:
    """As much of a text as can matter where `limit` characters of it are shown: marking it up
    makes it longer, never shorter."""
    return text.strip()[: limit + 1]


def said(text: str, limit: int = TEXT) -> Marked:
    """Our own sentence, or what a person wrote; `code` in it shows as code."""
    return Marked(cut(_with_code(_begun(readable(text), limit)), limit))


def bold(text: str, limit: int = 500) -> Marked:
    """One line that stands out."""
    line = _escaped(_begun(one_line(text), limit))
    return Marked(f"**{cut(line, limit - 4)}**" if line else "")


def code(text: str, limit: int = 500) -> Marked:
    """A word to type or to copy."""
    line = apart(one_line(text)).replace("`", TICK)
    return Marked(f"`{cut(line, limit - 2)}`" if line else "")


def joined(glue: str, parts: Iterable[Marked]) -> Marked:
    """The parts that say something, with `glue` (ours) between them."""
    return Marked(glue.join(part for part in parts if part))


PEN = Pen(said=said, bold=bold, code=code, joined=joined)


def quiet(text: Marked, limit: int = TEXT) -> Marked:
    """Small grey text, line by line; its marks count too."""
    marked = "\n".join(f"-# {line}" for line in text.split("\n") if line.strip())
    return Marked(cut(marked, limit))


def linked(words: str, url: str) -> Marked:
    """Our words as a link; the words alone where the address is none to be linked to."""
    return Marked(f"[{words}]({url})" if _WEB.fullmatch(url) else words)


def lines(parts: Iterable[Marked]) -> Marked:
    """One below the other."""
    return joined("\n", parts)


def plain(text: str, limit: int) -> str:
    """What shows exactly as it is, on one line: a label, an alt text, an option. Discord reads no
    marks there; mentions are kept apart all the same."""
    return cut(apart(_begun(one_line(text), limit)), limit)


def posted(text: str, limit: int = CONTENT) -> Marked:
    """The words of a post, as they were approved; addresses in them can be opened, and show where
    they lead."""
    words = readable(text).strip()
    addresses = _LINK.findall(words)
    parts = [_escaped(part) for part in _LINK.split(words)]
    for at, address in enumerate(addresses):
        parts.insert(2 * at + 1, apart(address))
    return Marked(cut("".join(parts), limit))
