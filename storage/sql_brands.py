"""Brand kits and LoRA versions in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from brand.kit import BrandKit
from brand.loras import LoraVersion
from storage.codec import clean_text, decode, encode
from storage.rows import Shape
from storage.sql_table import Session
from storage.steps import check_lora_move, missing, stale, taken
from storage.tables import CurrentKitRow, KitRow, LoraRow, table_of

_KITS = table_of(KitRow)
_CURRENT = table_of(CurrentKitRow)
_LORAS = Shape(LoraVersion, LoraRow)


_KNOWN: dict[str, BrandKit] = {}
"""Kits by hash. A hash names one content for ever, and every request needs one of a few kits."""
_MOST_KNOWN = 200


def _keep(kit_hash: str, kit: BrandKit) -> BrandKit:
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    return _KNOWN.setdefault(kit_hash, kit)


class SqlKits:
    """The Kits port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, kit: BrandKit, *, source: str, at: datetime) -> bool:
        """See the port."""
        row = {
            "hash": kit.hash,
            "brand": kit.id,
            "version": kit.version,
            "kit": encode(kit),
            "source": clean_text(source),
            "stored_at": at,
        }
        is_new = await self._session.insert_new(_KITS, row)
        await self._session.put(_CURRENT, {"brand": kit.id, "hash": kit.hash, "since": at})
        return is_new

    async def current(self, brand: str) -> BrandKit:
        """See the port."""
        query = select(_CURRENT.c.hash).where(_CURRENT.c.brand == brand)
        found = await self._session.first(query)
        if found is None:
            raise missing("current kit of", brand)
        return await self.get(found[0])

    async def get(self, kit_hash: str) -> BrandKit:
        """See the port."""
        if (known := _KNOWN.get(kit_hash)) is not None:
            return known
        found = await self._session.first(select(_KITS.c.kit).where(_KITS.c.hash == kit_hash))
        if found is None:
            raise missing("kit", kit_hash)
        return _keep(kit_hash, decode(BrandKit, found[0]))

    async def all(self) -> Sequence[BrandKit]:
        """See the port."""
        rows = await self._session.rows(select(_CURRENT.c.hash))
        kits = [await self.get(row["hash"]) for row in rows]
        return sorted(kits, key=lambda kit: kit.name)


class SqlLoras:
    """The Loras port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._table = _LORAS.table
        self._c = _LORAS.table.c

    async def add(self, lora: LoraVersion) -> None:
        """See the port."""
        rows = [(self._table, [_LORAS.row(lora)])]
        await self._session.insert(rows, refused=taken("LoRA", lora.id))

    async def get(self, brand: str, sha256: str) -> LoraVersion:
        """See the port."""
        same = (self._c.brand == brand, self._c.sha256 == sha256)
        found = await self._session.rows(select(self._table).where(*same))
        if not found:
            raise missing("LoRA", sha256)
        return _LORAS.value(found[0])

    async def update(self, new: LoraVersion, *, was: LoraVersion) -> LoraVersion:
        """See the port."""
        check_lora_move(new, was)
        same = (
            self._c.brand == was.brand,
            self._c.sha256 == was.sha256,
            self._c.status == was.status,
        )
        statement = update(self._table).where(*same).values(_LORAS.row(new))
        if (await self._session.change(statement)).rowcount != 1:
            raise stale(await self.get(was.brand, was.sha256))
        return new

    async def of_brand(self, brand: str) -> Sequence[LoraVersion]:
        """See the port."""
        rows = await self._session.rows(select(self._table).where(self._c.brand == brand))
        loras = [_LORAS.value(row) for row in rows]
        # Sorted here, because databases differ in what comes first.
        return sorted(loras, key=lambda lora: (lora.name, lora.version))
