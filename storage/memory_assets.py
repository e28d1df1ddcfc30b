"""Assets with their renditions in memory."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.assets import Asset, AssetQuery, Rendition
from bot.core.lives import ASSET_STEPS, AssetState
from bot.core.ports import UsageRow
from storage.memory_tables import Table, Tables, after
from storage.steps import COMPARED, taken
from storage.words import asset_words, query_words


class MemoryAssets:
    """The Assets port."""

    def __init__(self, tables: Tables) -> None:
        self._assets: Table[Asset] = Table(tables, "asset")

    async def add(self, asset: Asset) -> None:
        """See the port."""
        names = [rendition.transform for rendition in asset.renditions]
        if len(set(names)) != len(names):
            raise taken("rendition", ", ".join(names))
        self._assets.add(asset.id, asset)

    async def get(self, asset_id: str) -> Asset:
        """See the port."""
        return self._assets.need(asset_id)

    async def update(self, new: Asset, *, was: Asset) -> Asset:
        """See the port."""
        kept = replace(new, renditions=self._assets.need(was.id).renditions)
        return self._assets.update(kept, was, ASSET_STEPS)

    async def add_rendition(self, rendition: Rendition) -> None:
        """See the port."""
        asset = self._assets.need(rendition.asset)
        if asset.rendition(rendition.transform) is not None:
            raise taken("rendition", rendition.transform)
        listed = replace(asset, renditions=(*asset.renditions, rendition))
        self._assets.put(asset.id, listed)

    async def of_job(self, job_id: str) -> Sequence[Asset]:
        """See the port."""
        every = self._assets.oldest(lambda asset: (asset.index, asset.created_at))
        return [asset for asset in every if asset.job == job_id]

    async def find(self, query: AssetQuery) -> Sequence[Asset]:
        """See the port."""
        words = set(query_words(query.text))
        if query.text.strip() and not words:
            return []
        assets = after(self._newest(), query.before)
        found = (asset for asset in assets if _matches(asset, query))
        return [asset for asset in found if words <= set(asset_words(asset))][: query.limit]

    async def fingerprints(self, brand: str, *, limit: int = 5000) -> Sequence[tuple[str, str]]:
        """See the port."""
        every = (a for a in self._newest() if a.brand == brand and a.state in COMPARED)
        return [(asset.id, asset.fingerprint) for asset in every][:limit]

    async def by_spec(self, brand: str, spec_hash: str) -> Asset | None:
        """See the port."""
        same = (a for a in self._newest() if a.brand == brand and a.spec.hash == spec_hash)
        return next((a for a in same if a.file_hash and a.state is not AssetState.WITHDRAWN), None)

    async def of_spec(self, brand: str, spec_hash: str) -> Sequence[str]:
        """See the port."""
        same = (a for a in self._newest() if a.brand == brand and a.spec.hash == spec_hash)
        return [asset.id for asset in same]

    async def with_file(self, sha256: str) -> Sequence[Asset]:
        """See the port."""
        return [
            asset
            for asset in self._newest()
            if sha256 in (asset.file_hash, *(item.file_hash for item in asset.renditions))
        ]

    async def file_hashes(self) -> AsyncIterator[tuple[str, str]]:
        """See the port."""
        for asset in self._assets:
            if asset.is_erased:
                continue
            yield asset.id, asset.file_hash
            for rendition in asset.renditions:
                if rendition.file_hash != asset.file_hash:
                    yield asset.id, rendition.file_hash

    async def usage(self, brand: str, *, since: datetime, until: datetime) -> Sequence[UsageRow]:
        """See the port."""
        made: dict[str, list[Asset]] = defaultdict(list)
        for asset in self._assets:
            if asset.brand == brand and since <= asset.created_at < until:
                made[asset.requester].append(asset)
        rows = (
            UsageRow(
                person=person,
                pictures=len(assets),
                seconds=sum(asset.seconds for asset in assets),
                approved=sum(asset.state is AssetState.APPROVED for asset in assets),
            )
            for person, assets in made.items()
        )
        return sorted(rows, key=lambda row: row.person)

    def _newest(self) -> list[Asset]:
        return self._assets.newest(lambda asset: asset.created_at)


def _matches(asset: Asset, query: AssetQuery) -> bool:
    return not asset.is_erased and (
        query.brand in ("", asset.brand)
        and query.requester in ("", asset.requester)
        and query.template in ("", asset.template)
        and query.job in ("", asset.job)
        and (not query.states or asset.state in query.states)
        and (query.since is None or asset.created_at >= query.since)
        and (query.until is None or asset.created_at < query.until)
    )
