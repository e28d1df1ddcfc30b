"""Inputs of a form, each under its label, within Discord's limits (docs.discord.com, components
reference: label 45 characters, description and placeholder 100, text 4,000, select 25)."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

MAX_TITLE = 45
MAX_LABEL = 45
MAX_ABOUT = 100
MAX_VALUE = 4000
MAX_OPTIONS = 25
MAX_OPTION = 100
MAX_INPUTS = 5
"""Of one form."""
Component = dict[str, Any]


def form(custom_id: str, title: str, components: Sequence[Component]) -> dict[str, Any]:
    """A form's payload."""
    return {
        "custom_id": custom_id,
        "title": cut(title, MAX_TITLE),
        "components": list(components[:MAX_INPUTS]),
    }


def text(
    custom_id: str,
    label: str,
    *,
    about: str = "",
    said: str = "",
    example: str = "",
    longest: int = MAX_VALUE,
    lines: bool = False,
    required: bool = False,
) -> Component:
    """An input for text; `said` stands in it already."""
    item: ui.TextInput[Any] = ui.TextInput(
        custom_id=custom_id,
        style=discord.TextStyle.paragraph if lines else discord.TextStyle.short,
        default=said[:longest] or None,
        placeholder=cut(example, MAX_ABOUT) or None,
        required=required,
        max_length=min(longest, MAX_VALUE),
    )
    return _labelled(label, about, item)


def select(
    custom_id: str,
    label: str,
    options: Sequence[tuple[str, str]],
    *,
    about: str = "",
    said: str = "",
    example: str = "",
    required: bool = False,
) -> Component:
    """A choice of one of (value, name); see `few`."""
    shown = [
        discord.SelectOption(label=cut(name, MAX_OPTION), value=value, default=value == said)
        for value, name in options
    ]
    item: ui.Select[Any] = ui.Select(
        custom_id=custom_id,
        options=shown,
        placeholder=cut(example, MAX_ABOUT) or None,
        min_values=1 if required else 0,
        max_values=1,
        required=required,
    )
    return _labelled(label, about, item)


def few(values: Sequence[str]) -> bool:
    """Whether a select can hold them all."""
    fits = all(0 < len(value) <= MAX_OPTION for value in values)
    return 0 < len(values) <= MAX_OPTIONS and fits and len(set(values)) == len(values)


def upload(custom_id: str, label: str, *, about: str = "", required: bool = False) -> Component:
    """A place for one file."""
    item: ui.FileUpload[Any] = ui.FileUpload(
        custom_id=custom_id, required=required, min_values=1 if required else 0, max_values=1
    )
    return _labelled(label, about, item)


def cut(words: str, longest: int) -> str:
    """At most so many characters, the last of them an ellipsis where some are missing."""
    said = " ".join(words.split())
    return said if len(said) <= longest else f"{said[: longest - 1]}…"


def _labelled(label: str, about: str, item: ui.Item[Any]) -> Component:
    shown: ui.Label[Any] = ui.Label(
        text=cut(label, MAX_LABEL), component=item, description=cut(about, MAX_ABOUT) or None
    )
    return dict(shown.to_component_dict())
