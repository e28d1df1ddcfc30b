"""Clients that wait for their pictures: budgets, cancelling, hanging up, retries, brand checks."""

import asyncio
import threading

import httpx
import openai
import pytest

from bot.core.budget import Account, Budget, Scope
from bot.core.jobs import Job
from bot.core.lives import JobState
from tests.fakes.api import Api, Served, make_api
from tests.fakes.held import endless, held_back
from tests.fakes.studio import OFF_PALETTE, FakeStudio
from tests.fakes.waiting import ENOUGH_S, happened, until


async def jobs_of(api: Api) -> list[Job]:
    """All jobs, newest first."""
    async with api.portal.town.house.store.read() as tx:
        return list(await tx.jobs.recent(limit=1000))


async def asked(client: httpx.AsyncClient, words: str = "a red mug") -> httpx.Response:
    """What a client gets that waits for its picture."""
    return await client.post("/v1/images/generations", json={"prompt": words})


def program(api: Served, *, key: str = "") -> httpx.AsyncClient:
    """A client of the served API; with `key` all that it asks is the same request."""
    headers = {"authorization": f"Bearer {api.key}"}
    headers |= {"idempotency-key": key} if key else {}
    return httpx.AsyncClient(base_url=api.url, headers=headers, timeout=ENOUGH_S)


async def hung_up(asking: "asyncio.Task[httpx.Response]", *, once: threading.Event) -> None:
    """Break off the request once this has happened."""
    await happened(once)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_budget_without_room_answers_at_once_and_queues_nothing() -> None:
    api = await make_api()
    house = api.portal.town.house
    mia = api.portal.town.people["mia"].id
    account = Account(scope=Scope.PERSON.value, key=mia)
    async with house.store.write() as tx:
        await tx.budgets.put(
            Budget(
                scope=account.scope,
                key=account.key,
                brand="",
                pictures=0,
                cost=None,
                set_by=mia,
                set_at=house.clock.now(),
            )
        )
    async with api.client() as client, api.working():
        answer = await asked(client)
        assert answer.status_code == 429, answer.text
        assert answer.json()["error"]["code"] == "over_budget"
        assert int(answer.headers["retry-after"]) > 0
        queued = await client.post("/v1/jobs", json={"words": "a mug"})
        assert queued.status_code == 202, "a job may wait for next month; a client can't"
        assert queued.json()["held"]
    assert [job.state for job in await jobs_of(api)] == [JobState.QUEUED, JobState.CANCELLED]


async def test_a_client_that_hangs_up_cancels_its_job(api: Served) -> None:
    with endless(api.api.portal.town.renderer) as held:
        async with program(api) as client:
            asking = asyncio.create_task(asked(client))
            await hung_up(asking, once=held.begun)
        await happened(held.stopped)
    assert (await asyncio.to_thread(api.call, jobs_of(api.api)))[0].state is JobState.CANCELLED


async def test_who_waits_for_the_same_job_keeps_it_when_another_hangs_up(api: Served) -> None:
    streams = api.api.app.state.site.streams
    words = "a shared mug"
    with held_back(api.api.portal.town.renderer) as held:
        async with program(api, key="hung-up") as first, program(api, key="hung-up") as second:
            giving_up = asyncio.create_task(asked(first, words))
            await happened(held.begun)
            [job, *_] = await asyncio.to_thread(api.call, jobs_of(api.api))
            staying = asyncio.create_task(asked(second, words))
            await until(lambda: streams.others_wait(job.id))
            await hung_up(giving_up, once=held.begun)
            await until(lambda: not streams.others_wait(job.id))
            held.may_end.set()
            answer = await staying
    assert answer.status_code == 200, answer.text
    assert len(held.requests) == 1


async def test_a_retry_after_every_client_hung_up_gets_its_picture(api: Served) -> None:
    words = "a lone mug"
    async with program(api, key="again") as client:
        with endless(api.api.portal.town.renderer) as held:
            await hung_up(asyncio.create_task(asked(client, words)), once=held.begun)
            await happened(held.stopped)
        answer = await asked(client, words)
    assert answer.status_code == 200, answer.text


async def test_a_job_that_is_cancelled_elsewhere_ends_the_waiting() -> None:
    api = await make_api()
    async with api.client() as client, api.working():
        with held_back(api.portal.town.renderer) as held:
            waiting = asyncio.create_task(asked(client))
            await happened(held.begun)
            [job] = await jobs_of(api)
            assert (await client.delete(f"/v1/jobs/{job.id}")).status_code == 200
            held.may_end.set()
            answer = await waiting
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "cancelled")


async def test_a_server_that_stops_sends_its_clients_away_and_keeps_their_jobs() -> None:
    api = await make_api()
    async with api.client() as client, api.working():
        with held_back(api.portal.town.renderer) as held:
            waiting = asyncio.create_task(asked(client))
            await happened(held.begun)
            api.app.state.site.streams.stop()
            answer = await waiting
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            [job] = await jobs_of(api)
            assert job.id in answer.json()["error"]["message"]
            assert job.state is not JobState.CANCELLED


def test_a_retry_with_the_same_key_gets_the_same_pictures(api: Served) -> None:
    key = {"Idempotency-Key": "retry-1"}
    with openai.OpenAI(base_url=f"{api.url}/v1", api_key=api.key, max_retries=0) as client:
        first = client.images.generate(prompt="a cup", extra_headers=key)
        again = client.images.generate(prompt="a cup", extra_headers=key)
        assert again.data == first.data
        with pytest.raises(openai.UnprocessableEntityError, match="Idempotency-Key"):
            client.images.generate(prompt="a plate", extra_headers=key)


async def test_pictures_that_fail_the_brand_check_are_not_given_out() -> None:
    api = await make_api(studio=FakeStudio(OFF_PALETTE))
    async with api.client() as client, api.working():
        answer = await asked(client)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "brand_check_failed"
    assert "palette 12 %" in error["message"]
