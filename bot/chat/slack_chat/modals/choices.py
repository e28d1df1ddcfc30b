"""Choices of a select: how each is named.

A select has at most 100 options, or 100 groups of 100. An option's value has at most 150
characters and a label 75 (docs.slack.dev/reference/block-kit/composition-objects/option-object).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from slack_sdk.models.blocks import Option, OptionGroup

from bot.chat.slack_chat.rendering.text import BUTTON, plain

MAX_OPTIONS = 100
MAX_GROUPED = 1_000
"""More choices than this are typed: the view would come near to Slack's 250 KB."""
MAX_VALUE = 150
_CUT = "~"


def key_of(value: str) -> str:
    """The value of an option that stands for this choice; `chosen_of` finds the choice again."""
    if value and len(value) <= MAX_VALUE and not value.startswith(_CUT):
        return value
    return _CUT + hashlib.sha256(value.encode()).hexdigest()


def chosen_of(key: str, choices: Iterable[str]) -> str:
    """The choice that a person made, in the kit's spelling; what it can't be stays as it is."""
    known = list(choices)
    for choice in known:
        if key == key_of(choice):
            return choice
    wanted = key.casefold()
    return next((choice for choice in known if choice.casefold() == wanted), key)


def written_of(key: str, choices: Iterable[str]) -> str:
    """The same as text for somebody to change; empty where nobody would know the key."""
    found = chosen_of(key, choices)
    return "" if found.startswith(_CUT) else found


def mark_of(choices: Sequence[str]) -> str:
    """Eight characters that name these very choices. They are part of a block's id, for Slack
    keeps what was chosen in a block whose id stays, also where it is no choice any more."""
    return hashlib.sha256("\n".join(choices).encode()).hexdigest()[:8]


def option(value: str, label: str = "", about: str = "") -> Option:
    """One option; `about` stands below its label."""
    return Option(
        value=key_of(value),
        text=plain(label or value, BUTTON),
        description=plain(about, BUTTON) if about.strip() else None,
    )


def grouped(options: Sequence[Option]) -> list[OptionGroup]:
    """More than 100 options as groups, each named by its first and last."""
    parts = [options[at : at + MAX_OPTIONS] for at in range(0, len(options), MAX_OPTIONS)]
    return [
        OptionGroup(
            label=plain(f"{_short(part[0])} – {_short(part[-1])}", BUTTON), options=list(part)
        )
        for part in parts
    ]


def _short(item: Option) -> str:
    return (item.text or "")[:30]


def loaded(options: Sequence[Option]) -> dict[str, Any]:
    """The answer to an option load; what is too many is left out."""
    return {"options": [item.to_dict() for item in options[:MAX_OPTIONS]]}
