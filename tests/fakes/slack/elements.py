"""The limits of what stands inside blocks: elements, options, texts, pictures."""

from collections.abc import Callable

from tests.fakes.slack.state import Json

Files = Callable[[Json], str | None]
"""What is wrong with a `slack_file`, None if nothing is."""


class Wrong(Exception):
    """Blocks that Slack refuses: what, and where."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} [json-pointer:{where}]")


def check_image(block: Json, at: str, files: Files) -> None:
    check_length(block.get("alt_text"), 2000, f"{at}/alt_text", least=1)
    if ("image_url" in block) == ("slack_file" in block):
        raise Wrong("must have exactly one of image_url and slack_file", at)
    if "image_url" in block:
        check_length(block["image_url"], 3000, f"{at}/image_url", least=1)
        if not str(block["image_url"]).startswith("https://"):
            raise Wrong("downloading image failed", f"{at}/image_url")
    elif (fault := files(block["slack_file"])) is not None:
        raise Wrong(fault, f"{at}/slack_file")
    if block.get("title") is not None:
        check_plain(block["title"], 2000, f"{at}/title")


def check_element(element: object, at: str, allowed: set[str], files: Files) -> None:
    if not isinstance(element, dict) or element.get("type") not in allowed:
        raise Wrong("unsupported element type", f"{at}/type")
    keys = ELEMENTS[element["type"]]
    check_keys(element, keys | {"type"}, at)
    if element["type"] == "image":
        check_image(element, at, files)
        return
    if "action_id" in element:
        check_length(element["action_id"], 255, f"{at}/action_id", least=1)
    if "placeholder" in element:
        check_plain(element["placeholder"], 150, f"{at}/placeholder")
    if "confirm" in element:
        _confirm(element["confirm"], f"{at}/confirm")
    check = SPECIAL.get(element["type"])
    if check is not None:
        check(element, at)


def _button(element: Json, at: str) -> None:
    check_plain(element.get("text"), 75, f"{at}/text")
    check_length(element.get("value", ""), 2000, f"{at}/value")
    check_length(element.get("url", ""), 3000, f"{at}/url")
    check_length(element.get("accessibility_label", ""), 75, f"{at}/accessibility_label")
    if element.get("style", "primary") not in ("primary", "danger"):
        raise Wrong("style must be primary or danger", f"{at}/style")


def _choices(most: int) -> Callable[[Json, str], None]:
    def check(element: Json, at: str) -> None:
        groups = element.get("option_groups")
        options = element.get("options")
        if (groups is None) == (options is None):
            raise Wrong("must have either options or option_groups", at)
        if options is None:
            options = check_groups(groups, at)  # each group has its own 100
        else:
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
        check_plain(group.get("label"), 75, f"{at}/option_groups/{index}/label")
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
        check_keys(option, {"text", "value", "description", "url"}, where)
        check_text(option.get("text"), 75, f"{where}/text")
        check_length(option.get("value"), 150, f"{where}/value", least=1)
        if option.get("description") is not None:
            check_text(option["description"], 75, f"{where}/description")


def _typed(element: Json, at: str) -> None:
    most, least = element.get("max_length", 3000), element.get("min_length", 0)
    if not (isinstance(most, int) and isinstance(least, int) and 0 <= least <= most <= 3000):
        raise Wrong("min_length and max_length must lie in 0..3000", at)
    check_length(element.get("initial_value", ""), most, f"{at}/initial_value")


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
    check_plain(confirm.get("title"), 100, f"{at}/title")
    check_text(confirm.get("text"), 300, f"{at}/text")
    check_plain(confirm.get("confirm"), 30, f"{at}/confirm")
    check_plain(confirm.get("deny"), 30, f"{at}/deny")


def check_text(value: object, most: int, at: str) -> None:
    if not isinstance(value, dict) or value.get("type") not in ("plain_text", "mrkdwn"):
        raise Wrong("must be a text object", at)
    extra = "emoji" if value["type"] == "plain_text" else "verbatim"
    check_keys(value, {"type", "text", extra}, at)
    check_length(value.get("text"), most, f"{at}/text", least=1)


def check_plain(value: object, most: int, at: str) -> None:
    check_text(value, most, at)
    if value["type"] != "plain_text":
        raise Wrong("must be plain_text", at)


def check_length(value: object, most: int, at: str, *, least: int = 0) -> None:
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise Wrong(f"must be a text of {least} to {most} characters", at)


def check_keys(value: Json, known: set[str], at: str) -> None:
    if strange := sorted(set(value) - known):
        raise Wrong(f"unsupported property {strange[0]}", at)


def _select(*more: str) -> set[str]:
    return {"action_id", "placeholder", "confirm", "focus_on_load", *more}


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
