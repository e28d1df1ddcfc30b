"""Seeing that one writer waits for another, so that a race can be played through step by step."""

from sqlalchemy import text

from storage.database import OpenStore, SqlStore


async def a_writer_waits(store: OpenStore) -> bool:
    """Whether one of two writers waits for the other: PostgreSQL shows it by a lock that is not
    granted; elsewhere writers take turns, and one of two always does."""
    if not isinstance(store, SqlStore) or store._engine.dialect.name != "postgresql":
        return True
    async with store._engine.connect() as connection:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool((await connection.execute(waiting)).scalar_one())
