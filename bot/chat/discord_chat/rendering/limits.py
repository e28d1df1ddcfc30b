"""What Discord takes of a message's components; what is drawn is held against it before it is sent.

Limits: docs.discord.com, components reference. What is in a container, a row or a section counts
as a component; the pictures of a gallery and the options of a menu do not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bot.chat.discord_chat.rendering.text import ALT, LABEL, OPTION, PLACEHOLDER, TEXT
from bot.chat.discord_chat.surfaces import MAX_CUSTOM_ID
from bot.core.errors import ChatRejected
from bot.core.readable import length

Component = Mapping[str, Any]

COMPONENTS = 40
IN_ROW = 5
IN_GALLERY = 10
IN_MENU = 25
ROW, BUTTON, MENU, SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, CONTAINER = 1, 2, 3, 9, 10, 11, 12, 17
LINK_STYLE = 5
MAX_ID = 2**31 - 1


class Unsendable(ChatRejected):
    """A message that Discord would refuse: a mistake of ours, not of who wrote its words. The log
    has what is wrong; tell an admin."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"Discord would not take this message: {problem}.",
            fix="Tell an admin; the portal shows the same thing.",
        )


def every(components: Iterable[Component]) -> Iterator[Component]:
    """Each component, with those inside it."""
    for component in components:
        yield component
        yield from every(component.get("components", ()))
        if "accessory" in component:
            yield from every((component["accessory"],))


def counted(components: Iterable[Component]) -> int:
    """How many of a message's components these are."""
    return sum(1 for _ in every(components))


def written(components: Iterable[Component]) -> int:
    """How many characters of a message's texts these have."""
    return sum(length(part.get("content", "")) for part in every(components))


def checked(components: Sequence[Component]) -> Sequence[Component]:
    """The same components. Raises Unsendable where Discord would refuse them."""
    if not 0 < counted(components) <= COMPONENTS:
        raise Unsendable(f"it has {counted(components)} components, 1 to {COMPONENTS} may be")
    if written(components) > TEXT:
        raise Unsendable(f"its texts have {written(components)} characters of at most {TEXT}")
    for part in every(components):
        _check(part)
    for name in ("id", "custom_id"):
        names = [part[name] for part in every(components) if part.get(name) is not None]
        if len(names) != len(set(names)):
            raise Unsendable(f"two parts have the same {name}")
    return components


def _check(part: Component) -> None:
    check = CHECKS.get(part["type"])
    if check is None:
        raise Unsendable(f"a part of it is of type {part['type']}")
    check(part)
    if part.get("id") is not None:
        _between("an id", part["id"], 1, MAX_ID)


def _check_row(part: Component) -> None:
    inside = part["components"]
    _between("parts in a row", len(inside), 1, IN_ROW)
    if len(inside) > 1 and any(each["type"] != BUTTON for each in inside):
        raise Unsendable("a menu stands in a row with others")


def _check_button(part: Component) -> None:
    _between("a button's label", length(part.get("label") or ""), 1, LABEL)
    if part.get("style") == LINK_STYLE:
        _between("a button's address", len(part.get("url") or ""), 1, 512)
    else:
        _between("a custom id", length(part.get("custom_id") or ""), 1, MAX_CUSTOM_ID)


def _check_menu(part: Component) -> None:
    _between("a custom id", length(part["custom_id"]), 1, MAX_CUSTOM_ID)
    _between("a menu's placeholder", length(part.get("placeholder") or " "), 1, PLACEHOLDER)
    _between("options of a menu", len(part["options"]), 1, IN_MENU)
    values = [option["value"] for option in part["options"]]
    if len(values) != len(set(values)):
        raise Unsendable("two options of a menu have the same value")
    for option in part["options"]:
        for name in ("label", "value"):
            _between(f"an option's {name}", length(option[name]), 1, OPTION)
        _between("an option's description", length(option.get("description") or " "), 1, OPTION)


def _check_section(part: Component) -> None:
    _between("texts in a section", len(part["components"]), 1, 3)


def _check_container(part: Component) -> None:
    _between("parts in a container", len(part["components"]), 1, COMPONENTS - 1)


def _check_text(part: Component) -> None:
    if not part["content"].strip():
        raise Unsendable("a text in it is empty")


def _check_gallery(part: Component) -> None:
    _between("pictures in a gallery", len(part["items"]), 1, IN_GALLERY)
    for item in part["items"]:
        _check_picture(item)


def _check_picture(part: Component) -> None:
    if not part["media"]["url"].startswith("attachment://"):
        raise Unsendable("a picture in it is no attachment")
    if not 0 < length((part.get("description") or "").strip()) <= ALT:
        raise Unsendable("a picture in it has no alt text, or too long a one")


def _between(what: str, number: int, low: int, high: int) -> None:
    if not low <= number <= high:
        raise Unsendable(f"{what}: {number}, {low} to {high} may be")


CHECKS: Mapping[int, Callable[[Component], None]] = {
    ROW: _check_row,
    BUTTON: _check_button,
    MENU: _check_menu,
    TEXT_DISPLAY: _check_text,
    THUMBNAIL: _check_picture,
    GALLERY: _check_gallery,
    SECTION: _check_section,
    CONTAINER: _check_container,
}
