"""What Discord allows in a message's components, and how clients see them.

docs.discord.com, components reference: what the OpenAPI file can't say (sums, uniqueness, what goes
with what). All of it is refused with 50035 and the field's path.
"""

from collections.abc import Iterator, Mapping

from tests.fakes.discord.access import invalid
from tests.fakes.discord.cdn import address
from tests.fakes.discord.state import TEXT_DISPLAY, Attachment, Json, World, walk

ROW, BUTTON, SELECT, INPUT = 1, 2, 3, 4
SECTION, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 11, 12, 13, 14, 17, 18
SELECTS = (SELECT, 5, 6, 7, 8)
LINK, PREMIUM = 5, 6
MOST, MOST_TEXT = 40, 4000
MOST_ROWS = MOST_BUTTONS = MOST_FORM = 5
ATTACHED = "attachment://"
HAS_ID = 1 << 31

Located = tuple[str, Json]
"""A component and its path, with `__` between the steps."""


def located(components: list[Json], path: str = "components") -> Iterator[Located]:
    """Components and all that is in them, each with its path."""
    for number, part in enumerate(components):
        here = f"{path}__{number}"
        yield here, part
        yield from located(part.get("components") or [], f"{here}__components")
        for name in ("accessory", "component"):
            if part.get(name):
                yield f"{here}__{name}", part[name]


def check(components: list[Json], *, v2: bool) -> None:
    """Refuse what a message may not show."""
    parts = list(located(components))
    if not v2 and any(part["type"] not in (ROW, BUTTON, *SELECTS) for _, part in parts):
        raise invalid(components="Value of field needs the flag IS_COMPONENTS_V2.")
    if not v2 and len(components) > MOST_ROWS:
        raise invalid(components="Must be 5 or fewer in length.")
    if len(parts) > MOST:
        raise invalid(components=f"The total number of components is over {MOST}.")
    said = sum(len(part["content"]) for _, part in parts if part["type"] == TEXT_DISPLAY)
    if said > MOST_TEXT:
        raise invalid(components=f"The text of all components is over {MOST_TEXT} characters.")
    _all_different(parts)
    for path, part in parts:
        _check_one(path, part)


def _all_different(parts: list[Located]) -> None:
    for field in ("custom_id", "id"):
        seen: set[object] = set()
        for path, part in parts:
            value = part.get(field)
            if value in (None, 0, ""):
                continue
            if value in seen:
                raise invalid(**{f"{path}__{field}": f"Component {field} cannot be duplicated."})
            seen.add(value)
            if field == "id" and not 0 < int(value) < HAS_ID:
                raise invalid(**{f"{path}__id": "int value should be a 31-bit positive number."})


def _check_one(path: str, part: Json) -> None:
    kind = part["type"]
    if kind == ROW:
        _check_row(path, part["components"])
    if kind == BUTTON:
        _check_button(path, part)
    if kind == SELECT:
        _check_select(path, part)
    if kind == CONTAINER and not part["components"]:
        raise invalid(**{f"{path}__components": "This field is required."})
    for media in media_of(part):
        url = str(media.get("url", ""))
        if not url.startswith((ATTACHED, "https://", "http://")):
            raise invalid(**{f"{path}__media__url": "Scheme must be one of attachment, http(s)."})
    if kind == FILE and not str(part["file"]["url"]).startswith(ATTACHED):
        raise invalid(**{f"{path}__file__url": "Only an attachment can be shown as a file."})


def _check_row(path: str, inner: list[Json]) -> None:
    if not 1 <= len(inner) <= MOST_BUTTONS:
        raise invalid(**{f"{path}__components": "Must be between 1 and 5 in length."})
    if any(part["type"] in SELECTS for part in inner) and len(inner) > 1:
        raise invalid(**{f"{path}__components": "A select needs a row of its own."})


def _check_button(path: str, button: Json) -> None:
    style = button["style"]
    if style == LINK and (not button.get("url") or button.get("custom_id")):
        raise invalid(**{path: "A link button has a url and no custom id."})
    if style not in (LINK, PREMIUM) and (not button.get("custom_id") or button.get("url")):
        raise invalid(**{path: "A custom id is required, and no url."})
    if not button.get("label") and not button.get("emoji"):
        raise invalid(**{path: "A button must have a label or an emoji."})


