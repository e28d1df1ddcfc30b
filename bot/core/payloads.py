"""Reading what a platform delivered without trusting its types: what is not there, or something
else than it should be, is empty."""

import math
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Body: TypeAlias = Mapping[str, Any]

MAX_DEPTH = 40
"""Objects and lists inside each other; what platforms deliver stays below twenty."""
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def text_in(thing: Body, name: str) -> str:
    """A text."""
    value = thing.get(name)
    return value if isinstance(value, str) else ""


def part_of(thing: Body, name: str) -> Body:
    """A mapping."""
    value = thing.get(name)
    return value if isinstance(value, dict) else {}


def parts_in(thing: Body, name: str) -> list[Body]:
    """The mappings of a list; what else stands there is left out."""
    value = thing.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def all_texts(payload: Body) -> list[str]:
    """Every text in it, however deep; without the names."""
    found: list[str] = []
    waiting: list[Any] = [payload]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
    return found


def is_plain(payload: Body) -> bool:
    """Whether every text can be stored, every number is finite, and nothing is deeper than
    MAX_DEPTH. Without recursion: the depth is the other side's choice."""
    waiting: list[tuple[Any, int]] = [(payload, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            if not _is_storable(value):
                return False
        elif isinstance(value, float):
            if not math.isfinite(value):
                return False
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                return False
            inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value
            waiting += [(one, depth + 1) for one in inner]
    return True


def _is_storable(text: str) -> bool:
    """No database takes NUL, none a half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None
