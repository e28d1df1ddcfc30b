"""Reading what Slack sent without trusting its types: what is not there, or something else than it
should be, is empty."""

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]


def text_in(thing: Body, name: str) -> str:
    """A text."""
    value = thing.get(name)
    return value if isinstance(value, str) else ""


def part_of(thing: Body, name: str) -> Body:
    """A mapping."""
    value = thing.get(name)
    return value if isinstance(value, dict) else {}


def id_in(thing: Body, name: str) -> str:
    """An id, by itself or in a mapping, as Slack has it here and there."""
    return text_in(thing, name) or text_in(part_of(thing, name), "id")
