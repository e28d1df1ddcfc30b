"""What a reader sees of a text, whatever it is made of; and how long it is."""

import re

JOINERS = "\u200c\u200d"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, NUL among them
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"  # zero width, bidirectional orders
    "\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)


def readable(text: str) -> str:
    """What a reader sees of a text: no controls, no bidirectional orders, nothing of no width
    (joiners stay inside emoji and scripts that need them), one kind of line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    text = _UNSEEN.sub("", text.encode("utf-8", "replace").decode("utf-8"))
    if not any(joiner in text for joiner in JOINERS):
        return text
    last = len(text) - 1
    return "".join(
        char
        for at, char in enumerate(text)
        if char not in JOINERS or (0 < at < last and _joins(text[at - 1]) and _joins(text[at + 1]))
    )


def _joins(char: str) -> bool:
    return not char.isascii() and char not in JOINERS


def one_line(text: str) -> str:
    """A readable text without line ends and double spaces."""
    return " ".join(readable(text).split())


def length(text: str) -> int:
    """Characters as the stricter count has them: one outside the basic plane is two."""
    return len(text) + sum(char > "\uffff" for char in text)
