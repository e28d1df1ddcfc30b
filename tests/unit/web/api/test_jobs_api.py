"""The native routes: asking, looking, cancelling, paging, following."""

import asyncio
from typing import Any

import httpx

from bot.core.lives import JobState
from tests.fakes.api import Api, make_api
from tests.fakes.event_stream import StreamedEvent, open_stream
from tests.fakes.held import held_back

PROBLEM = "application/problem+json"


async def ask(client: httpx.AsyncClient, words: str = "a red mug", **more: Any) -> dict[str, Any]:
    """A queued job."""
    answer = await client.post("/v1/jobs", json={"words": words, **more})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["href"]
    body: dict[str, Any] = answer.json()
    return body


async def jobs_of(api: Api) -> int:
    """How many there are."""
    async with api.portal.town.house.store.read() as tx:
        return len(await tx.jobs.recent(limit=1000))


async def test_a_job_is_asked_for_rendered_and_its_files_fetched() -> None:
    api = await make_api()
    async with api.client() as client:
        job = await ask(client, template="product", variables={"COLOR": "blue"}, n=2, seed=7)
        assert (job["state"], [item["seed"] for item in job["items"]]) == ("queued", [7, 8])
        await api.portal.town.settle()
        done = (await client.get(job["href"])).json()
        assert done["state"] == "done"
        [first, _] = [item["picture"] for item in done["items"]]
        picture = (await client.get(f"/v1/pictures/{first}")).json()
        assert picture["prompt"].startswith("a blue a red mug")
        assert picture["state"] == "candidate"
        for file in picture["files"]:
            data = await client.get(file["href"])
            assert len(data.content) == file["bytes"]
            assert data.headers["content-type"] == file["mime"]
            again = await client.get(file["href"], headers={"if-none-match": data.headers["etag"]})
            assert again.status_code == 304
        assert (await client.get(f"/v1/pictures/{first}/files/nothing")).status_code == 404


async def test_the_kit_is_the_same_for_programs_as_for_people() -> None:
    api = await make_api()
    async with api.client() as client:
        for body, field in (
            ({"words": "a cheap mug"}, "cheap"),
            ({"words": "x", "template": "prodct"}, "product"),
            ({"words": "x", "n": 50}, "n"),
            ({"words": "x", "aspect": "9:9"}, "1:1"),
            ({"words": ""}, "shows"),
        ):
            answer = await client.post("/v1/jobs", json=body)
            assert answer.status_code == 422, body
            assert answer.headers["content-type"] == PROBLEM
            assert field in answer.json()["detail"]
    assert await jobs_of(api) == 0


async def test_the_same_key_and_request_get_the_first_answer_and_one_job() -> None:
    api = await make_api()
    key = {"idempotency-key": "order-1"}
    body = {"words": "a red mug"}
    async with api.client() as client, api.client("ana") as other:
        first = await client.post("/v1/jobs", json=body, headers=key)
        await api.portal.town.settle()
        again = await client.post("/v1/jobs", json=body, headers=key)
        assert (again.status_code, again.json()) == (202, first.json())
        wrong = await client.post("/v1/jobs", json={"words": "a blue mug"}, headers=key)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "key_reused")
        assert (await other.post("/v1/jobs", json=body, headers=key)).json()["id"] != first.json()[
            "id"
        ], "keys are each person's own"
    assert await jobs_of(api) == 2


async def test_twenty_at_once_with_one_key_make_one_job() -> None:
    api = await make_api()
    async with api.client() as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    "/v1/jobs", json={"words": "a red mug"}, headers={"idempotency-key": "k"}
                )
                for _ in range(20)
            )
        )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await jobs_of(api) == 1


async def test_a_refused_request_keeps_no_key() -> None:
    api = await make_api()
    key = {"idempotency-key": "k"}
    async with api.client() as client:
        bad = await client.post("/v1/jobs", json={"words": "a cheap mug"}, headers=key)
        good = await client.post("/v1/jobs", json={"words": "a good mug"}, headers=key)
    assert (bad.status_code, good.status_code) == (422, 202)


async def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    api = await make_api()
    async with api.client() as client:
        wanted = [(await ask(client, f"mug {n}"))["id"] for n in range(7)][::-1]
        seen, cursor = [], ""
        while cursor is not None:
            page = (await client.get("/v1/jobs", params={"limit": 3, "cursor": cursor})).json()
            seen += [job["id"] for job in page["data"]]
            cursor = page["next"]
            if len(seen) == 3:
                await ask(client, "newer than the first page")
        assert seen == wanted
        first = (await client.get("/v1/jobs", params={"limit": 3})).json()["next"]
        for bad in ("x", first + "A", first[:-2], "é", "=" * 9):
            answer = await client.get("/v1/jobs", params={"cursor": bad})
            assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor"), bad
        other = await client.get("/v1/jobs", params={"cursor": first, "state": "done"})
        assert other.status_code == 422, "a cursor belongs to its filters"


