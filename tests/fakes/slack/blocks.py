"""The limits of blocks, texts and views, by this Slack's own code.

From docs.slack.dev/reference/block-kit. Every check gives what Slack would say, with a JSON
pointer to where it is wrong.
"""

import json
import re
from collections.abc import Callable, Iterator

from tests.fakes.slack.state import Json

MESSAGE_BLOCKS, VIEW_BLOCKS, VIEW_BYTES = 50, 100, 250_000
TITLE, METADATA = 24, 3000
PINGS = re.compile(r"<(?:!(?:channel|here|everyone|subteam\^)[^>]*|[@#][A-Z0-9]+[^>]*)>")
LINKS = re.compile(r"<(?:https?|mailto):[^>]*>")

Files = Callable[[Json], str | None]
"""What is wrong with a `slack_file`, None if nothing is."""


class Wrong(Exception):
    """Blocks that Slack refuses: what, and where."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} [json-pointer:{where}]")


def check_message(blocks: object, *, files: Files) -> list[str]:
    """What is wrong with a message's blocks."""
    return _checked(blocks, "message", MESSAGE_BLOCKS, files)


def check_view(view: object, *, files: Files) -> list[str]:
    """What is wrong with a modal or a Home tab."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return ["must be a modal or a home view [json-pointer:/view/type]"]
    try:
        _view(view)
    except Wrong as exc:
        return [str(exc)]
    if len(json.dumps(view)) > VIEW_BYTES:
        return ["view is too large [json-pointer:/view]"]
    return _checked(view.get("blocks"), view["type"], VIEW_BLOCKS, files)


def _view(view: Json) -> None:
    known = {
        "type", "title", "blocks", "close", "submit", "private_metadata", "callback_id",
        "clear_on_close", "notify_on_close", "external_id", "submit_disabled",
    }  # fmt: skip
    _only(view, known, "/view")
    if view["type"] == "modal":
        _plain(view.get("title"), TITLE, "/view/title")
        for name in ("submit", "close"):
            if view.get(name) is not None:
                _plain(view[name], TITLE, f"/view/{name}")
        blocks = view.get("blocks") or []
        inputs = any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
        if inputs and not view.get("submit"):
            raise Wrong("submit is required with input blocks", "/view/submit")
    _length(view.get("private_metadata", ""), METADATA, "/view/private_metadata")
    _length(view.get("callback_id", ""), 255, "/view/callback_id")
    _length(view.get("external_id", ""), 255, "/view/external_id")


def _checked(blocks: object, surface: str, most: int, files: Files) -> list[str]:
    if not isinstance(blocks, list) or not 0 < len(blocks) <= most:
        return [f"must have 1 to {most} blocks [json-pointer:/blocks]"]
    wrong: list[str] = []
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        try:
            _block(block, surface, f"/blocks/{index}", files)
            name = block.get("block_id")
            if name is not None and name in seen:
                raise Wrong("block_id is not unique", f"/blocks/{index}/block_id")
            seen.add(name)
        except Wrong as exc:
            wrong.append(str(exc))
    return wrong


def _block(block: object, surface: str, at: str, files: Files) -> None:
    if not isinstance(block, dict) or block.get("type") not in BLOCKS:
        raise Wrong("unsupported block type", f"{at}/type")
    keys, surfaces, check = BLOCKS[block["type"]]
    if surface not in surfaces:
        raise Wrong(f"{block['type']} is not allowed in a {surface}", f"{at}/type")
    _only(block, keys | {"type", "block_id"}, at)
    if "block_id" in block:
        _length(block["block_id"], 255, f"{at}/block_id", least=1)
    check(block, at, files)
    actions = [e["action_id"] for e in elements_of(block) if "action_id" in e]
    if len(set(actions)) != len(actions):
        raise Wrong("action_id is not unique in its block", at)
    if surface != "modal" and any(e.get("type") == "file_input" for e in elements_of(block)):
        raise Wrong("file_input is not allowed here", at)


def _section(block: Json, at: str, files: Files) -> None:
    if not block.get("text") and not block.get("fields"):
        raise Wrong("section needs text or fields", at)
    if "text" in block:
        _text(block["text"], 3000, f"{at}/text")
    fields = block.get("fields", [])
    if len(fields) > 10:
        raise Wrong("more than 10 fields", f"{at}/fields")
    for index, item in enumerate(fields):
        _text(item, 2000, f"{at}/fields/{index}")
    if "accessory" in block:
        _element(block["accessory"], f"{at}/accessory", ACCESSORIES, files)


def _image(block: Json, at: str, files: Files) -> None:
    _length(block.get("alt_text"), 2000, f"{at}/alt_text", least=1)
    if ("image_url" in block) == ("slack_file" in block):
        raise Wrong("must have exactly one of image_url and slack_file", at)
    if "image_url" in block:
        _length(block["image_url"], 3000, f"{at}/image_url", least=1)
        if not str(block["image_url"]).startswith("https://"):
            raise Wrong("downloading image failed", f"{at}/image_url")
    elif (fault := files(block["slack_file"])) is not None:
        raise Wrong(fault, f"{at}/slack_file")
    if block.get("title") is not None:
        _plain(block["title"], 2000, f"{at}/title")


def _actions(block: Json, at: str, files: Files) -> None:
    inside = block.get("elements")
    if not isinstance(inside, list) or not 1 <= len(inside) <= 25:
        raise Wrong("must have 1 to 25 elements", f"{at}/elements")
    for index, element in enumerate(inside):
        _element(element, f"{at}/elements/{index}", INTERACTIVE, files)


def _context(block: Json, at: str, files: Files) -> None:
    inside = block.get("elements")
    if not isinstance(inside, list) or not 1 <= len(inside) <= 10:
        raise Wrong("must have 1 to 10 elements", f"{at}/elements")
    for index, element in enumerate(inside):
        if isinstance(element, dict) and element.get("type") == "image":
            _element(element, f"{at}/elements/{index}", {"image"}, files)
        else:
            _text(element, 3000, f"{at}/elements/{index}")


def _header(block: Json, at: str, files: Files) -> None:
    _plain(block.get("text"), 150, f"{at}/text")


def _input(block: Json, at: str, files: Files) -> None:
    _plain(block.get("label"), 2000, f"{at}/label")
    if block.get("hint") is not None:
        _plain(block["hint"], 2000, f"{at}/hint")
    _element(block.get("element"), f"{at}/element", INPUTS, files)


def _free(block: Json, at: str, files: Files) -> None:
    """A block with nothing that is checked here."""


def _markdown(block: Json, at: str, files: Files) -> None:
    _length(block.get("text"), 12_000, f"{at}/text", least=1)


def _element(element: object, at: str, allowed: set[str], files: Files) -> None:
    if not isinstance(element, dict) or element.get("type") not in allowed:
        raise Wrong("unsupported element type", f"{at}/type")
    keys = ELEMENTS[element["type"]]
    _only(element, keys | {"type"}, at)
    if element["type"] == "image":
        _image(element, at, files)
        return
    if "action_id" in element:
        _length(element["action_id"], 255, f"{at}/action_id", least=1)
    if "placeholder" in element:
        _plain(element["placeholder"], 150, f"{at}/placeholder")
    if "confirm" in element:
        _confirm(element["confirm"], f"{at}/confirm")
    check = SPECIAL.get(element["type"])
    if check is not None:
        check(element, at)


def _button(element: Json, at: str) -> None:
    _plain(element.get("text"), 75, f"{at}/text")
    _length(element.get("value", ""), 2000, f"{at}/value")
    _length(element.get("url", ""), 3000, f"{at}/url")
    _length(element.get("accessibility_label", ""), 75, f"{at}/accessibility_label")
    if element.get("style", "primary") not in ("primary", "danger"):
        raise Wrong("style must be primary or danger", f"{at}/style")


def _choices(most: int) -> Callable[[Json, str], None]:
    def check(element: Json, at: str) -> None:
        groups = element.get("option_groups")
        options = element.get("options")
        if (groups is None) == (options is None):
            raise Wrong("must have either options or option_groups", at)
        if options is None:
            options = check_groups(groups, at)
        check_options(options, at, most)
        for chosen in [element.get("initial_option"), *element.get("initial_options", [])]:
            if chosen is not None and chosen not in options:
                raise Wrong("initial option is not among the options", f"{at}/initial_option")

    return check


def check_groups(groups: object, at: str) -> list[Json]:
    """All options of the groups. Raises Wrong."""
    if not isinstance(groups, list) or not 1 <= len(groups) <= 100:
        raise Wrong("must have 1 to 100 option groups", f"{at}/option_groups")
    options: list[Json] = []
    for index, group in enumerate(groups):
        _plain(group.get("label"), 75, f"{at}/option_groups/{index}/label")
        check_options(group.get("options"), f"{at}/option_groups/{index}", 100)
        options += group["options"]
    return options


def check_options(options: object, at: str, most: int, *, least: int = 1) -> None:
    """Raises Wrong where a list of options is beyond its limits."""
    if not isinstance(options, list) or not least <= len(options) <= most:
        raise Wrong(f"must have {least} to {most} options", f"{at}/options")
    for index, option in enumerate(options):
        where = f"{at}/options/{index}"
        if not isinstance(option, dict):
            raise Wrong("must be an option", where)
        _only(option, {"text", "value", "description", "url"}, where)
        _text(option.get("text"), 75, f"{where}/text")
        _length(option.get("value"), 150, f"{where}/value", least=1)
        if option.get("description") is not None:
            _text(option["description"], 75, f"{where}/description")


def _typed(element: Json, at: str) -> None:
    most, least = element.get("max_length", 3000), element.get("min_length", 0)
    if not (isinstance(most, int) and isinstance(least, int) and 0 <= least <= most <= 3000):
        raise Wrong("min_length and max_length must lie in 0..3000", at)
    _length(element.get("initial_value", ""), most, f"{at}/initial_value")


def _number(element: Json, at: str) -> None:
    if not isinstance(element.get("is_decimal_allowed"), bool):
        raise Wrong("is_decimal_allowed is required", at)
    for name in ("min_value", "max_value", "initial_value"):
        if name in element and not isinstance(element[name], str):
            raise Wrong(f"{name} must be a text", f"{at}/{name}")


def _external(element: Json, at: str) -> None:
    if element.get("initial_option") is not None:
        check_options([element["initial_option"]], at, 1)


def _confirm(confirm: object, at: str) -> None:
    if not isinstance(confirm, dict):
        raise Wrong("must be an object", at)
    _plain(confirm.get("title"), 100, f"{at}/title")
    _text(confirm.get("text"), 300, f"{at}/text")
    _plain(confirm.get("confirm"), 30, f"{at}/confirm")
    _plain(confirm.get("deny"), 30, f"{at}/deny")


def _text(value: object, most: int, at: str) -> None:
    if not isinstance(value, dict) or value.get("type") not in ("plain_text", "mrkdwn"):
        raise Wrong("must be a text object", at)
    extra = "emoji" if value["type"] == "plain_text" else "verbatim"
    _only(value, {"type", "text", extra}, at)
    _length(value.get("text"), most, f"{at}/text", least=1)


def _plain(value: object, most: int, at: str) -> None:
    _text(value, most, at)
    if value["type"] != "plain_text":
        raise Wrong("must be plain_text", at)


def _length(value: object, most: int, at: str, *, least: int = 0) -> None:
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise Wrong(f"must be a text of {least} to {most} characters", at)


def _only(value: Json, known: set[str], at: str) -> None:
    if strange := sorted(set(value) - known):
        raise Wrong(f"unsupported property {strange[0]}", at)


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block."""
    found = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    return [e for e in found if isinstance(e, dict)]


