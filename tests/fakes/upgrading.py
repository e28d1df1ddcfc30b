"""Databases with this version's tables, made once where many tests need an empty one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from storage import upgrades
from storage.engines import create_engine


def upgrade(url: str) -> None:
    """Make this version's tables there."""

    async def run() -> None:
        engine = create_engine(url)
        await upgrades.upgrade(engine)
        await engine.dispose()

    # A fixture may ask for it while another loop runs in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
