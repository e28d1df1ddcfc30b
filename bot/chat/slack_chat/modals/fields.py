"""Inputs of a form: text, number, select and file, each as one block."""

from collections.abc import Sequence

from slack_sdk.models.blocks import (
    ContextBlock,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    NumberInputElement,
    Option,
    PlainTextInputElement,
    StaticSelectElement,
)
from slack_sdk.models.blocks.block_elements import FileInputElement

from bot.chat.slack_chat.modals.choices import (
    MAX_GROUPED,
    MAX_OPTIONS,
    chosen_of,
    grouped,
    mark_of,
    option,
)
from bot.chat.slack_chat.modals.wish import MARK
from bot.chat.slack_chat.rendering.text import FIELD, mrk, plain

PLACEHOLDER = 150
"""Characters of a placeholder."""
PICTURES = ("png", "jpg", "jpeg", "webp")


def _input(
    block: str,
    label: str,
    element: InputInteractiveElement,
    *,
    hint: str = "",
    optional: bool = True,
    switches: bool = False,
) -> InputBlock:
    return InputBlock(
        block_id=block,
        label=plain(label, FIELD),
        element=element,
        hint=plain(hint, FIELD) if hint else None,
        optional=optional,
        dispatch_action=switches or None,
    )


def text(
    block: str,
    label: str,
    *,
    said: str = "",
    placeholder: str = "",
    hint: str = "",
    limit: int,
    lines: bool = False,
    optional: bool = True,
) -> InputBlock:
    """Free text of at most `limit` characters."""
    element = PlainTextInputElement(
        action_id=block,
        initial_value=said[:limit] or None,
        placeholder=plain(placeholder, PLACEHOLDER) if placeholder else None,
        multiline=lines or None,
        max_length=limit,
    )
    return _input(block, label, element, hint=hint, optional=optional)


def number(block: str, label: str, *, said: str, placeholder: str, hint: str) -> InputBlock:
    """A whole number from 0."""
    element = NumberInputElement(
        action_id=block,
        initial_value=said or None,
        placeholder=plain(placeholder, PLACEHOLDER),
        min_value="0",
        is_decimal_allowed=False,
    )
    return _input(block, label, element, hint=hint)


def select(
    block: str,
    label: str,
    choices: Sequence[tuple[str, str]],
    *,
    said: str = "",
    placeholder: str = "",
    hint: str = "",
    optional: bool = True,
) -> InputBlock:
    """One of up to MAX_GROUPED (value, label) pairs. The block's id changes with its values."""
    values = [value for value, _ in choices]
    options = [option(value, shown) for value, shown in choices]
    chosen = chosen_of(said, values) if said else ""
    some = len(options) <= MAX_OPTIONS
    element = StaticSelectElement(
        action_id=block,
        options=options if some else None,
        option_groups=None if some else grouped(options),
        initial_option=options[values.index(chosen)] if chosen in values else None,
        placeholder=plain(placeholder, PLACEHOLDER) if placeholder else None,
    )
    return _input(f"{block}{MARK}{mark_of(values)}", label, element, hint=hint, optional=optional)


def searched(
    block: str,
    label: str,
    action: str,
    *,
    said: Option | None,
    placeholder: str,
    hint: str = "",
    optional: bool = True,
) -> InputBlock:
    """A choice whose options are loaded while somebody types; choosing one tells us at once."""
    element = ExternalDataSelectElement(
        action_id=action,
        min_query_length=0,
        initial_option=said,
        placeholder=plain(placeholder, PLACEHOLDER),
    )
    return _input(block, label, element, hint=hint, optional=optional, switches=True)


def file(block: str, label: str, hint: str) -> InputBlock:
    """One picture from the person's device."""
    element = FileInputElement(action_id=block, filetypes=list(PICTURES), max_files=1)
    return _input(block, label, element, hint=hint)


def few(choices: Sequence[str]) -> bool:
    """Whether a select can hold them."""
    return 0 < len(choices) <= MAX_GROUPED


def note(words: str) -> ContextBlock:
    """A quiet line between the inputs."""
    return ContextBlock(elements=[mrk(words, FIELD)])
