"""Asking twice is doing once: the Idempotency-Key of a program's request.

As in the IETF draft "The Idempotency-Key HTTP Header Field": the same key with the same request
gets the first answer again, the same key with another request is refused. The request is kept in
the very transaction in which its job is queued, so neither a crash nor a race queues two. One
whose job was cancelled, as when its client hung up, is carried out anew.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.core.commands import Imagine
from bot.core.dispatch import Dispatch
from bot.core.errors import Mistake, NotFound
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.messages import Actor, Card
from bot.core.once import AlreadyTaken
from bot.core.ports import Clock, KeptRequest, Store, Transaction
from bot.core.pruning import KEEP_REQUESTS
from brand.spec import sha256_hex

AnswerOf = Callable[[Transaction, Job], Awaitable[dict[str, Any]]]


class KeyReused(Mistake):
    """The idempotency key stands for another request."""

    title = "This key was used"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key came with another request before.",
            fix="Send a new key with a new request; the same key only repeats the same request.",
            field="Idempotency-Key",
        )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of a program: whose, under which key, for what. `content` says all that
    was asked for; `key` may be any text."""

    person: str
    key: str
    content: str

    @property
    def key_hash(self) -> str:
        """What is kept of the key."""
        return sha256_hex(self.key.encode())

    @property
    def content_hash(self) -> str:
        """What is kept of the request."""
        return sha256_hex(self.content.encode())


class _KeepingStore:
    """A store whose first write transaction also keeps the request, if it queued the job."""

    def __init__(
        self, store: Store, clock: Clock, asked: Asked, job_id: str, answer_of: AnswerOf
    ) -> None:
        self._store = store
        self._clock = clock
        self._asked = asked
        self._job = job_id
        self._answer_of = answer_of
        self._begun = False

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """As the store itself."""
        return self._store.read()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """As the store itself. Raises AlreadyTaken for a request that was carried out before."""
        first, self._begun = not self._begun, True
        async with self._store.write() as tx:
            if first and await _kept(tx, self._clock, self._asked) is not None:
                raise AlreadyTaken("This request came in twice; it was done once.")
            yield tx
            if first:
                await self._keep(tx)

    async def _keep(self, tx: Transaction) -> None:
        try:
            job = await tx.jobs.get(self._job)
        except NotFound:
            return  # nothing was queued: the next try is judged anew
        # The key may be kept from longer ago than it holds, or for a job that was cancelled.
        now = self._clock.now()
        await tx.requests.purge(now - KEEP_REQUESTS)
        old = await tx.requests.get(self._asked.person, self._asked.key_hash)
        if old is not None and await _was_cancelled(tx, old.job):
            await tx.requests.drop(old)
        await tx.requests.add(
            KeptRequest(
                person=self._asked.person,
                key=self._asked.key_hash,
                content=self._asked.content_hash,
                job=job.id,
                answer=await self._answer_of(tx, job),
                created_at=now,
            )
        )

    async def compact(self) -> bool:
        """As the store itself."""
        return await self._store.compact()

    async def is_current(self) -> bool:
        """As the store itself."""
        return await self._store.is_current()

    async def close(self) -> None:
        """Nothing of its own to release."""


async def imagine_once(
    house: House, command: Imagine, actor: Actor, asked: Asked, answer_of: AnswerOf
) -> tuple[Card, KeptRequest | None]:
    """Give the command unless it was given under this key before: the card, and the request as it
    is kept (None where nothing was queued). `command.as_job` must be set.

    Raises KeyReused where the key stands for another request.
    """
    kept = await kept_request(house, asked)
    if kept is None:
        store = _KeepingStore(house.store, house.clock, asked, command.as_job, answer_of)
        card = await Dispatch(replace(house, store=store)).dispatch(command, actor)
        # Another one may have been faster: then its answer holds, not this card.
        return card, await kept_request(house, asked)
    return Card(kind="reply", title="Asked before", subject=f"job:{kept.job}"), kept


async def kept_request(house: House, asked: Asked) -> KeptRequest | None:
    """What is kept under this key. Raises KeyReused where it is another request."""
    async with house.store.read() as tx:
        kept = await _kept(tx, house.clock, asked)
    if kept is not None and kept.content != asked.content_hash:
        raise KeyReused
    return kept


async def _kept(tx: Transaction, clock: Clock, asked: Asked) -> KeptRequest | None:
    kept = await tx.requests.get(asked.person, asked.key_hash)
    if kept is None or kept.created_at < clock.now() - KEEP_REQUESTS:
        return None
    same = kept.content == asked.content_hash
    return None if same and await _was_cancelled(tx, kept.job) else kept


async def _was_cancelled(tx: Transaction, job_id: str) -> bool:
    try:
        return (await tx.jobs.get(job_id)).state is JobState.CANCELLED
    except NotFound:
        return False
