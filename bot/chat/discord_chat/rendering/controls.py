"""What may be pressed on a card: rows of buttons, and menus for what has no room as buttons."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.chat.discord_chat.rendering.buttons import ICONS, card_button, fits, option_value
from bot.chat.discord_chat.rendering.limits import IN_MENU, IN_ROW
from bot.chat.discord_chat.rendering.text import OPTION, PLACEHOLDER, plain
from bot.chat.discord_chat.surfaces import PICK_PREFIX
from bot.core.actions import action
from bot.core.messages import Button, PictureRef, Style

Row = discord.ui.ActionRow[Any]

PRESSED = 15
"""Buttons that a lone picture shows, in three rows; more of them leave the later to a menu."""
PRESSED_FIRST = 10
OF_CARD, OF_CARD_FIRST = 10, 5
"""The same for a card's own."""
QUICK = ("vary", "upscale")
"""What several pictures have as rows of numbered buttons, beside the one that shows each."""
DAILY = ("approve", "share", "use", "vary", "reroll", "withdraw", "skip", "edit", "upscale", "show")
"""Verbs in the order in which their buttons stay out of a menu."""


@dataclass(frozen=True, kw_only=True)
class Pressed:
    """The controls of a card's pictures: `under` each, and `rows` for all."""

    under: tuple[tuple[Row, ...], ...]
    rows: tuple[Row, ...] = ()


class Controls:
    """The controls of one message. Discord wants each custom id once, so a second button for the
    same action is left out."""

    def __init__(self) -> None:
        self.untold: list[Button] = []
        """Buttons that found no room, to be told of in words."""
        self._used: set[str] = set()
        self._menus_of: Counter[str] = Counter()

    def of_card(self, buttons: Iterable[Button]) -> list[Row]:
        """A card's own buttons."""
        new = self._new(buttons)
        if len(new) <= OF_CARD:
            return _rows(new)
        first = sorted(new, key=_rank)[:OF_CARD_FIRST]
        shown, rest = _parted(new, first)
        return [*_rows(shown), *self._menus("card", "More…", rest, room=6)]

    def of_pictures(self, refs: Sequence[PictureRef], room: int) -> Pressed:
        """What may be done with each picture, in at most `room` components."""
        if len(refs) == 1:
            return Pressed(under=(tuple(self._alone(refs[0], room)),))
        if all(_is_own(button, ref) for ref in refs for button in ref.buttons):
            return Pressed(under=((),) * len(refs), rows=tuple(self._numbered(refs, room)))
        new = [self._new(ref.buttons) for ref in refs]
        menus = room // 2
        under = []
        for at, (ref, buttons) in enumerate(zip(refs, new, strict=True)):
            later = sum(bool(each) for each in new[at + 1 :])
            mine = self._menus(
                ref.asset, f"Picture {ref.number}…", buttons, room=2 * max(0, menus - later)
            )
            menus -= len(mine)
            under.append(tuple(mine))
        return Pressed(under=tuple(under))

    def _numbered(self, refs: Sequence[PictureRef], room: int) -> list[Row]:
        """A button for each picture that shows it with all that may be done with it, and before
        those "Vary 1", "Vary 2" … and "Upscale 1" … as far as there is room. A menu would do the
        same, but Discord keeps what was chosen in one: it can't be chosen again."""
        opening = [
            Button(label=f"Picture {ref.number}…", action=action("show", ref.asset))
            for ref in refs
            if ref.buttons
        ]
        last = _rows(self._new(opening))
        room -= _parts_of(last)
        rows: list[Row] = []
        for verb in QUICK:
            pressed = [
                replace(button, label=f"{button.label} {ref.number}")
                for ref in refs
                for button in ref.buttons
                if button.action == action(verb, ref.asset)
            ]
            made = _rows(pressed)
            if _parts_of(made) <= room:
                room -= _parts_of(made)
                rows += made
        return [*rows, *last]

    def _alone(self, ref: PictureRef, room: int) -> list[Row]:
        new = self._new(ref.buttons)
        if len(new) <= PRESSED and len(new) + -(-len(new) // IN_ROW) <= room:
            return _rows(new)
        most = PRESSED_FIRST if room >= PRESSED_FIRST + 4 else IN_ROW
        shown, rest = _parted(new, sorted(new, key=_rank)[:most])
        left = room - most - most // IN_ROW
        return [*_rows(shown), *self._menus(ref.asset, "More…", rest, room=left)]

    def _menus(self, key: str, title: str, buttons: Sequence[Button], *, room: int) -> list[Row]:
        """As many menus as they need and as there is room for: each is a row with one part."""
        starts = range(0, len(buttons), IN_MENU)
        parts = [buttons[at : at + IN_MENU] for at in starts]
        most = max(0, room // 2)
        for part in parts[most:]:
            self.untold += part
        return [discord.ui.ActionRow(_menu(self._named(key), title, part)) for part in parts[:most]]

    def _named(self, key: str) -> str:
        """The menu's name on this message: the key, and from its second menu on a number."""
        self._menus_of[key] += 1
        number = self._menus_of[key]
        return f"{key}:{number}" if number > 1 else key

    def _new(self, buttons: Iterable[Button]) -> list[Button]:
        new: list[Button] = []
        for button in buttons:
            if button.action in self._used:
                continue
            self._used.add(button.action)
            (new if fits(button) else self.untold).append(button)
        return new


def _is_own(button: Button, ref: PictureRef) -> bool:
    """Whether it is about the picture itself, so that it stands wherever the picture is shown."""
    return button.action.split(":")[1:2] == [ref.asset]


def _parts_of(rows: Sequence[Row]) -> int:
    """Components that they are."""
    return sum(1 + len(row.children) for row in rows)


def _rows(buttons: Sequence[Button]) -> list[Row]:
    made = [card_button(button) for button in buttons]
    starts = range(0, len(made), IN_ROW)
    return [discord.ui.ActionRow(*made[at : at + IN_ROW]) for at in starts]


def _menu(key: str, title: str, buttons: Sequence[Button]) -> discord.ui.Select[Any]:
    return discord.ui.Select(
        custom_id=f"{PICK_PREFIX}{key}",
        placeholder=plain(title, PLACEHOLDER),
        options=[
            discord.SelectOption(
                label=plain(button.label, OPTION) or "…",
                value=option_value(button),
                emoji=ICONS.get(button.icon),
            )
            for button in buttons
        ],
    )


def _parted(
    buttons: Sequence[Button], first: Sequence[Button]
) -> tuple[list[Button], list[Button]]:
    """Those that stand there and the rest, both in their order."""
    return [b for b in buttons if b in first], [b for b in buttons if b not in first]


def _rank(button: Button) -> int:
    """How soon a person looks for it: what the picture is made for, then what is done daily."""
    verb, _, rest = button.action.partition(":")
    daily = DAILY.index(verb) if verb in DAILY else len(DAILY)
    return -1 if button.style is Style.PRIMARY else daily + len(DAILY) * (":" in rest)
