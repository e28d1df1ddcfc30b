"""Tables of assets, their renditions and the words they are found by."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field

from bot.core.lives import AssetState
from storage.tables.base import BIG, PLAIN, Row, row_number, word_of


class AssetRow(Row, table=True):
    """An asset. Each way of looking through the archive has an index that ends newest first."""

    __tablename__ = "assets"
    __table_args__ = (
        Index(None, "brand", "state", "created_at", "row"),
        Index(None, "brand", "created_at", "row"),
        Index(None, "state", "created_at", "row"),
        Index(None, "requester", "created_at", "row"),
        Index(None, "template", "created_at", "row"),
        Index(None, "created_at", "row"),
        Index(None, "spec_hash", "brand"),
        Index(None, "job"),
        Index(None, "file_hash"),
    )

    row: int | None = row_number()
    id: str = Field(unique=True)
    job: str
    brand: str
    requester: str
    index: int
    spec: dict[str, Any] = Field(sa_type=PLAIN)
    spec_hash: str
    words: str
    template: str
    kit_hash: str
    pixel_hash: str
    file_hash: str
    width: int
    height: int
    reproduction: dict[str, Any] = Field(sa_type=PLAIN)
    evidence: dict[str, Any] = Field(sa_type=PLAIN)
    fingerprint: str
    created_at: datetime
    state: AssetState = word_of(AssetState)
    parent: str
    change: str
    seconds: float
    cost: dict[str, Any] | None = Field(sa_type=PLAIN)
    reused: str
    version: int


class RenditionRow(Row, table=True):
    """A rendition of an asset."""

    __tablename__ = "renditions"
    __table_args__ = (UniqueConstraint("asset", "transform"), Index(None, "file_hash"))

    row: int | None = row_number()
    id: str = Field(unique=True)
    asset: str = Field(foreign_key="assets.id")
    transform: str
    file_hash: str
    pixel_hash: str
    mime: str
    bytes: int = Field(sa_type=BigInteger)
    width: int
    height: int


class AssetWordRow(Row, table=True):
    """A word under which an asset is found.

    The key holds the time, so that the newest assets of a word are the first entries read: a
    search costs the same in a small and in a big archive. This is the same on both databases,
    which their own text indexes are not: those sort all matches before the first page.
    """

    __tablename__ = "asset_words"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  (SQLAlchemy reads it once)

    word: str = Field(primary_key=True)
    created_at: datetime = Field(primary_key=True)
    asset: int = Field(primary_key=True, sa_type=BIG, sa_column_args=[ForeignKey("assets.row")])
