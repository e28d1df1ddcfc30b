"""A message as it fills: what is put on it comes out of its room, and what has none is told of."""

from collections.abc import Sequence
from typing import Any

import discord

from bot.chat.discord_chat.rendering.limits import COMPONENTS, counted, written
from bot.chat.discord_chat.rendering.text import TEXT, Marked, cut, quiet, said
from bot.chat.discord_chat.rendering.text import lines as lines_of
from bot.core.readable import length

Item = discord.ui.Item[Any]

SPARE_TEXT = 350
"""Characters kept for what is said of what is left out."""
SPARE_PARTS = 2
"""The container itself, and the text that says what is left out."""
LEAST = 24
"""Fewer characters than this say nothing."""


def text_item(words: Marked) -> Item:
    """A text on its own."""
    return discord.ui.TextDisplay(str(words))


class Page:
    """The body of a card between its head and its tail, which always stand."""

    def __init__(self, head: Sequence[Item], tail: Sequence[Item]) -> None:
        ends = [item.to_component_dict() for item in (*head, *tail)]
        self.parts = COMPONENTS - SPARE_PARTS - counted(ends)
        self.text = TEXT - SPARE_TEXT - written(ends)
        self._items: list[Item] = list(head)
        self._tail = tail
        self._notes: list[Marked] = []

    def add(self, *items: Item) -> None:
        """Put these on it. Who adds has asked for the room."""
        added = [item.to_component_dict() for item in items]
        self.parts -= counted(added)
        self.text -= written(added)
        self._items += items

    def write(self, lines: Sequence[Marked], *, share: float = 1.0) -> int:
        """One text of as many lines as a share of the room takes; how many are left out."""
        lines = [line for line in lines if line]
        room = int(self.text * share)
        if not lines or self.parts < 1 or room < LEAST:
            return len(lines)
        kept = [Marked(cut(lines[0], room))]
        for line in lines[1:]:
            if sum(map(length, kept)) + len(kept) + length(line) > room:
                break
            kept.append(line)
        self.add(text_item(lines_of(kept)))
        return len(lines) - len(kept)

    def note(self, words: Marked) -> None:
        """Say that something is left out, and where it is; on one line, since each line that is
        written small is three characters longer."""
        if words:
            self._notes.append(Marked(" ".join(words.split("\n"))))

    def items(self) -> list[Item]:
        """All of it, in its order."""
        notes: list[Item] = []
        if self._notes:
            fitting = [self._notes[0]]
            for note in self._notes[1:]:
                if sum(map(length, fitting)) + length(note) + 5 * len(fitting) < SPARE_TEXT - 60:
                    fitting.append(note)
            if len(fitting) < len(self._notes):
                fitting.append(said("The portal has the rest."))
            text = quiet(Marked("\n".join(cut(each, SPARE_TEXT - 60) for each in fitting)))
            notes = [text_item(text)]
        return [*self._items, *notes, *self._tail]