def _check_select(path: str, select: Json) -> None:
    values = [option["value"] for option in select["options"]]
    if len(set(values)) != len(values):
        raise invalid(**{f"{path}__options": "The specified option value is already used."})
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if least is not None and most is not None and (least > most or most > len(values)):
        raise invalid(**{f"{path}__max_values": "More than there are options, or than the least."})
    chosen = sum(1 for option in select["options"] if option.get("default"))
    if most is not None and chosen > most:
        raise invalid(**{f"{path}__options": "Too many default values."})


def check_form(form: Json) -> None:
    """Refuse what a form may not hold."""
    top = form["components"]
    if len(top) > MOST_FORM:
        raise invalid(data__components="Must be between 1 and 5 in length.")
    parts = list(located(top, "data__components"))
    _all_different(parts)
    for path, part in parts:
        if part["type"] == SELECT:
            _check_select(path, part)
        if part["type"] != INPUT:
            continue
        labelled = bool(part.get("label"))
        if labelled == path.endswith("__component"):
            raise invalid(**{f"{path}__label": "A label stands on the input or around it, once."})
        least, most = part.get("min_length") or 0, part.get("max_length") or MOST_TEXT
        if least > most or len(part.get("value") or "") > most:
            raise invalid(**{f"{path}__value": f"Must be {most} or fewer in length."})


def media_of(part: Json) -> list[Json]:
    """Everything in a component that is a picture or a file."""
    items = [item["media"] for item in part.get("items") or ()]
    return [*items, *(part[name] for name in ("media", "file") if isinstance(part.get(name), dict))]


def shown_names(components: list[Json]) -> dict[str, str]:
    """File names that components show, each with a path of such a component."""
    return {
        str(media["url"]).removeprefix(ATTACHED): path
        for path, part in located(components)
        for media in media_of(part)
        if str(media["url"]).startswith(ATTACHED)
    }


def unfurled(components: list[Json], files: Mapping[str, Attachment], world: World) -> list[Json]:
    """As clients see them: every part with an id, pictures with where they lie. `files` has the
    message's files by name. Raises 50035 for a file that isn't there."""
    for name, path in shown_names(components).items():
        if name not in files:
            raise invalid(
                **{f"{path}__media__url": f"The referenced attachment is missing: {name}"}
            )
    taken = {part.get("id") for part in walk(components)}
    count = 0
    shown = [_bare(part) for part in components]
    for part in walk(shown):
        if not part.get("id"):
            count += 1
            while count in taken:
                count += 1
            part["id"] = count
        for media in media_of(part):
            _lay(media, files, world)
    return shown


def _bare(part: Json) -> Json:
    """A copy with Discord's own words where the app gave none."""
    found = _without_nothing(part)
    found |= DEFAULTS.get(part["type"], {}) | found
    for name in ("accessory", "component"):
        if found.get(name):
            found[name] = _bare(found[name])
    if "components" in found:
        found["components"] = [_bare(inner) for inner in found["components"]]
    if found.get("emoji"):
        found["emoji"] = _without_nothing(found["emoji"])
    if found["type"] == SELECT:
        found["options"] = [_option(option) for option in found["options"]]
    if found["type"] == GALLERY:
        found["items"] = [
            {"description": None, "spoiler": False, **item, "media": dict(item["media"])}
            for item in found["items"]
        ]
    for name in ("media", "file"):
        if isinstance(found.get(name), dict):
            found[name] = dict(found[name])
    return found


def _without_nothing(given: Json) -> Json:
    """A copy without what is null, which Discord takes and doesn't give back."""
    return {name: value for name, value in given.items() if value is not None}


def _option(option: Json) -> Json:
    found = _without_nothing(option)
    return {**found, "emoji": _without_nothing(found["emoji"])} if "emoji" in found else found


DEFAULTS: dict[int, Json] = {
    SELECT: {"min_values": 1, "max_values": 1},
    CONTAINER: {"accent_color": None, "spoiler": False},
    SEPARATOR: {"divider": True, "spacing": 1},
    THUMBNAIL: {"description": None, "spoiler": False},
    FILE: {"name": None, "size": None, "spoiler": False},
}


def _lay(media: Json, files: Mapping[str, Attachment], world: World) -> None:
    media["id"] = world.new_id()
    file = files.get(str(media["url"]).removeprefix(ATTACHED))
    if not str(media["url"]).startswith(ATTACHED) or file is None:
        media["proxy_url"] = media["url"]
        return
    media["url"] = media["proxy_url"] = address(world, file)
    media["attachment_id"] = file.id
    media["content_type"] = file.content_type
    media["width"], media["height"] = file.width, file.height
