"""Which revision the tables have, told without loading the migration tool.

Migrations are named NUMBER_WORDS.py, and the number is the revision. Most starts find the newest
one in place and need no more than this.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

MIGRATIONS = Path(__file__).parent / "migrations"


def newest() -> str:
    """The newest revision that this version ships."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def is_newest(engine: AsyncEngine) -> bool:
    """Whether the tables of this database are those of this version."""
    async with engine.connect() as connection:
        return await connection.run_sync(current) == newest()


def current(connection: Connection) -> str | None:
    """The revision of these tables; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
