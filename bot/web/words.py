"""How the portal says times, sizes, shares and states; and people's text with its few marks."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from bot.core.actions import REFERENCE
from bot.core.cards import duration
from bot.core.messages import Button, Card, Field, Swatch
from bot.core.progressing import percent
from bot.web.calendar_days import day_name

STATE_WORDS = {
    "candidate": "draft",
    "in_review": "in review",
    "discarded": "failed the brand check",
}
_CODE = re.compile(r"```\n?(.*?)\n?```|`([^`\n]+)`", re.DOTALL)
_KIB = 1024
THINNEST = 0.1
"""Width below which a colour of a palette strip is left out, of 100."""


def said(text: str) -> Markup:
    """Our sentences as HTML: everything escaped, `code` and fenced blocks marked up."""
    out, at = Markup(), 0
    for match in _CODE.finditer(text):
        out += escape(text[at : match.start()])
        if match[1] is not None:
            out += Markup("<pre><code>{}</code></pre>").format(match[1])
        else:
            out += Markup("<code>{}</code>").format(match[2])
        at = match.end()
    return out + escape(text[at:])


def fact(field: Field) -> str:
    """A field's value without what stands beside it already: its label, its swatches' shares."""
    text, label = field.value, field.label
    if text.casefold().startswith(label.casefold()):
        text = text[len(label) :].lstrip(" :")
    head, colon, tail = text.partition(": ")
    if field.swatches and colon:
        rest = tail.partition("; ")[2]
        return f"{head}; {rest}" if rest else head
    return text


def hour(at: datetime) -> str:
    """ "14:32 UTC"; JavaScript turns it into the reader's own time."""
    return f"{at.astimezone(UTC):%H:%M} UTC"


def day_hour(at: datetime) -> str:
    """ "Mon 2 Mar, 14:32 UTC"."""
    moment = at.astimezone(UTC)
    return f"{moment:%a} {moment.day} {moment:%b, %H:%M} UTC"


def exact(at: datetime) -> str:
    """The whole moment, for the hover text."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def size(count: int) -> str:
    """Bytes as people read them: "412 kB", "1.3 GB"."""
    value, units = float(count), ("B", "kB", "MB", "GB", "TB")
    for unit in units:
        if value < _KIB or unit == units[-1]:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= _KIB
    return ""


def short(count: int) -> str:
    """A count that fits a badge: 7, 412, "1.2k"."""
    return str(count) if count < 1000 else f"{count / 1000:.1f}k"


def initials(name: str) -> str:
    """Up to two letters for an avatar."""
    parts = [part for part in name.split() if part[:1].isalnum()]
    chosen = parts[:1] + parts[-1:] if len(parts) > 1 else parts
    return "".join(part[0].upper() for part in chosen) or "?"


def initial(name: str) -> str:
    """The first letter of a brand."""
    return name.strip()[:1].upper() or "H"


def state_word(state: str) -> str:
    """A state as people say it."""
    return STATE_WORDS.get(state, state.replace("_", " "))


def strip(swatches: Iterable[Swatch]) -> list[dict[str, Any]]:
    """The rectangles of a palette strip, 100 wide, with a hair's breadth between colours."""
    parts = [(s.hex, max(0.0, min(s.share, 1.0)) * 100) for s in swatches]
    edges = [0.0]
    for _, width in parts:
        edges.append(edges[-1] + width)
    scale = 100 / edges[-1] if edges[-1] > 100 else 1.0
    return [
        {"hex": color, "x": round(left * scale, 2), "width": round((right - left) * scale, 2)}
        for (color, _), (left, right) in zip(parts, pairwise(edges), strict=True)
        if right - left >= THINNEST
    ]


def passing(card: Card) -> int:
    """How many of the card's pictures failed no gate."""
    return sum(all(field.ok is not False for field in ref.fields) for ref in card.pictures)


def ratio_class(width: int, height: int) -> str:
    """The style sheet's class for this shape: `r-150` is 3:2, in steps of 5 from 30 to 350."""
    ratio = width / height if width > 0 and height > 0 else 1.0
    return f"r-{min(350, max(30, round(ratio * 20) * 5))}"


LINKED = ("use:", f"{REFERENCE}:", "recipe:")
"""Actions for which a page has a link of its own: Download, Reference, the picture's page."""


def commands(buttons: Sequence[Button]) -> list[Button]:
    """A picture's buttons that a page carries out as commands."""
    return [button for button in buttons if not button.action.startswith(LINKED)]


FILTERS = {
    "commands": commands,
    "day_name": day_name,
    "said": said,
    "fact": fact,
    "percent": percent,
    "hour": hour,
    "day_hour": day_hour,
    "exact": exact,
    "size": size,
    "short": short,
    "initials": initials,
    "initial": initial,
    "state_word": state_word,
    "strip": strip,
    "duration": duration,
}