def texts_of(value: object) -> Iterator[Json]:
    """Every text object anywhere inside."""
    if isinstance(value, dict):
        if value.get("type") in ("plain_text", "mrkdwn") and isinstance(value.get("text"), str):
            yield value
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def pings(text: str, blocks: list[Json]) -> list[str]:
    """What of a message would notify or link someone: `<!channel>`, `<@U…>`, `<#C…>`."""
    marked = [text, *(t["text"] for t in texts_of(blocks) if t["type"] == "mrkdwn")]
    return [found for one in marked for found in PINGS.findall(one)]


def _select(*more: str) -> set[str]:
    return {"action_id", "placeholder", "confirm", "focus_on_load", *more}


MESSAGES, ANY = {"message"}, {"message", "modal", "home"}
BLOCKS: dict[str, tuple[set[str], set[str], Callable[[Json, str, Files], None]]] = {
    "section": ({"text", "fields", "accessory", "expand"}, ANY, _section),
    "divider": (set(), ANY, _free),
    "image": ({"image_url", "slack_file", "alt_text", "title"}, ANY, _image),
    "actions": ({"elements"}, ANY, _actions),
    "context": ({"elements"}, ANY, _context),
    "header": ({"text"}, ANY, _header),
    "input": ({"label", "element", "hint", "optional", "dispatch_action"}, ANY, _input),
    "rich_text": ({"elements"}, ANY, _free),
    "markdown": ({"text"}, MESSAGES, _markdown),
}
OPTIONS = ("options", "option_groups")
ELEMENTS: dict[str, set[str]] = {
    "button": {"action_id", "text", "url", "value", "style", "confirm", "accessibility_label"},
    "image": {"image_url", "slack_file", "alt_text"},
    "overflow": {"action_id", "options", "confirm"},
    "static_select": _select(*OPTIONS, "initial_option"),
    "multi_static_select": _select(*OPTIONS, "initial_options", "max_selected_items"),
    "external_select": _select("initial_option", "min_query_length"),
    "channels_select": _select("initial_channel", "response_url_enabled"),
    "conversations_select": _select(
        "initial_conversation", "default_to_current_conversation", "filter", "response_url_enabled"
    ),
    "users_select": _select("initial_user"),
    "checkboxes": _select("options", "initial_options"),
    "radio_buttons": _select("options", "initial_option"),
    "plain_text_input": _select(
        "initial_value", "multiline", "min_length", "max_length", "dispatch_action_config"
    ),
    "number_input": _select(
        "is_decimal_allowed", "initial_value", "min_value", "max_value", "dispatch_action_config"
    ),
    "file_input": {"action_id", "filetypes", "max_files"},
    "datepicker": _select("initial_date"),
}
SPECIAL: dict[str, Callable[[Json, str], None]] = {
    "button": _button,
    "overflow": _choices(5),
    "static_select": _choices(100),
    "multi_static_select": _choices(100),
    "checkboxes": _choices(10),
    "radio_buttons": _choices(10),
    "external_select": _external,
    "plain_text_input": _typed,
    "number_input": _number,
}
INPUTS = set(ELEMENTS) - {"button", "image", "overflow"}
INTERACTIVE = set(ELEMENTS) - {"image", "plain_text_input", "number_input", "file_input"}
ACCESSORIES = INTERACTIVE | {"image"}
