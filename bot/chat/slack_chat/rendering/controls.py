"""Buttons as Slack has them: the first few to press, the rest in the menu behind "…"."""

from collections.abc import Iterable, Sequence

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    InteractiveElement,
    Option,
    OverflowMenuElement,
)

from bot.chat.slack_chat.rendering.text import BUTTON, alt, plain
from bot.chat.slack_chat.surfaces import ACTION_PREFIX
from bot.core.messages import Button, PictureRef, Style

MORE_PREFIX = "more:"
"""A picture's menu has the action id `more:ASSET`; an option's value is the action, with
`|asks` behind it where something is asked first."""
ASKS_NOTHING = "-"
MAX_OPTIONS = 5
MAX_IN_ROW = 25
SHOWN_ALONE = 5
SHOWN_AMONG = 3
"""Buttons that a picture shows beside its menu: the only one of a card, one of several."""

DAILY = ("approve", "share", "use", "vary", "reroll", "withdraw", "skip", "edit", "upscale", "show")
"""Verbs in the order in which their buttons stay out of the menu."""


class Controls:
    """The buttons of one message or view. Slack wants each action id once, so a second button
    for the same action is left out."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def row(self, buttons: Iterable[Button], about: str = "") -> list[Block]:
        """All of these, in as many rows as they need."""
        made = [_button(button, about) for button in self._new(buttons)]
        return _rows(made)

    def beside(self, key: str, buttons: Iterable[Button]) -> InteractiveElement | None:
        """What stands at the right of a line: its button, or a menu of the first few."""
        new = self._new(buttons)[:MAX_OPTIONS]
        if len(new) > 1:
            options = [_option(button) for button in new]
            return OverflowMenuElement(action_id=f"{MORE_PREFIX}{key}", options=options)
        return _button(new[0], "") if new else None

    def of_picture(self, ref: PictureRef, *, many: bool) -> list[Block]:
        """What may be done with one picture: what it is meant for and the first others as
        buttons, the rest in its menu."""
        buttons = self._new(ref.buttons)
        shown, rest = _parted(buttons, SHOWN_AMONG if many else SHOWN_ALONE)
        about = f"picture {ref.number}" if many else ""
        made: list[InteractiveElement] = [_button(button, about) for button in shown]
        menu = f"{MORE_PREFIX}{ref.asset}"
        if rest and menu not in self._used:
            self._used.add(menu)
            options = [_option(button) for button in rest]
            made.append(OverflowMenuElement(action_id=menu, options=options))
        else:
            made += [_button(button, about) for button in rest]
        return _rows(made)

    def _new(self, buttons: Iterable[Button]) -> list[Button]:
        new = []
        for button in buttons:
            if button.action not in self._used:
                self._used.add(button.action)
                new.append(button)
        return new


def _rows(made: Sequence[InteractiveElement]) -> list[Block]:
    starts = range(0, len(made), MAX_IN_ROW)
    return [ActionsBlock(elements=made[at : at + MAX_IN_ROW]) for at in starts]


def _parted(buttons: Sequence[Button], shown: int) -> tuple[list[Button], list[Button]]:
    """Which stand there, and which are in the menu; both in their order. A menu for one alone
    would be a button more and not less."""
    if len(buttons) <= shown + 1:
        return list(buttons), []
    room = max(shown, len(buttons) - MAX_OPTIONS)
    first = sorted(buttons, key=_rank)[:room]
    return [b for b in buttons if b in first], [b for b in buttons if b not in first]


def _rank(button: Button) -> int:
    """How soon a person looks for it: what the picture is made for, then what is done daily."""
    verb, _, rest = button.action.partition(":")
    daily = DAILY.index(verb) if verb in DAILY else len(DAILY)
    return -1 if button.style is Style.PRIMARY else daily + len(DAILY) * (":" in rest)


def _button(button: Button, about: str) -> ButtonElement:
    spoken = alt(f"{button.label}, {about}", BUTTON) if about else None
    return ButtonElement(
        text=plain(button.label, BUTTON),
        action_id=f"{ACTION_PREFIX}{button.action}",
        value=button.asks or ASKS_NOTHING,
        style=None if button.style is Style.QUIET else button.style.value,
        accessibility_label=spoken,
    )


def _option(button: Button) -> Option:
    value = f"{button.action}|{button.asks}" if button.asks else button.action
    return Option(text=plain(button.label, BUTTON), value=value)
