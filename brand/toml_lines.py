"""Where each key of a TOML text stands. `tomllib` gives values without lines; this gives the lines.

The text must have been accepted by `tomllib` before: the scanner follows the grammar of TOML 1.0
(https://toml.io/en/v1.0.0) and checks nothing.
"""

import re
import tomllib
from bisect import bisect_right
from typing import NamedTuple

KeyPath = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACES = re.compile(r"[ \t]*")
_PLAIN_VALUE = re.compile(r"[^,\]}\n#]*")


class Position(NamedTuple):
    """A place in a text; both count from 1."""

    line: int
    column: int


class Positions:
    """Where the keys, tables and array items of one text stand."""

    def __init__(self, text: str) -> None:
        scanner = _Scanner(text.replace("\r\n", "\n"))
        scanner.scan()
        self._found = scanner.found

    def of(self, path: KeyPath) -> Position:
        """Where the key stands, or else the nearest table around it."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, Position(1, 1))


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._array_lengths: dict[KeyPath, int] = {}
        self.found: dict[KeyPath, Position] = {}

    def scan(self) -> None:
        """Walk over the whole text. RecursionError where values are nested too deep."""
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _note(self, path: KeyPath, at: int) -> None:
        line = bisect_right(self._starts, at)
        self.found.setdefault(path, Position(line, at - self._starts[line - 1] + 1))

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`: the path of the table that it opens."""
        start = self._at
        is_item = self._text.startswith("[[", start)
        self._at += 2 if is_item else 1
        keys = self._key()
        self._skip(_SPACES)
        self._at += 2 if is_item else 1
        path: KeyPath = ()
        for index, key in enumerate(keys):
            path = (*path, key)
            self._note(path, start)
            if is_item and index == len(keys) - 1:
                self._array_lengths[path] = self._array_lengths.get(path, 0) + 1
            if path in self._array_lengths:
                path = (*path, self._array_lengths[path] - 1)
                self._note(path, start)
        return path

    def _key(self) -> list[str]:
        """A dotted key, each part without its quotes."""
        parts: list[str] = []
        while True:
            self._skip(_SPACES)
            start = self._at
            if self._next() in ('"', "'"):
                self._skip(_STRING)
                quoted = self._text[start : self._at]
                parts.append(str(tomllib.loads(f"k={quoted}")["k"]))
            else:
                self._skip(_BARE_KEY)
                parts.append(self._text[start : self._at])
            self._skip(_SPACES)
            if self._next() != ".":
                return parts
            self._at += 1

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = table
        for key in self._key():
            path = (*path, key)
            self._note(path, start)
        self._at += 1  # the equals sign
        self._skip(_SPACES)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        first = self._next()
        if first == "[":
            self._items(path)
        elif first == "{":
            self._inline_table(path)
        elif first in ('"', "'"):
            self._skip(_STRING)
        else:
            self._skip(_PLAIN_VALUE)

    def _items(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while not self._ends("]"):
            self._note((*path, index), self._at)
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while not self._ends("}"):
            self._pair(path)

    def _ends(self, closing: str) -> bool:
        """Skip what parts two items; True past the closing bracket (or the end of the text)."""
        self._skip(_BLANK)
        if self._next() == ",":
            self._at += 1
            self._skip(_BLANK)
        if self._next() not in (closing, ""):
            return False
        self._at += 1
        return True
