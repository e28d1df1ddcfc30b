"""Tables of budgets and of what was used of them."""

from datetime import datetime

from sqlmodel import Field

from storage.tables.base import BIG, Row


class BudgetRow(Row, table=True):
    """The limits of an account."""

    __tablename__ = "budgets"

    scope: str = Field(primary_key=True)
    brand: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    pictures: int | None
    cost: float | None
    set_by: str
    set_at: datetime


class SpendRow(Row, table=True):
    """What an account used in a month, or in a day: `month` says which."""

    __tablename__ = "spends"

    month: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    brand: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    pictures: int
    reserved_pictures: int
    ms: int = Field(sa_type=BIG)
    reserved_ms: int = Field(sa_type=BIG)
    warned: bool
