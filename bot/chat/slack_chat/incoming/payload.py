"""Reading what Slack has here and there in two ways."""

from bot.core.payloads import Body, part_of, text_in


def id_in(thing: Body, name: str) -> str:
    """An id, by itself or in a mapping."""
    return text_in(thing, name) or text_in(part_of(thing, name), "id")
