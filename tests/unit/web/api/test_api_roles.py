"""Every native route × whose key it is and what the key is for: what each gets, in ONE table."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from bot.core.access import issue
from bot.core.api_keys import Scope
from bot.core.people import KeyKind, Person, Role
from tests.fakes.api import EVERY, Api, make_api
from tests.fakes.portal import add_person
from tests.fakes.town import person

COLUMNS = {
    "none": "no key",
    "bad": "a key that is none",
    "left": "a member who was let out",
    "read": "the requester's key for reading alone",
    "submit": "the requester's key for submitting alone",
    "review": "the approver's key for reviewing alone",
    "req": "the requester's key",
    "colleague": "another requester of Acme",
    "appr": "an approver of Acme",
    "other": "a requester of another brand",
}
TABLE = """
ROUTE                                    none bad left read submit review req colleague appr other
GET /v1/jobs                             401 401 401 200 403 403 200 200 200 200
POST /v1/jobs                            401 401 401 403 202 403 202 202 403 403
GET /v1/jobs/{job}                       401 401 401 200 403 403 200 404 200 404
GET /v1/jobs/{job}/events                401 401 401 200 403 403 200 404 200 404
DELETE /v1/jobs/{job}                    401 401 401 403 409 403 409 404 409 404
POST /v1/jobs/{job}/pause                401 401 401 403 409 403 409 404 409 404
POST /v1/jobs/{job}/resume               401 401 401 403 409 403 409 404 409 404
GET /v1/pictures                         401 401 401 200 403 403 200 200 200 200
GET /v1/pictures/{picture}               401 401 401 200 403 403 200 200 200 404
GET /v1/pictures/{picture}/files/master  401 401 401 200 403 403 200 200 200 404
POST /v1/pictures/{picture}/approval     401 401 401 403 409 403 409 403 409 404
PUT /v1/inputs                           401 401 401 403 422 403 422 422 403 403
GET /v1/brands                           401 401 401 200 403 403 200 200 200 200
GET /v1/brands/acme                      401 401 401 200 403 403 200 200 200 404
GET /v1/models                           401 401 401 200 403 403 200 200 200 200
GET /v1/models/acme                      401 401 401 200 403 403 200 200 200 404
GET /v1/reviews                          401 401 401 200 403 403 200 200 200 200
GET /v1/reviews/{review}                 401 401 401 200 403 403 200 200 200 404
POST /v1/reviews/{review}/votes          401 401 401 403 403 201 403 403 201 404
GET /v1/usage?brand=acme                 401 401 401 200 403 403 200 200 200 404
POST /v1/images/generations              401 401 401 403 422 403 422 422 403 404
POST /v1/images/edits                    401 401 401 403 422 403 422 422 422 422
POST /sdapi/v1/txt2img                   401 401 401 403 422 403 422 422 403 404
POST /sdapi/v1/img2img                   401 401 401 403 422 403 422 422 422 422
GET /sdapi/v1/progress                   401 401 401 200 403 403 200 200 200 200
POST /sdapi/v1/interrupt                 401 401 401 403 200 403 200 200 200 200
GET /v1/openapi.json                     200 200 200 200 200 200 200 200 200 200
"""
BODIES = {
    "POST /v1/jobs": {"words": "a mug", "brand": "acme"},
    "POST /v1/pictures/{picture}/approval": {},
    "POST /v1/reviews/{review}/votes": {"answer": "reject", "reason": "too dark"},
    "POST /v1/images/generations": {"prompt": "a cheap mug", "model": "acme"},
    "POST /sdapi/v1/txt2img": {
        "prompt": "a cheap mug",
        "override_settings": {"sd_model_checkpoint": "acme"},
    },
}


def member(name: str, role: Role, brand: str = "acme") -> Person:
    """Someone with one role in one brand."""
    return replace(person(name), roles=((brand, role),))


async def world() -> tuple[Api, dict[str, str]]:
    """A private job's neighbour in review: what the routes' paths name."""
    api = await make_api()
    for one in (
        member("Req", Role.REQUESTER),
        member("Colleague", Role.REQUESTER),
        member("Appr", Role.APPROVER),
        member("Other", Role.REQUESTER, "beta"),
        member("Left", Role.REQUESTER),
    ):
        await add_person(api.portal, one)
    review = await api.portal.review(who="req")
    async with api.portal.town.house.store.read() as tx:
        asset = await tx.assets.get(review.asset)
    # The job itself was asked for in private, so colleagues see its picture in review alone.
    async with api.portal.town.house.store.write() as tx:
        job = await tx.jobs.get(asset.job)
        await tx.jobs.update(replace(job, origin=None), was=job)
    return api, {"job": asset.job, "picture": asset.id, "review": review.id}


async def key_for(api: Api, column: str) -> str:
    """The key of a column."""
    alone = {"read": Scope.READ, "submit": Scope.SUBMIT, "review": Scope.REVIEW}
    if column in alone:
        who = "appr" if column == "review" else "req"
        return await api.key(who, (alone[column].value,))
    if column == "none":
        return ""
    if column == "bad":
        return "hs_" + "0" * 22 + "_secret"
    key = await api.key(column, EVERY)
    if column == "left":
        async with api.portal.town.house.store.write() as tx:
            stored = await tx.people.get(api.portal.town.people["left"].id)
            await tx.people.update(replace(stored, active=False), was=stored)
    return key


async def ask(client: httpx.AsyncClient, route: str, names: dict[str, str]) -> httpx.Response:
    """What a route answers."""
    method, _, path = route.partition(" ")
    return await client.request(method, path.format(**names), json=BODIES.get(route))


@pytest.mark.parametrize("column", COLUMNS)
async def test_every_key_gets_what_the_table_says(column: str) -> None:
    api, names = await world()
    head, *lines = (line.split() for line in TABLE.strip().splitlines())
    assert head[1:] == list(COLUMNS)
    wrong = []
    async with api.client(key=await key_for(api, column)) as client:
        # Deciding the review comes last: the others look at it while it is open.
        for method, path, *statuses in sorted(lines, key=lambda line: "votes" in line[1]):
            route = f"{method} {path}"
            got = await ask(client, route, names)
            wanted = int(statuses[list(COLUMNS).index(column)])
            if got.status_code != wanted:
                wrong.append(f"{route}: got {got.status_code}, not {wanted}: {got.text[:200]}")
            if got.status_code == 401:
                assert got.headers["www-authenticate"].startswith("Bearer")
    assert not wrong, COLUMNS[column] + "\n" + "\n".join(wrong)


async def test_a_session_is_no_key_and_a_cookie_opens_nothing() -> None:
    api, _ = await world()
    house = api.portal.town.house
    async with house.store.write() as tx:
        secret = await issue(
            tx, house.clock, api.portal.town.people["req"].id, KeyKind.SESSION, timedelta(days=1)
        )
    async with api.client(key="") as client:
        client.cookies.set("housestyle", secret)
        assert (await client.get("/v1/jobs")).status_code == 401
        bearer = {"authorization": f"Bearer hs_{secret.replace('.', '_')}"}
        assert (await client.get("/v1/jobs", headers=bearer)).status_code == 401


async def test_a_page_of_another_site_is_refused_with_a_good_key_too() -> None:
    api, _ = await world()
    async with api.client("req") as client:
        for site, status in (("cross-site", 403), ("same-site", 403), ("none", 202)):
            answer = await client.post(
                "/v1/jobs", json={"words": "a mug"}, headers={"sec-fetch-site": site}
            )
            assert answer.status_code == status, site
