"""The incoming side of every platform: written down, acknowledged, worked off, once.

A delivery is one thing a person did: said a line, pressed a button, reacted. It stands in the
node's fsynced inbox before its platform is told "received" (`put`), and is then worked off a few
at a time; what a crash left there, and what could not be done because the house did not answer,
is worked off later (`replay`, and again every SWEEP_S while `sweeping`).

Every step counts once, because commands, replies and messages carry the delivery's id: a platform
that delivers again gets the same answer, and a replay finds what was done already.

An adapter whose platform wants its acknowledgement at once:

    delivery = await receiving.put(event_id, payload)   # fsynced
    await acknowledge()
    receiving.later(delivery)                           # in the background

One that answers in the same breath, but never keeps anybody waiting: `await receiving.take(…)`.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from bot.core.errors import Unavailable
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.payloads import all_texts
from bot.core.ports import Delivery
from bot.core.watching import hide

log = logging.getLogger(__name__)

A = TypeVar("A")

AT_ONCE = 4
"""Deliveries that are worked off at the same time; the others wait their turn."""
SWEEP_S = 20.0
"""How often what had to wait is tried again."""
MAX_FAILURES = 3
"""A delivery that trips over a bug of ours so often waits for the next start."""


_TURN: ContextVar[asyncio.Semaphore | None] = ContextVar("turn", default=None)
"""The turn that the work of now holds."""


@asynccontextmanager
async def aside() -> AsyncIterator[None]:
    """For work that only lets time pass: while the block runs, another delivery has its turn."""
    turn = _TURN.get()
    if turn is None:
        yield
        return
    turn.release()
    try:
        yield
    finally:
        await turn.acquire()


class Postponed(Unavailable):
    """It stands in the inbox and is done later: there is no need to send it again."""


class Receiving(Generic[A]):
    """What one platform delivers. `work` does it and returns the answer; it must be safe to
    repeat, and raises Unavailable where the house can't do it now."""

    def __init__(
        self,
        house: House,
        platform: str,
        work: Callable[[Delivery], Awaitable[A]],
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        self._house = house
        self._platform = platform
        self._work = work
        self._turn = asyncio.Semaphore(at_once)
        self._in_hand: dict[str, asyncio.Task[A]] = {}
        self._failures: Counter[str] = Counter()

    async def put(self, delivery_id: str, payload: Mapping[str, Any]) -> Delivery:
        """Returns once it is on the disk; only then the platform is acknowledged. Raises
        Unavailable; then it is not acknowledged, and the platform delivers again."""
        delivery = Delivery(
            platform=self._platform,
            id=delivery_id or new_id(),
            payload=dict(payload),
            received_at=self._house.clock.now(),
        )
        began = time.perf_counter()
        await self._house.inbox.put(delivery)
        self._house.watch.time("ack", time.perf_counter() - began, platform=self._platform)
        return delivery

    def later(self, delivery: Delivery) -> None:
        """Work it off in the background."""
        self._start(delivery)

    async def take(
        self, delivery_id: str, payload: Mapping[str, Any], *, within_s: float
    ) -> A | None:
        """Put it and work it off; its answer, or None if that takes longer than `within_s`, and
        then it is done all the same. Raises Postponed, and what else the work raises."""
        task = self._start(await self.put(delivery_id, payload))
        done, _ = await asyncio.wait({task}, timeout=within_s)
        try:
            return task.result() if done else None
        except Unavailable as exc:
            raise Postponed(
                "The house is busy just now. This is written down, and is done as soon as it can.",
                fix="No need to send it again.",
            ) from exc

    async def replay(self) -> int:
        """Work off what stands in the inbox and nobody is at; how many were done."""
        left = [
            delivery
            for delivery in await self._house.inbox.pending(self._platform)
            if delivery.id not in self._in_hand and self._failures[delivery.id] < MAX_FAILURES
        ]
        tasks = [self._start(delivery) for delivery in left]
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        return sum(not isinstance(answer, BaseException) for answer in ended)

    @asynccontextmanager
    async def sweeping(self, *, first: bool = True) -> AsyncIterator[None]:
        """Replay at once, and now and then while the block runs. With `first` the block begins
        when what was left has been tried; without, at once, however long that takes."""
        if first:
            await self.replay()

        async def sweep() -> None:
            if not first:
                await self._replay_or_log()
            while True:
                await self._house.clock.sleep(SWEEP_S)
                await self._replay_or_log()

        task = asyncio.create_task(sweep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _replay_or_log(self) -> None:
        try:
            await self.replay()
        except Unavailable:
            log.exception("The inbox of %s can't be read", self._platform)

    async def finish(self, limit_s: float) -> None:
        """Let what is being worked off come to its end; what does not stays in the inbox."""
        working = set(self._in_hand.values())
        if working:
            await asyncio.wait(working, timeout=limit_s)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    def _start(self, delivery: Delivery) -> asyncio.Task[A]:
        """Written down, it is done whether or not anybody still waits for the answer; what is
        delivered twice at the same time is done by the same task."""
        task = self._in_hand.get(delivery.id)
        if task is None:
            task = self._in_hand[delivery.id] = asyncio.create_task(self._work_off(delivery))
            task.add_done_callback(_told)
        return task

    async def _work_off(self, delivery: Delivery) -> A:
        with self._house.watch.span("delivery", platform=delivery.platform):
            hide(*all_texts(delivery.payload))
            return await self._done(delivery)

    async def _done(self, delivery: Delivery) -> A:
        try:
            async with self._turn:
                _TURN.set(self._turn)
                answer = await self._work(delivery)
                await self._house.inbox.done(delivery.platform, delivery.id)
        except Exception as exc:
            if not isinstance(exc, Unavailable):
                self._failures[delivery.id] += 1
            log.exception(
                "A delivery failed; it stays in the inbox and is tried again",
                extra={"action": "delivery.failed", "delivery": delivery.id},
            )
            raise
        else:
            self._failures.pop(delivery.id, None)
            return answer
        finally:
            self._in_hand.pop(delivery.id, None)


class Lanes:
    """Several lanes of one platform, which don't wait for each other."""

    def __init__(self, *lanes: Receiving[Any]) -> None:
        self._lanes = lanes

    @asynccontextmanager
    async def sweeping(self) -> AsyncIterator[None]:
        """Work off what earlier processes left, and now and then what had to wait. Listening does
        not wait for it: the platform may be slow just then."""
        async with AsyncExitStack() as stack:
            for lane in self._lanes:
                await stack.enter_async_context(lane.sweeping(first=False))
            yield

    async def finish(self, limit_s: float) -> None:
        """Let what is being worked off end; what does not stays in the inbox."""
        await asyncio.gather(*(lane.finish(limit_s) for lane in self._lanes))


def _told(task: asyncio.Task[Any]) -> None:
    """The log has its error already, whether or not anybody waits for it."""
    if not task.cancelled():
        task.exception()
