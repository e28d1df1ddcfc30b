"""An upgrade keeps all data: from every older version, with rows in every table."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import upgrades
from storage.engines import create_engine
from storage.revision import MIGRATIONS, newest
from tests.contract.conftest import POSTGRESQL
from tests.contract.every_table import fill, rows_of

OLDER = sorted(
    match[1]
    for path in (MIGRATIONS / "versions").iterdir()
    if (match := re.match(r"(\d+)_", path.name)) and match[1] != newest()
)


@pytest.fixture(params=["sqlite", POSTGRESQL])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A database without tables."""
    if request.param == "sqlite":
        made = create_engine(f"sqlite:///{tmp_path}/house.db")
        yield made
        await made.dispose()
        return
    server: str = request.getfixturevalue("postgres")
    admin = create_engine(server)
    async with admin.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("CREATE DATABASE older"))
        made = create_engine(server.replace("/postgres?", "/older?"))
        yield made
        await made.dispose()
        await alone.execute(text("DROP DATABASE older WITH (FORCE)"))
    await admin.dispose()


@pytest.mark.parametrize(
    "revision",
    [OLDER[0], OLDER[-1], *(pytest.param(one, marks=pytest.mark.deep) for one in OLDER[1:-1])],
)
async def test_an_upgrade_keeps_every_row_of_every_table(
    engine: AsyncEngine, revision: str
) -> None:
    await upgrades.upgrade(engine, revision)
    put = await fill(engine)
    columns = {name: list(rows[0]) for name, rows in put.items()}
    before = await rows_of(engine, columns)
    assert before == put
    await upgrades.upgrade(engine)
    await upgrades.check(engine)
    assert await rows_of(engine, columns) == before
