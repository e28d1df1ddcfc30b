"""Rows <-> values: which field of a value stands in which column, and in which form."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Generic, TypeVar, get_type_hints

from sqlalchemy import JSON, Table
from sqlalchemy.engine import RowMapping

from storage.codec import Plain, clean_text, decode_as, encode
from storage.tables.base import Row, table_of

V = TypeVar("V")


class Shape(Generic[V]):
    """How a value lies in its table.

    A field stands in the column of its name, in a JSON column where it is no plain SQL type.
    Fields in `apart` live in tables of their own and are handed to `value`.
    """

    def __init__(self, kind: type[V], row: type[Row], *, apart: Iterable[str] = ()) -> None:
        self.table: Table = table_of(row)
        self._kind = kind
        hints = get_type_hints(kind)
        names = [f.name for f in fields(kind) if f.name not in set(apart)]  # type: ignore[arg-type]
        # None: the column holds the field as it is.
        self._json = {
            name: hints[name] if isinstance(self.table.c[name].type, JSON) else None
            for name in names
        }

    def row(self, value: V) -> dict[str, Plain]:
        """The columns of the value."""
        return {name: _column(getattr(value, name), hint) for name, hint in self._json.items()}

    def value(self, row: RowMapping | dict[str, Plain], **apart: object) -> V:
        """The value of a row (as `RowMapping`) and of the fields kept apart."""
        given = {
            name: row[name] if hint is None else decode_as(hint, row[name])
            for name, hint in self._json.items()
        }
        return self._kind(**given, **apart)


def _column(item: Plain, hint: object) -> Plain:
    if hint is not None:
        return encode(item)
    if type(item) is str:
        return clean_text(item)
    return item
