"""The calendar's town: on memory, since time passes in it step by step."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import open_store
from tests.fakes.town import Town, make_town


@pytest.fixture
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    """Four-eyes rules, as in production. On memory, unless a test asks for SQLite."""
    kind = getattr(request, "param", "memory")
    url = "memory:"
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/house.db"
        shutil.copy(request.getfixturevalue("upgraded_sqlite"), tmp_path / "house.db")
    store = await open_store(url)
    yield await make_town(store=store)
    await store.close()
