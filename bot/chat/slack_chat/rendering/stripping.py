"""A message without its buttons: what stands there from a click until its answer."""

from typing import Any

from bot.chat.slack_chat.rendering.text import said

Blocks = list[dict[str, Any]]

_KEPT = {
    "section": ("text", "fields"),
    "context": ("elements",),
    "header": ("text",),
    "divider": (),
    "image": ("alt_text", "title", "slack_file"),
}
"""What may be sent back of each kind of block; Slack adds more than it takes."""


def stripped(blocks: Blocks, stamp: str = "") -> Blocks:
    """Blocks of one of our messages, as Slack gave them, without anything to press; `stamp` says
    what happened, where the buttons were (last if there were none)."""
    left: Blocks = []
    place: int | None = None
    for block in blocks:
        kind = block.get("type", "")
        if kind == "actions":
            place = len(left)
        elif kind in _KEPT:
            kept = {
                name: block[name] for name in ("type", "block_id", *_KEPT[kind]) if name in block
            }
            left += [_sendable(kept)] if kind != "image" or _file(block) else []
    if stamp:
        words = {"type": "mrkdwn", "text": said(stamp), "verbatim": True}
        at = len(left) if place is None else place
        left.insert(at, {"type": "section", "text": words})
    return left


def _file(block: dict[str, Any]) -> str:
    """The id of the file that a picture shows; Slack's copies carry more than that."""
    file = block.get("slack_file")
    return str(file.get("id", "")) if isinstance(file, dict) else ""


def _sendable(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "image":
        return {**block, "slack_file": {"id": _file(block)}}
    if block["type"] == "context":
        return {**block, "elements": [part for part in block["elements"] if _is_text(part)]}
    return block


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") in ("mrkdwn", "plain_text")
