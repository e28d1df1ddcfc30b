"""Requests from elsewhere: six header sets × every route of the portal that may change something.

The routes come from the application itself, so that a new one is tried from its first day.
"""

import logging

import httpx
import pytest

from bot.core.ids import new_id
from bot.web.api.guard import is_api
from tests.fakes.portal import ORIGIN
from tests.unit.web.test_roles import LAST, World, browser_of, make_world, routes_of

ELSEWHERE = {
    "another site, by a browser that says so": {
        "sec-fetch-site": "cross-site",
        "origin": "https://evil.test",
    },
    "another port or subdomain": {
        "sec-fetch-site": "same-site",
        "origin": "http://other.portal.test",
    },
    "an old browser that names the other site": {"origin": "https://evil.test"},
    "a sandboxed frame": {"origin": "null"},
    "nothing but where it came from": {"referer": "https://evil.test/"},
    "a browser that was told to say we asked, from another origin": {
        "sec-fetch-site": "none",
        "origin": ORIGIN,
    },
}
OURS = ({"sec-fetch-site": "same-origin"}, {"origin": ORIGIN})


async def changing(world: World) -> list[str]:
    """Every route that takes something else than GET."""
    found = [route for route in routes_of(world.portal.app) if route[:4] != "GET "]
    assert len(found) > 20
    return sorted(found, key=lambda route: (route in LAST, route))


async def traces(world: World) -> tuple[object, ...]:
    """What a command leaves behind."""
    house = world.portal.town.house
    async with house.store.read() as tx:
        events = [event.id for event in await tx.ledger.recent(limit=500)]
        people = tuple(await tx.people.all())
        jobs = tuple(job.id for job in await tx.jobs.unfinished())
    return (events, people, jobs)


@pytest.mark.parametrize("where", ELSEWHERE)
async def test_nothing_from_elsewhere_is_carried_out(where: str) -> None:
    world = await make_world()
    async with browser_of(world, "admin"):
        client = world.browsers["admin"]
        del client.headers["sec-fetch-site"]
        client.headers.update(ELSEWHERE[where])
        before = await traces(world)
        for route in await changing(world):
            answer = await world.request("admin", route)
            if is_api(route.partition(" ")[2]):  # keys alone count there, no browser's session
                assert answer.status_code in (401, 403), route
                continue
            assert answer.status_code == 403, route
            assert "came from somewhere else" in answer.text, route
            assert "set-cookie" not in answer.headers, route
        assert await traces(world) == before
        client.headers.update({"sec-fetch-site": "same-origin"})
        assert (await client.get("/queue")).status_code == 200


@pytest.mark.parametrize("headers", OURS)
async def test_our_own_pages_are_let_through(headers: dict[str, str]) -> None:
    world = await make_world()
    async with browser_of(world, "admin"):
        client = world.browsers["admin"]
        del client.headers["sec-fetch-site"]
        client.headers.update(headers)
        for route in await changing(world):
            answer = await world.request("admin", route)
            assert "came from somewhere else" not in answer.text, route


@pytest.mark.parametrize("origin", ["http://portal.test.evil.test", "http://evil.test:80", "//x"])
async def test_an_origin_that_only_looks_like_ours_is_not(origin: str) -> None:
    world = await make_world()
    async with browser_of(world, "admin"):
        client = world.browsers["admin"]
        del client.headers["sec-fetch-site"]
        answer = await client.post("/act", data={"action": "x"}, headers={"origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
)
async def test_every_other_method_is_asked_where_it_comes_from(method: str) -> None:
    world = await make_world()
    transport = httpx.ASGITransport(app=world.portal.app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        assert (await client.request(method, "/queue")).status_code == 403


async def test_reading_changes_nothing() -> None:
    """No GET is a command: a picture or a link on another page could give it."""
    world = await make_world()
    async with browser_of(world, "admin"):
        before = await traces(world)
        for route in routes_of(world.portal.app):
            if route[:4] == "GET ":
                await world.request("admin", route)
        assert await traces(world) == before


async def test_a_refused_request_leaves_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = await make_world()
    async with browser_of(world, "admin"):
        caplog.set_level(logging.WARNING)
        client = world.browsers["admin"]
        await client.post(
            "/act", data={"action": f"cancel:{new_id()}"}, headers={"sec-fetch-site": "cross-site"}
        )
    assert "guard.foreign" in [getattr(record, "action", "") for record in caplog.records]
