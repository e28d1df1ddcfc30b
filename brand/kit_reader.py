"""Typed reading of a TOML table that collects every mistake instead of stopping at the first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from brand.errors import KitProblem
from brand.toml_lines import KeyPath, Positions
from brand.words import clean, nearest, one_of

T = TypeVar("T")

MAX_TEXT = 1000
MAX_ITEMS = 500
MAX_PROBLEMS = 200
"""Of one file; whoever has so many has another kind of file."""

NAME = r"[a-z][a-z0-9-]{0,39}"
NAME_FORM = "small letters, digits and hyphens, starting with a letter"
SHA256 = r"[0-9a-f]{64}"
SHA256_FORM = "the file's SHA-256: 64 small hexadecimal digits"
VERSION = r"[0-9A-Za-z][0-9A-Za-z.-]{0,19}"


@dataclass(kw_only=True)
class ProblemLog:
    """The mistakes found in one file, each placed by the path of its key."""

    path: Path
    positions: Positions
    problems: list[KitProblem] = field(default_factory=list)

    def add(self, where: KeyPath, message: str, fix: str, *, severity: str = "error") -> None:
        """Note a mistake at a key (or at the nearest table around it), unless the log is full."""
        if self.full:
            return
        line, column = self.positions.of(where)
        self.problems.append(
            KitProblem(
                path=self.path,
                line=line,
                column=column,
                severity=severity,
                message=message,
                fix=fix,
            )
        )

    @property
    def full(self) -> bool:
        """Whether MAX_PROBLEMS have been noted."""
        return len(self.problems) >= MAX_PROBLEMS

    @property
    def ordered(self) -> tuple[KitProblem, ...]:
        """By their place in the file, each once."""
        unique = dict.fromkeys(self.problems)
        return tuple(sorted(unique, key=lambda p: (p.line, p.column, p.severity, p.message)))


class Section:
    """One table of the file. Each read names its key, its form and what holds without it.

    A value of the wrong form is noted and its default (or an empty value) returned, so that
    reading goes on. `finish` notes every key that nothing asked for.
    """

    def __init__(self, raw: object, where: KeyPath, log: ProblemLog) -> None:
        self.where = where
        self.log = log
        self._known: dict[str, None] = {}
        if not isinstance(raw, dict):
            log.add(where, f"`{self._name()}` must be a table", f"Write [{self._name()}].")
            raw = {}
        self._raw = cast("dict[str, Any]", raw)

    def __contains__(self, key: str) -> bool:
        return key in self._raw

    def at(self, *keys: str | int) -> KeyPath:
        """The path of a key below this table."""
        return (*self.where, *keys)

    def text(
        self, key: str, default: str | None = None, *, pattern: str = "", form: str = ""
    ) -> str:
        """A text; required without a default. `pattern` must match all of it, `form` says it."""
        raw = self._get(key, "a text", required=default is None)
        if raw is None:
            return default or ""
        if not isinstance(raw, str):
            return self._wrong(key, raw, "a text in quotes", default or "")
        if len(raw) > MAX_TEXT or clean(raw) != " ".join(raw.split()):
            message = f"`{key}` is longer than {MAX_TEXT} characters or holds unseen characters"
            self.log.add(self.at(key), message, "Write it again as short plain text.")
            return default or ""
        if (default is None and not raw.strip()) or (pattern and not re.fullmatch(pattern, raw)):
            self.log.add(
                self.at(key), f'`{key}` can\'t be "{raw}"', f"Write {form or 'some text'}."
            )
            return default or ""
        return raw.strip()

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        """One of the options; required without a default."""
        value = self.text(key, default)
        if value and value not in options:
            self._not_an_option(self.at(key), key, value, options)
            return default if default is not None else options[0]
        return value or options[0]

    def texts(
        self, key: str, default: tuple[str, ...] = (), *, options: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """A list of texts, without repeats; each one of `options` where there are any."""
        raw = self._get(key, "a list of texts", required=False)
        if raw is None:
            return default
        if not isinstance(raw, list) or len(raw) > MAX_ITEMS:
            return self._wrong(
                key, raw, f'a list like ["one", "two"] of up to {MAX_ITEMS}', default
            )
        found: list[str] = []
        for index, item in enumerate(raw):
            where = self.at(key, index)
            if not isinstance(item, str) or not clean(item) or len(item) > MAX_TEXT:
                self.log.add(
                    where, f"item {index + 1} of `{key}` isn't a text", "Put it in quotes."
                )
            elif options and item not in options:
                self._not_an_option(where, key, item, options)
            elif clean(item) in found:
                self.log.add(
                    where, f'"{item}" stands in `{key}` twice', "Delete one.", severity="warning"
                )
            else:
                found.append(clean(item))
        return tuple(found)

    def integer(self, key: str, default: int | None, *, low: int, high: int) -> int:
        """A whole number within its limits; required when the default is None."""
        raw = self._get(key, "a whole number", required=default is None)
        fallback = low if default is None else default
        if raw is None:
            return fallback
        if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
            return self._wrong(key, raw, f"a whole number from {low} to {high}", fallback)
        return raw

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """A number within its limits."""
        raw = self._get(key, "a number", required=False)
        if raw is None:
            return default
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not low <= raw <= high:
            return self._wrong(key, raw, f"a number from {low:g} to {high:g}", default)
        return float(raw)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        raw = self._get(key, "true or false", required=False)
        if raw is None or isinstance(raw, bool):
            return default if raw is None else raw
        return self._wrong(key, raw, "true or false, without quotes", default)

    def section(self, key: str, *, required: bool = False) -> "Section":
        """A table; an empty one where it is missing."""
        raw = self._get(key, "a table", required=required)
        return Section({} if raw is None else raw, self.at(key), self.log)

    def items(self, key: str) -> list["Section"]:
        """The tables of an array of tables."""
        raw = self._get(key, "tables", required=False)
        name = ".".join(str(part) for part in self.at(key) if isinstance(part, str))
        if raw is None:
            return []
        if not isinstance(raw, list) or len(raw) > MAX_ITEMS:
            self._wrong(key, raw, f"tables, each headed [[{name}]], up to {MAX_ITEMS}", None)
            return []
        return [Section(item, self.at(key, index), self.log) for index, item in enumerate(raw)]

    def named(self) -> list[str]:
        """Every key of this table, for tables whose keys are names."""
        names = list(self._raw)[:MAX_ITEMS]
        self._known.update(dict.fromkeys(names))
        return names

    def value(self, key: str) -> object:
        """A value in whatever form."""
        self._known[key] = None
        return self._raw.get(key)

    def finish(self) -> None:
        """Note every key that was not read, with the nearest one that is."""
        known = tuple(self._known)
        for key in self._raw:
            if key not in self._known and not self.log.full:
                suggestion = nearest(key, known)
                fix = f"Did you mean `{suggestion}`?" if suggestion else ""
                fix = fix or f"{self._label()} can have {one_of(known, limit=20)}."
                self.log.add(self.at(key), f"`{key}` isn't a key of {self._label()}", fix)

    def _get(self, key: str, form: str, *, required: bool) -> Any:  # noqa: ANN401
        self._known[key] = None
        if key not in self._raw and required:
            self.log.add(self.where, f"{self._label()} needs `{key}`", f"Add `{key}` = {form}.")
        return self._raw.get(key)

    def _wrong(self, key: str, raw: object, form: str, default: T) -> T:
        shown = f'"{raw[:40]}"' if isinstance(raw, str) else _kind(raw)
        self.log.add(self.at(key), f"`{key}` is {shown}", f"Write {form}.")
        return default

    def _not_an_option(self, where: KeyPath, key: str, value: str, options: Sequence[str]) -> None:
        suggestion = nearest(value, options)
        fix = f"Did you mean `{suggestion}`? " if suggestion else ""
        self.log.add(
            where, f'`{key}` can\'t be "{value}"', f"{fix}It can be {one_of(options, limit=20)}."
        )

    def _name(self) -> str:
        return ".".join(str(part) for part in self.where if isinstance(part, str))

    def _label(self) -> str:
        return f"[{self._name()}]" if self.where else "a kit"


def _kind(raw: object) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, int | float):
        return str(raw)[:40]
    return {"list": "a list", "dict": "a table", "NoneType": "missing"}.get(
        type(raw).__name__, f"a {type(raw).__name__}"
    )
