"""Clients that wait for their pictures: budgets, cancelling, hanging up, retries, brand checks."""

import asyncio
import threading
from collections.abc import Callable

import httpx
import openai
import pytest

from bot.core.budget import Account, Budget, Scope
from bot.core.jobs import Job
from bot.core.lives import JobState
from brand.spec import RenderRequest
from tests.fakes.api import Api, Served, make_api
from tests.fakes.studio import OFF_PALETTE, FakeStudio
from tests.fakes.waiting import until

PROMPT = {"prompt": "a red mug"}


async def jobs_of(api: Api) -> list[Job]:
    """All jobs, newest first."""
    async with api.portal.town.house.store.read() as tx:
        return list(await tx.jobs.recent(limit=1000))


async def slow(api: Api, release: asyncio.Event) -> Callable[[], bool]:
    """Renders wait for `release`; whether one has begun."""
    begun = asyncio.Event()

    async def wait(_: RenderRequest) -> None:
        begun.set()
        await release.wait()

    api.portal.town.renderer.before_picture = wait
    return begun.is_set


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
        answer = await client.post("/v1/images/generations", json=PROMPT)
        assert answer.status_code == 429, answer.text
        assert answer.json()["error"]["code"] == "over_budget"
        assert int(answer.headers["retry-after"]) > 0
        queued = await client.post("/v1/jobs", json={"words": "a mug"})
        assert queued.status_code == 202, "a job may wait for next month; a client can't"
        assert queued.json()["held"]
    assert [job.state for job in await jobs_of(api)] == [JobState.QUEUED, JobState.CANCELLED]


async def test_a_client_that_hangs_up_cancels_its_job(api: Served) -> None:
    town, ended = api.api.portal.town, threading.Event()

    async def until_cancelled(request: RenderRequest) -> None:
        while request.render_id not in town.renderer.cancelled:  # noqa: ASYNC110 - plain state
            await asyncio.sleep(0.05)
        ended.set()

    town.renderer.before_picture = until_cancelled
    headers = {"authorization": f"Bearer {api.key}"}
    async with httpx.AsyncClient(base_url=api.url, headers=headers) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/v1/images/generations", json=PROMPT, timeout=0.3)
    assert await asyncio.to_thread(ended.wait, 10)
    town.renderer.before_picture = lambda _: None
    assert (await asyncio.to_thread(api.call, jobs_of(api.api)))[0].state is JobState.CANCELLED


async def test_who_waits_for_the_same_job_keeps_it_when_another_hangs_up(api: Served) -> None:
    town, renders = api.api.portal.town, list[RenderRequest]()
    open_streams = api.api.app.state.site.streams

    async def until_one_waits(request: RenderRequest) -> None:
        renders.append(request)
        while open_streams.open < 2:  # noqa: ASYNC110 - plain state
            await asyncio.sleep(0.01)
        while open_streams.open > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    town.renderer.before_picture = until_one_waits
    headers = {"authorization": f"Bearer {api.key}", "idempotency-key": "hung-up"}
    ask = {"url": "/v1/images/generations", "json": {"prompt": "a shared mug"}}
    async with (
        httpx.AsyncClient(base_url=api.url, headers=headers) as first,
        httpx.AsyncClient(base_url=api.url, headers=headers) as second,
    ):
        given_up = asyncio.create_task(first.post(**ask, timeout=1.5))  # type: ignore[arg-type]
        await asyncio.sleep(0.3)
        answer = await second.post(**ask, timeout=20)  # type: ignore[arg-type]
        with pytest.raises(httpx.ReadTimeout):
            await given_up
    town.renderer.before_picture = lambda _: None
    assert answer.status_code == 200, answer.text
    assert len(renders) == 1


async def test_a_retry_after_every_client_hung_up_gets_its_picture(api: Served) -> None:
    town, cancelled = api.api.portal.town, threading.Event()

    async def until_cancelled(request: RenderRequest) -> None:
        while request.render_id not in town.renderer.cancelled:  # noqa: ASYNC110 - plain state
            await asyncio.sleep(0.05)
        cancelled.set()

    town.renderer.before_picture = until_cancelled
    headers = {"authorization": f"Bearer {api.key}", "idempotency-key": "again"}
    ask = {"url": "/v1/images/generations", "json": {"prompt": "a lone mug"}}
    async with httpx.AsyncClient(base_url=api.url, headers=headers) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(**ask, timeout=0.3)  # type: ignore[arg-type]
        assert await asyncio.to_thread(cancelled.wait, 10)
        town.renderer.before_picture = lambda _: None
        answer = await client.post(**ask, timeout=20)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text


async def test_a_job_that_is_cancelled_elsewhere_ends_the_waiting() -> None:
    api, release = await make_api(), asyncio.Event()
    begun = await slow(api, release)
    async with api.client() as client, api.working():
        waiting = asyncio.create_task(client.post("/v1/images/generations", json=PROMPT))
        await until(begun)
        [job] = await jobs_of(api)
        assert (await client.delete(f"/v1/jobs/{job.id}")).status_code == 200
        release.set()
        answer = await waiting
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "cancelled")


async def test_a_server_that_stops_sends_its_clients_away_and_keeps_their_jobs() -> None:
    api, release = await make_api(), asyncio.Event()
    begun = await slow(api, release)
    async with api.client() as client, api.working():
        waiting = asyncio.create_task(client.post("/v1/images/generations", json=PROMPT))
        await until(begun)
        api.app.state.site.streams.stop()
        answer = await waiting
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        [job] = await jobs_of(api)
        assert job.id in answer.json()["error"]["message"]
        assert job.state is not JobState.CANCELLED
        release.set()


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
        answer = await client.post("/v1/images/generations", json=PROMPT)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "brand_check_failed"
    assert "palette 12 %" in error["message"]