async def test_pictures_are_listed_by_page_and_filter() -> None:
    api = await make_api()
    async with api.client() as client:
        job = await ask(client, n=3)
        await ask(client, "a blue cup")
        await api.portal.town.settle()
        page = (await client.get("/v1/pictures", params={"limit": 2})).json()
        rest = (
            await client.get("/v1/pictures", params={"limit": 2, "cursor": page["next"]})
        ).json()
        ids = [one["id"] for one in (*page["data"], *rest["data"])]
        assert len(set(ids)) == 4
        assert rest["next"] is None
        of_job = (await client.get("/v1/pictures", params={"job": job["id"]})).json()["data"]
        assert {one["job"] for one in of_job} == {job["id"]}
        assert len(of_job) == 3
        found = (await client.get("/v1/pictures", params={"q": "cup"})).json()["data"]
        assert [one["words"] for one in found] == ["a blue cup"]


async def test_a_job_is_cancelled_once() -> None:
    api = await make_api()
    async with api.client() as client, api.client("ana") as other:
        job = await ask(client)
        gone = await client.delete(job["href"])
        assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
        again = await client.delete(job["href"])
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        private = await ask(client, private=True)
        assert (await other.get(private["href"])).status_code == 404
        assert (await other.delete(private["href"])).status_code == 404


async def test_a_job_is_paused_and_goes_on_as_often_as_it_is_said() -> None:
    api = await make_api()
    async with api.client() as client, api.client("ana") as other:
        job = await ask(client)
        assert job["paused_at"] is None
        for _ in range(2):
            paused = await client.post(job["href"] + "/pause")
            assert (paused.status_code, paused.json()["state"]) == (200, "queued")
            assert paused.json()["paused_at"]
        for _ in range(2):
            resumed = await client.post(job["href"] + "/resume")
            assert (resumed.status_code, resumed.json()["paused_at"]) == (200, None)
        await client.delete(job["href"])
        for way in ("pause", "resume"):
            ended = await client.post(f"{job['href']}/{way}")
            assert (ended.status_code, ended.json()["code"]) == (409, "conflict")
        private = await ask(client, private=True)
        assert (await other.post(private["href"] + "/pause")).status_code == 404


async def test_the_events_of_a_job_tell_of_progress_and_of_its_end() -> None:
    api = await make_api()
    async with api.client() as client:
        job = await ask(client)
        events = await followed(api, client, job)
        kinds = [event.kind for event in events]
        assert (kinds[0], kinds[-1]) == ("state", "done")
        assert "progress" in kinds
        assert events[-1].data["state"] == JobState.DONE
        async with open_stream(api.portal.app, job["events"], client.headers) as late:
            told = [await late.next(), await late.next()]
            assert [event.kind for event in told if event] == ["state", "done"]
            assert await late.next() is None
        seen = {"last-event-id": events[-1].id}
        assert (await client.get(job["events"], headers=seen)).status_code == 204


async def followed(api: Api, client: httpx.AsyncClient, job: dict[str, Any]) -> list[StreamedEvent]:
    """All events of a job that is rendered once somebody follows it, and whose picture is ready
    once its progress was told."""
    events: list[StreamedEvent] = []
    async with open_stream(api.portal.app, job["events"], client.headers) as stream:
        events += filter(None, [await stream.next()])
        assert stream.headers["content-type"].startswith("text/event-stream")
        with held_back(api.portal.town.renderer) as held:
            async with api.working():
                while event := await stream.next():
                    events.append(event)
                    if event.kind == "progress":
                        held.may_end.set()
    return events


async def test_a_picture_goes_to_approval_and_is_voted_on() -> None:
    api = await make_api()
    async with api.client() as client, api.client("ana") as approver:
        job = await ask(client)
        await api.portal.town.settle()
        picture = (await client.get(job["href"])).json()["items"][0]["picture"]
        refused = await client.post(
            f"/v1/pictures/{picture}/approval", json={"caption": "So cheap!"}
        )
        assert (refused.status_code, "tone rule 4" in refused.text) == (422, True)
        sent = await client.post(
            f"/v1/pictures/{picture}/approval", json={"channel": "#social", "caption": "New!"}
        )
        assert (sent.status_code, sent.json()["state"]) == (201, "open")
        review = sent.json()["id"]
        assert [one["id"] for one in (await approver.get("/v1/reviews")).json()["data"]] == [review]
        own = await client.post(f"/v1/reviews/{review}/votes", json={"answer": "approve"})
        assert own.status_code == 403, "nobody approves without the right"
        voted = await approver.post(f"/v1/reviews/{review}/votes", json={"answer": "approve"})
        assert (voted.status_code, voted.json()["outcome"]) == (201, "approve")
        twice = await approver.post(f"/v1/reviews/{review}/votes", json={"answer": "approve"})
        assert twice.status_code == 409
        again = await client.post(f"/v1/pictures/{picture}/approval", json={})
        assert again.status_code == 409
        assert (await client.get(f"/v1/pictures/{picture}")).json()["state"] == "approved"


async def test_brands_and_usage_are_told_to_their_members() -> None:
    api = await make_api()
    async with api.client() as client:
        await ask(client)
        await api.portal.town.settle()
        [brand] = (await client.get("/v1/brands")).json()["data"]
        assert brand["id"] == "acme"
        assert brand["templates"][0]["variables"][0]["values"] == ["red", "blue"]
        assert (await client.get("/v1/brands/acme")).json() == brand
        assert (await client.get("/v1/brands/other")).status_code == 404
        use = (await client.get("/v1/usage")).json()
        assert (use["brand"], use["total"]["pictures"]) == ("acme", 1)
