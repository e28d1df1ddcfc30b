"""The sequencer: chains what was appended to the ledger, in small transactions of its own.

Events are appended unchained, so that no business transaction waits for another's hash. However
many sequencers run, one of them chains at a time (the store sees to that), and the numbers, hashes
and links of a batch are committed together or not at all: a kill leaves events waiting, nothing
half-chained.
"""

import logging
from collections.abc import Sequence

from bot.core.errors import Conflict
from bot.core.house import House
from bot.core.ledger import Event, Head
from bot.core.waking import Loop

log = logging.getLogger(__name__)

BATCH = 100
"""Events a transaction: few enough that other writers hardly wait."""


class Sequencer(Loop):
    """Chains waiting events."""

    topic = "ledger"
    poll_s = 1.0

    async def run_one(self) -> bool:
        """Chain one batch; False if nothing waits, or another one chains now."""
        store = self._house.store
        # Reading and hashing take no turn of the writers, and an idle sequencer takes none at all.
        async with store.read() as tx:
            waiting, head = await tx.ledger.unchained(BATCH), await tx.ledger.head()
        if not waiting:
            return False
        lines = chained(waiting, head)
        try:
            async with store.write() as tx:
                if not await tx.ledger.lead():
                    return False
                await tx.ledger.chain(lines)
        except Conflict:
            log.info("Another sequencer was faster", extra={"action": "ledger.chain"})
            return False
        return len(waiting) == BATCH


async def chain_all(house: House) -> None:
    """Chain everything that waits now, as an export or an anchor wants it."""
    sequencer = Sequencer(house, "once")
    while await sequencer.run_one():
        pass


def chained(events: Sequence[Event], head: Head) -> list[Event]:
    """The events as the lines that follow `head`."""
    lines: list[Event] = []
    for event in events:
        line = event.linked(head)
        lines.append(line)
        head = line.head
    return lines
