"""What all tables share: constraint names, an insertion order, and columns right on both databases.

`row` counts the order of insertion: it breaks ties between equal times, and, being a number, it
keeps the indexes small. Everything outside a table names a thing by its `id`.
"""

from enum import Enum as PythonEnum
from typing import Any, cast

from sqlalchemy import JSON, BigInteger, Enum, Index, Integer, MetaData, Table, text
from sqlmodel import Field, SQLModel

# SQLite numbers rows by itself only where the column is declared INTEGER.
BIG = cast("Any", BigInteger().with_variant(Integer(), "sqlite"))

# Plain JSON, and SQL's NULL for None. A changed value is always written whole, never edited inside.
PLAIN = cast("Any", JSON(none_as_null=True))

# Without names, SQLite's constraints could not be changed by a later migration.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(SQLModel):
    """Base of all tables; their metadata is apart from any other SQLModel in the process."""

    metadata = MetaData(naming_convention=NAMES)


def row_number() -> Any:  # noqa: ANN401  (as sqlmodel.Field)
    """The primary key: the order of insertion."""
    return Field(default=None, primary_key=True, sa_type=BIG)


def word_of(kind: type[PythonEnum]) -> Any:  # noqa: ANN401  (as sqlmodel.Field)
    """An enum kept as its values, with a CHECK of them."""
    column = Enum(
        kind,
        name=kind.__name__.lower(),
        native_enum=False,
        length=32,
        create_constraint=True,
        values_callable=lambda kind: [member.value for member in kind],
    )
    return Field(sa_type=cast("Any", column))


def few_of(name: str, column: str) -> Index:
    """An index of the few rows in which this column is not NULL."""
    there = text(f"{column} IS NOT NULL")
    return Index(name, column, sqlite_where=there, postgresql_where=there)


def table_of(row: type[Row]) -> Table:
    """The table behind a row class."""
    return cast("Table", row.__table__)  # type: ignore[attr-defined]
