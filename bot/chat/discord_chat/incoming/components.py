"""components: the pictures in a message, whichever way it shows them."""

from collections.abc import Iterator

from bot.core.payloads import Body, part_of, parts_in, text_in

MAX_PICTURES = 10
_PICTURE = "image/"


def pictures_in(message: Body) -> list[str]:
    """Addresses of the pictures that a message of Discord holds, ten at most: attached, or shown
    in its components."""
    found = [
        text_in(one, "url")
        for one in parts_in(message, "attachments")
        if text_in(one, "content_type").startswith(_PICTURE) or "width" in one
    ]
    found += [text_in(media, "url") for media in _shown(message)]
    return list(dict.fromkeys(url for url in found if url))[:MAX_PICTURES]


def _shown(message: Body) -> Iterator[Body]:
    """The media of galleries and thumbnails, at any depth."""
    waiting = parts_in(message, "components")
    while waiting:
        component = waiting.pop(0)
        yield part_of(component, "media")
        yield from (part_of(item, "media") for item in parts_in(component, "items"))
        waiting = [*parts_in(component, "components"), *waiting]
        if accessory := part_of(component, "accessory"):
            waiting.append(accessory)
