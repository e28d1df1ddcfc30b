"""What Slack takes: its own models check each block, this checks what they do not.

Limits: docs.slack.dev/reference/block-kit/blocks and .../methods/chat.postMessage. The sum of all
texts of a message is limited too (`msg_blocks_too_long`), at about 12,000 characters with what
holds them; Slack does not say how it counts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.chat.slack_chat.rendering.text import BUTTON, FIELD, HEADER, SECTION
from bot.core.errors import ChatRejected
from bot.core.readable import length

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_WEIGHT = 9000
"""Most characters of all texts of a message, as `weight` counts."""
BLOCK_WEIGHT = 50
"""What a block weighs beside its text."""
MAX_TEXT = 4000
METADATA = 3000
MAX_ACTION_ID = 255
MAX_BUTTON_VALUE = 2000
MAX_OPTION_VALUE = 150
_TEXTS = ("plain_text", "mrkdwn")
_PICTURES = ("image",)
_PRESSED = ("button", "overflow")


class Unsendable(ChatRejected):
    """A message or view that Slack would refuse: a mistake of ours, not of who wrote its words.
    The log has what is wrong; tell an admin."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"Slack would not take this message: {problem}.",
            fix="Tell an admin; the portal shows the same thing.",
        )


@dataclass(frozen=True, kw_only=True)
class Message:
    """What one message says: the text that notifications read, and its blocks."""

    text: str
    blocks: tuple[Block, ...]


def checked(message: Message) -> Message:
    """The same message. Raises Unsendable where Slack would refuse it."""
    if not message.text.strip() or length(message.text) > MAX_TEXT:
        raise Unsendable(f"its text has {length(message.text)} characters, 1 to {MAX_TEXT} may be")
    if len(message.blocks) > MESSAGE_BLOCKS:
        raise Unsendable(f"it has {len(message.blocks)} blocks of at most {MESSAGE_BLOCKS}")
    blocks = [_as_sent(block) for block in message.blocks]
    _check_all(blocks)
    if sum(map(weight, blocks)) > MESSAGE_WEIGHT:
        raise Unsendable(f"its texts are longer than {MESSAGE_WEIGHT} characters")
    return message


def checked_view(view: View) -> View:
    """The same view. Raises Unsendable where Slack would refuse it."""
    sent = _as_sent(view)
    if not 0 < len(sent.get("blocks", ())) <= VIEW_BLOCKS:
        raise Unsendable(f"the view has not 1 to {VIEW_BLOCKS} blocks")
    if length(sent.get("private_metadata", "")) > METADATA:
        raise Unsendable(f"the view's metadata is longer than {METADATA}")
    _check_all(sent["blocks"])
    return view


def weight(block: dict[str, Any]) -> int:
    """How much of a message's room this block takes."""
    return BLOCK_WEIGHT + sum(length(text) for text in _texts(block))


def weight_of(blocks: Iterable[Block]) -> int:
    """How much of a message's room these take."""
    return sum(weight(_as_sent(block)) for block in blocks)


def _as_sent(part: Block | View) -> dict[str, Any]:
    try:
        sent: dict[str, Any] = part.to_dict()
    except SlackObjectFormationError as exc:
        raise Unsendable(str(exc)) from exc
    return sent


def _texts(part: object) -> Iterator[str]:
    for item in _all(part):
        for name in ("text", "alt_text"):
            if isinstance(item.get(name), str):
                yield item[name]


def _all(part: object) -> Iterator[dict[str, Any]]:
    """Every object of a block, itself among them."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from _all(value)
    elif isinstance(part, list):
        for value in part:
            yield from _all(value)


def _check_all(blocks: list[dict[str, Any]]) -> None:
    ids: set[str] = set()
    for block in blocks:
        _check_size(block)
        for item in _all(block):
            _check(item)
            action = item.get("action_id")
            if action is not None and (action in ids or not 0 < len(action) <= MAX_ACTION_ID):
                raise Unsendable(f"the action id {action[:80]!r} is there twice, or too long")
            ids |= {action} if action else set()
    named = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(named) != len(set(named)):
        raise Unsendable("two blocks have the same id")


def _check(item: dict[str, Any]) -> None:
    kind = item.get("type")
    if kind in _TEXTS and not item.get("text", "").strip():
        raise Unsendable("a text in it is empty")
    if kind in _PICTURES and not (item.get("slack_file") or item.get("image_url")):
        raise Unsendable("a picture in it has no source")
    if kind in _PICTURES and not 0 < len(item.get("alt_text", "")) <= FIELD:
        raise Unsendable("a picture in it has no alt text, or too long a one")
    if kind in _PRESSED and not item.get("action_id"):
        raise Unsendable(f"a {kind} in it has no action id")
    if kind == "button":
        _fits(item["text"], BUTTON)
        if len(item.get("value", "")) > MAX_BUTTON_VALUE:
            raise Unsendable("a button's value is too long")
    if "value" in item and isinstance(item.get("text"), dict) and kind is None:  # an option
        _fits(item["text"], BUTTON)
        if not 0 < len(item["value"]) <= MAX_OPTION_VALUE:
            raise Unsendable("an option's value is empty or too long")


def _check_size(block: dict[str, Any]) -> None:
    limits = {"section": SECTION, "header": HEADER, "context": FIELD}
    limit = limits.get(block["type"], SECTION)
    for part in (block.get("text"), *block.get("elements", ())):
        if isinstance(part, dict) and part.get("type") in _TEXTS:
            _fits(part, limit)
    for part in block.get("fields", ()):
        _fits(part, FIELD)
    if block["type"] in ("actions", "context") and not block.get("elements"):
        raise Unsendable(f"a block of {block['type']} is empty")


def _fits(text: dict[str, Any], limit: int) -> None:
    if length(text.get("text", "")) > limit:
        raise Unsendable(f"a text in it is longer than {limit} characters")
