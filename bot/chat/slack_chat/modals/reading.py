"""What Slack sends back of a view, read without trust: state, metadata, where it was opened."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.chat.slack_chat.incoming.heard import Heard

MAX_FILES = 10
"""Files of one message that are looked at."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a form was asked for: the place that its answer belongs to."""

    channel: str = ""
    """Slack's channel id; empty where it was asked for in none (Home, a global shortcut)."""
    message: str = ""
    """`ts` of the message whose button was pressed."""
    thread: str = ""

    @classmethod
    def by(cls, heard: Heard) -> Self:
        """Where this was heard."""
        return cls(channel=heard.channel, message=heard.message, thread=heard.thread)

    @classmethod
    def of(cls, said: Mapping[str, str]) -> Self:
        """From what `packed` gave."""
        return cls(channel=said.get("c", ""), message=said.get("m", ""), thread=said.get("t", ""))

    def packed(self) -> dict[str, str]:
        """For a view's metadata."""
        return _said({"c": self.channel, "m": self.message, "t": self.thread})


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A picture that a form was opened with: one of ours, or a file of the workspace."""

    asset: str = ""
    files: tuple[str, ...] = ()
    """Files of a message; the first that is a picture is meant."""

    def __bool__(self) -> bool:
        return bool(self.asset or self.files)

    @classmethod
    def of(cls, said: Mapping[str, str]) -> Self:
        """From what `packed` gave."""
        files = said.get("f", "")
        return cls(asset=said.get("a", ""), files=tuple(files.split(",")) if files else ())

    def packed(self) -> dict[str, str]:
        """For a view's metadata."""
        return _said({"a": self.asset, "f": ",".join(self.files[:MAX_FILES])})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one block of a view holds."""

    value: str = ""
    """The text, the number as typed, or the value of the chosen option."""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Said:
    """A view's metadata; what is not of the expected type reads as empty."""

    content: Mapping[str, Any]

    def text(self, key: str) -> str:
        """A text of it."""
        value = self.content.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> dict[str, str]:
        """Texts by name."""
        value = self.content.get(key)
        pairs = value.items() if isinstance(value, dict) else ()
        return {name: text for name, text in pairs if isinstance(text, str)}


def said_of(metadata: str) -> Said:
    """A view's `private_metadata`."""
    return Said(content=loaded_object(metadata))


def loaded_object(text: str) -> dict[str, Any]:
    """A JSON object; an empty one where the text is none."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def state_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """`state.values` of a view as Slack sends it."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    return values if isinstance(values, dict) else {}


def entries_of(state: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """(block id, what it holds) of every block of a `state.values`."""
    for block, elements in state.items():
        if not isinstance(elements, dict):
            continue
        for element in elements.values():
            if isinstance(element, dict):
                yield block, _entry(element)


def _entry(element: Mapping[str, Any]) -> Entry:
    option = element.get("selected_option")
    value = option.get("value") if isinstance(option, dict) else element.get("value")
    files = element.get("files")
    listed = files if isinstance(files, list) else []
    ids = (one.get("id") for one in listed if isinstance(one, dict))
    return Entry(
        value=value if isinstance(value, str) else "",
        files=tuple(one for one in ids if isinstance(one, str) and one),
    )


def _said(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in texts.items() if text}
