"""A house with people in it, for every scenario."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.assets import Asset, AssetQuery
from bot.core.commands import Imagine, SendToApproval
from bot.core.reviews import Review
from brand.templates import Brief
from storage.database import open_store
from tests.fakes.town import Town, make_town
from tests.fakes.upgrading import upgrade


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file with this version's tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["memory", "sqlite"])
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    """Four-eyes rules, as in production; on memory and on a real database."""
    url = "memory:"
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/house.db"
        shutil.copy(request.getfixturevalue("upgraded_sqlite"), tmp_path / "house.db")
    store = await open_store(url)
    yield await make_town(store=store)
    await store.close()


async def newest_asset(town: Town) -> Asset:
    """The picture rendered last."""
    async with town.house.store.read() as tx:
        return (await tx.assets.find(AssetQuery(brand=town.kit.id)))[0]


async def candidate(town: Town, words: str = "a red mug", who: str = "mia") -> Asset:
    """A rendered picture that passed the gates."""
    await town.say(Imagine(brief=Brief(words=words)), who)
    await town.settle()
    return await newest_asset(town)


async def in_review(town: Town, who: str = "mia") -> Review:
    """An open review for #social of a picture that `who` asked for."""
    asset = await candidate(town, who=who)
    await town.say(SendToApproval(asset=asset.id, channel="#social"), who)
    await town.settle()
    async with town.house.store.read() as tx:
        return (await tx.reviews.of_asset(asset.id))[0]
