"""The limits of blocks, texts and views, by this Slack's own code.

From docs.slack.dev/reference/block-kit. Every check gives what Slack would say, with a JSON
pointer to where it is wrong.
"""

import json
import re
from collections.abc import Callable, Iterator

from tests.fakes.slack.elements import (
    ACCESSORIES,
    INPUTS,
    INTERACTIVE,
    Files,
    Wrong,
    check_element,
    check_image,
    check_keys,
    check_length,
    check_plain,
    check_text,
)
from tests.fakes.slack.state import Json

MESSAGE_BLOCKS, VIEW_BLOCKS, VIEW_BYTES = 50, 100, 250_000
TITLE, METADATA = 24, 3000
PINGS = re.compile(r"<(?:!(?:channel|here|everyone|subteam\^)[^>]*|[@#][A-Z0-9]+[^>]*)>")
LINKS = re.compile(r"<(?:https?|mailto):[^>]*>")


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
    check_keys(view, known, "/view")
    if view["type"] == "modal":
        check_plain(view.get("title"), TITLE, "/view/title")
        for name in ("submit", "close"):
            if view.get(name) is not None:
                check_plain(view[name], TITLE, f"/view/{name}")
        blocks = view.get("blocks") or []
        inputs = any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
        if inputs and not view.get("submit"):
            raise Wrong("submit is required with input blocks", "/view/submit")
    check_length(view.get("private_metadata", ""), METADATA, "/view/private_metadata")
    check_length(view.get("callback_id", ""), 255, "/view/callback_id")
    check_length(view.get("external_id", ""), 255, "/view/external_id")


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
    check_keys(block, keys | {"type", "block_id"}, at)
    if "block_id" in block:
        check_length(block["block_id"], 255, f"{at}/block_id", least=1)
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
        check_text(block["text"], 3000, f"{at}/text")
    fields = block.get("fields", [])
    if len(fields) > 10:
        raise Wrong("more than 10 fields", f"{at}/fields")
    for index, item in enumerate(fields):
        check_text(item, 2000, f"{at}/fields/{index}")
    if "accessory" in block:
        check_element(block["accessory"], f"{at}/accessory", ACCESSORIES, files)


def _actions(block: Json, at: str, files: Files) -> None:
    inside = block.get("elements")
    if not isinstance(inside, list) or not 1 <= len(inside) <= 25:
        raise Wrong("must have 1 to 25 elements", f"{at}/elements")
    for index, element in enumerate(inside):
        check_element(element, f"{at}/elements/{index}", INTERACTIVE, files)


def _context(block: Json, at: str, files: Files) -> None:
    inside = block.get("elements")
    if not isinstance(inside, list) or not 1 <= len(inside) <= 10:
        raise Wrong("must have 1 to 10 elements", f"{at}/elements")
    for index, element in enumerate(inside):
        if isinstance(element, dict) and element.get("type") == "image":
            check_element(element, f"{at}/elements/{index}", {"image"}, files)
        else:
            check_text(element, 3000, f"{at}/elements/{index}")


def _header(block: Json, at: str, files: Files) -> None:
    check_plain(block.get("text"), 150, f"{at}/text")


def _input(block: Json, at: str, files: Files) -> None:
    check_plain(block.get("label"), 2000, f"{at}/label")
    if block.get("hint") is not None:
        check_plain(block["hint"], 2000, f"{at}/hint")
    check_element(block.get("element"), f"{at}/element", INPUTS, files)


def _free(block: Json, at: str, files: Files) -> None:
    """A block with nothing that is checked here."""


def _markdown(block: Json, at: str, files: Files) -> None:
    check_length(block.get("text"), 12_000, f"{at}/text", least=1)


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


MESSAGES, ANY = {"message"}, {"message", "modal", "home"}
BLOCKS: dict[str, tuple[set[str], set[str], Callable[[Json, str, Files], None]]] = {
    "section": ({"text", "fields", "accessory", "expand"}, ANY, _section),
    "divider": (set(), ANY, _free),
    "image": ({"image_url", "slack_file", "alt_text", "title"}, ANY, check_image),
    "actions": ({"elements"}, ANY, _actions),
    "context": ({"elements"}, ANY, _context),
    "header": ({"text"}, ANY, _header),
    "input": ({"label", "element", "hint", "optional", "dispatch_action"}, ANY, _input),
    "rich_text": ({"elements"}, ANY, _free),
    "markdown": ({"text"}, MESSAGES, _markdown),
}
