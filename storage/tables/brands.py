"""Tables of brand kits and LoRA versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from brand.loras import LoraStatus
from storage.tables.base import PLAIN, Row, row_number, word_of


class KitRow(Row, table=True):
    """A kit as it was when used, with the text of its file."""

    __tablename__ = "kits"

    row: int | None = row_number()
    hash: str = Field(unique=True)
    brand: str = Field(index=True)
    version: str
    kit: dict[str, Any] = Field(sa_type=PLAIN)
    source: str
    stored_at: datetime


class CurrentKitRow(Row, table=True):
    """Which kit a brand uses now."""

    __tablename__ = "current_kits"

    brand: str = Field(primary_key=True)
    hash: str = Field(foreign_key="kits.hash")
    since: datetime


class LoraRow(Row, table=True):
    """A LoRA version.

    One file has one entry in a brand: under two names it could be retired under the one and
    serve under the other.
    """

    __tablename__ = "loras"
    __table_args__ = (
        UniqueConstraint("brand", "name", "version"),
        UniqueConstraint("brand", "sha256"),
    )

    row: int | None = row_number()
    brand: str
    name: str
    version: str
    sha256: str
    owner: str
    dataset_sha256: str
    status: LoraStatus = word_of(LoraStatus)
    weight: float
    min_weight: float
    max_weight: float
    triggers: list[str] = Field(sa_type=PLAIN)
