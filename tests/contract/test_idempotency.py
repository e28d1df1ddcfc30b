"""Asking twice is doing once, on every store, also when both ask at the same moment."""

import asyncio
from typing import Any

import pytest

from bot.core.commands import Cancel, ErasePerson, Imagine
from bot.core.idempotency import Asked, KeyReused, imagine_once, kept_request
from bot.core.ids import new_id
from bot.core.jobs import Job
from bot.core.ports import KeptRequest, Transaction
from bot.core.pruning import KEEP_REQUESTS, prune
from brand.brief import Brief
from storage.database import OpenStore
from tests.fakes.town import Town, make_town


async def answer_of(_: Transaction, job: Job) -> dict[str, Any]:
    """What a program is told."""
    return {"id": job.id, "state": job.state.value}


def asked(town: Town, key: str = "k", content: str = "a mug") -> Asked:
    """Mia's request."""
    return Asked(person=town.people["mia"].id, key=key, content=content)


async def ask(town: Town, what: Asked, words: str = "a mug") -> KeptRequest | None:
    """Ask for pictures under a key; the request as it is kept."""
    command = Imagine(brief=Brief(words=words), as_job=new_id())
    _, kept = await imagine_once(town.house, command, town.actor("mia"), what, answer_of)
    return kept


async def jobs(town: Town) -> list[Job]:
    """All there are."""
    async with town.house.store.read() as tx:
        return list(await tx.jobs.recent(limit=100))


async def test_twenty_at_once_queue_one_job_and_get_one_answer(store: OpenStore) -> None:
    town = await make_town(store=store)
    answers = await asyncio.gather(*(ask(town, asked(town)) for _ in range(20)))
    [job] = await jobs(town)
    assert [kept and kept.answer for kept in answers] == [{"id": job.id, "state": "queued"}] * 20


async def test_the_first_answer_stays_while_the_job_moves_on(store: OpenStore) -> None:
    town = await make_town(store=store)
    first = await ask(town, asked(town))
    await town.settle()
    assert await ask(town, asked(town)) == first
    with pytest.raises(KeyReused):
        await ask(town, asked(town, content="a plate"))
    assert len(await jobs(town)) == 1


async def test_a_refused_request_keeps_nothing(store: OpenStore) -> None:
    town = await make_town(store=store)
    assert await ask(town, asked(town), words="a cheap mug") is None
    assert await kept_request(town.house, asked(town)) is None
    assert await ask(town, asked(town, content="another")) is not None


async def test_a_request_whose_job_was_cancelled_is_carried_out_anew(store: OpenStore) -> None:
    town = await make_town(store=store)
    first = await ask(town, asked(town))
    assert first is not None
    await town.say(Cancel(job=first.job))
    with pytest.raises(KeyReused):
        await ask(town, asked(town, content="a plate"))
    answers = await asyncio.gather(*(ask(town, asked(town)) for _ in range(5)))
    second = answers[0]
    assert second is not None
    assert answers == [second] * 5
    assert second.job != first.job
    assert {job.id for job in await jobs(town)} == {first.job, second.job}


async def test_a_key_is_free_again_after_its_day(store: OpenStore) -> None:
    town = await make_town(store=store)
    first = await ask(town, asked(town))
    town.clock.jump(KEEP_REQUESTS.total_seconds() + 1)
    again = await ask(town, asked(town, content="a plate"))
    assert again is not None
    assert first is not None
    assert again.job != first.job
    town.clock.jump(KEEP_REQUESTS.total_seconds() + 1)
    await prune(town.house)
    async with store.read() as tx:
        assert await tx.requests.get(again.person, again.key) is None


async def test_requests_go_with_the_person_who_is_erased(store: OpenStore) -> None:
    town = await make_town(store=store)
    kept = await ask(town, asked(town))
    assert kept is not None
    card = await town.say(ErasePerson(person=kept.person, sure=True), "ida")
    assert card.title == "Erased", card
    async with store.read() as tx:
        assert await tx.requests.get(kept.person, kept.key) is None
