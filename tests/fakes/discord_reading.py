"""How Discord reads a text: what it would ping, and what of it would act.

A reader of its own, by docs.discord.com (reference, message formatting) and by what clients show;
it shares nothing with what writes texts.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.chat.discord_chat.rendering.buttons import OURS

MENTIONS = re.compile(
    r"@everyone|@here|<@!?\d+>|<@&\d+>|<#\d+>|<id:\w+>|</[^>:]+:\d+>|<a?:\w+:\d+>|<t:-?\d+", re.I
)
ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
CODE = re.compile(r"`[^`\n]+`")
MARKS = re.compile(
    r"[*_~|`<\[\]]"
    r"|^[^\S\n]*(?:#{1,3}|-#?|\+|>{1,3}|\d+[.)])\s"
    r"|\w://"
    r"|:[\w+-]+:",
    re.M,
)
MASKED = re.compile(r"(?<!\\)(?:\\\\)*\]\((?P<url>[^)]*)\)")
HELD = "\ue000"
"""Stands for a character that a backslash keeps from acting."""


def pings(text: str) -> list[str]:
    """What the server would take for a mention, also in code and behind a backslash."""
    return MENTIONS.findall(text)


def acts(text: str) -> list[str]:
    """What a client would show otherwise than it is written, code left out."""
    return MARKS.findall(CODE.sub(HELD, ESCAPE.sub(HELD, text)))


def links(text: str) -> list[str]:
    """Where masked links lead."""
    return [found["url"] for found in MASKED.finditer(CODE.sub(HELD, text))]


def seen(text: str) -> str:
    """What a person reads, without code."""
    return ESCAPE.sub(r"\1", text).replace("\u200b", "")


def strings(part: object) -> Iterator[str]:
    """Every text in a payload."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from strings(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from strings(value)


def contents(components: Iterable[dict[str, Any]]) -> list[str]:
    """The texts of components in their order."""
    found: list[str] = []
    for part in components:
        found += [part["content"]] if "content" in part else []
        found += contents(part.get("components", ()))
        found += contents([part["accessory"]]) if "accessory" in part else []
    return found


def action_of(carried: str) -> tuple[str, str]:
    """(what is asked first or an empty text, the action) of a custom id or a chosen option."""
    found = OURS.fullmatch(carried)
    assert found is not None, carried
    return found["asks"] or "", found["action"]
