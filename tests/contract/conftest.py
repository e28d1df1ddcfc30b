"""The adapters under test: the store in memory, in SQLite and in a real PostgreSQL."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import OpenStore, SqlStore
from storage.engines import create_engine
from storage.memory import MemoryStore
from storage.tables import METADATA
from tests.contract.postgres import postgres_server
from tests.fakes.upgrading import upgrade

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgres)
FILLED = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})"  # noqa: S608
    for name in METADATA.tables
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a running server's database, without tables."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def upgraded_postgres(postgres: str) -> str:
    """The same with this version's tables."""
    upgrade(postgres)
    return postgres


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file with this version's tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", POSTGRESQL])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database with tables: for tests that open it more than once."""
    return await _empty(request, tmp_path)


@pytest.fixture(params=[POSTGRESQL])
async def postgres_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty PostgreSQL: for what cannot happen where writers take turns."""
    return await _empty(request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
        return
    engine = create_engine(_address(request, tmp_path))
    await _clean(engine)
    opened = SqlStore(engine)
    yield opened
    await opened.close()


def _address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        path = tmp_path / "house.db"
        shutil.copy(request.getfixturevalue("upgraded_sqlite"), path)
        return f"sqlite:///{path}"
    address: str = request.getfixturevalue("upgraded_postgres")
    return address


async def _clean(engine: AsyncEngine) -> None:
    """PostgreSQL's tables are shared by the tests; a SQLite file is new each time."""
    if engine.dialect.name == "sqlite":
        return
    async with engine.begin() as connection:
        # All tables would be a hundred files to make anew; mostly two or three have rows.
        filled = (await connection.execute(text(FILLED))).scalars().all()
        if filled:
            tables = ", ".join(filled)
            await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


async def _empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    address = _address(request, tmp_path)
    engine = create_engine(address)
    await _clean(engine)
    await engine.dispose()
    return address
