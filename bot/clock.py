"""The system's clock: the one place where the time of day comes from."""

import asyncio
from datetime import UTC, datetime


class SystemClock:
    """Satisfies the Clock port."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(seconds)
