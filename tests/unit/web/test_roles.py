"""Every route of the portal × every role: what each gets, in ONE table.

The routes come from the application itself. A route without a row fails: add a line to TABLE
(and, if it takes a form, what a good one holds to FORMS; if its path has a new parameter, an
example to `World.examples`). Then look at the line again: is it what that role SHOULD get?

Statuses of commands are 303 for every member: who may not do it reads so on the page that one
goes back to. Those rules are tested where they live (tests/unit/core, tests/scenario).
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from bot.core.access import issue
from bot.core.api_keys import create
from bot.core.caller import Caller
from bot.core.cards import shown_blob
from bot.core.people import ANY_BRAND, KeyKind, Person, Role
from bot.web.api.guard import is_api
from bot.web.portal import stop_streams
from bot.web.signing_in.providers import discord
from tests.fakes.portal import ORIGIN, Portal, add_person, make_portal
from tests.fakes.sign_in import offer
from tests.fakes.town import KIT, person

COLUMNS = {
    "none": "nobody is signed in",
    "req": "requester of Acme",
    "appr": "approver of Acme",
    "mngr": "brand manager of Acme",
    "admin": "admin",
    "audit": "auditor of Acme",
    "other": "requester of another brand",
    "left": "a member who was let out, with the session from before",
    "key": "an admin's API key with the scope `read`",
    "bare": "an admin's API key without it",
}
TABLE = """
ROUTE                                        none req  appr mngr admin audit other left key  bare
GET  /enter                                  200  200  200  200  200   200   200   200  200  200
POST /enter                                  403  403  403  403  403   403   403   403  403  403
POST /leave                                  303  303  303  303  303   303   303   303  303  303
GET  /signed-out                             200  200  200  200  200   200   200   200  200  200
GET  /healthz                                200  200  200  200  200   200   200   200  200  200
GET  /readyz                                 200  200  200  200  200   200   200   200  200  200
GET  /metrics                                404  404  404  404  404   404   404   404  404  404
GET  /metrics/generation                     404  404  404  404  404   404   404   404  404  404
GET  /sign-in                                200  200  200  200  200   200   200   200  200  200
POST /sign-in/{way}                          200  200  200  200  200   200   200   200  200  200
GET  /sign-in/{way}/callback                 403  403  403  403  403   403   403   403  403  403
GET  /static/{version}/{name:path}           200  200  200  200  200   200   200   200  200  200
GET  /                                       401  303  303  303  303   303   303   401  401  401
GET  /more                                   401  200  200  200  200   200   200   401  401  401
POST /theme                                  401  303  303  303  303   303   303   401  401  401
POST /brand                                  401  303  303  303  303   303   303   401  401  401
GET  /theme/{kit_hash}.css                   401  200  200  200  200   200   200   401  401  401
GET  /chat                                   401  303  303  303  303   303   303   401  401  401
GET  /chat/{slug}                            401  200  200  200  200   200   404   401  401  401
POST /chat/{slug}                            401  303  303  303  303   303   404   401  401  401
GET  /chat/{slug}/messages                   401  200  200  200  200   200   404   401  401  401
GET  /chat/{slug}/messages/{message}         401  200  200  200  200   200   404   401  401  401
POST /chat/{slug}/messages/{message}/react   401  303  303  303  303   303   404   401  401  401
GET  /chat/{slug}/words                      401  200  200  200  200   200   404   401  401  401
POST /act                                    401  303  303  303  303   303   303   401  401  401
GET  /events                                 401  200  200  200  200   200   200   401  401  401
GET  /queue                                  401  200  200  200  200   200   200   401  401  401
GET  /jobs/{job_id}/preview.jpg              401  204  204  204  204   204   404   401  401  401
GET  /gallery                                401  200  200  200  200   200   200   401  401  401
GET  /pictures/{asset_id}                    401  200  200  200  200   200   404   401  401  401
GET  /pictures/{asset_id}/recipe.json        401  200  200  200  200   200   404   401  200  403
GET  /files/{sha256}                         401  200  200  200  200   200   404   401  200  403
GET  /review                                 401  200  303  303  303   303   200   401  401  401
GET  /review/count                           401  200  200  200  200   200   200   401  200  403
GET  /review/{review_id}                     401  200  200  200  200   200   404   401  401  401
GET  /calendar                               401  200  200  200  200   200   200   401  401  401
POST /calendar/move                          401  303  303  303  303   303   303   401  401  401
POST /calendar/approve                       401  303  303  303  303   303   303   401  401  401
GET  /calendar/new                           401  403  403  200  200   403   403   401  401  401
GET  /calendar/new/words                     401  403  403  200  200   403   403   401  401  401
POST /calendar/new                           401  403  403  303  303   403   403   401  401  401
GET  /brands                                 401  303  303  303  200   303   303   401  401  401
GET  /brands/{brand_id}                      401  200  200  200  200   200   404   401  401  401
GET  /people                                 401  200  200  200  200   200   200   401  401  401
GET  /people/invite                          401  303  303  303  303   303   303   401  401  401
POST /people/invite                          401  303  303  200  200   303   303   401  401  401
GET  /people/{person_id}/{what}              401  303  303  303  303   303   303   401  401  401
POST /people/{person_id}/invitation          401  403  403  200  200   403   403   401  401  401
POST /people/{person_id}/role                401  303  303  303  303   303   303   401  401  401
POST /people/{person_id}/team                401  303  303  303  303   303   303   401  401  401
POST /people/{person_id}/active              401  303  303  303  303   303   303   401  401  401
POST /people/{person_id}/block               401  303  303  303  303   303   303   401  401  401
POST /people/{person_id}/unlink              401  303  303  303  303   303   303   401  401  401
POST /people/{person_id}/erase               401  422  422  422  422   422   422   401  401  401
GET  /account                                401  200  200  200  200   200   200   401  401  401
POST /account/code                           401  303  303  303  303   303   303   401  401  401
POST /account/connect/{way}                  401  200  200  200  200   200   200   401  401  401
POST /account/unlink                         401  303  303  303  303   303   303   401  401  401
POST /account/sessions/end                   401  404  404  404  404   404   404   401  401  401
POST /account/sessions/end-others            401  303  303  303  303   303   303   401  401  401
GET  /account/keys                           401  303  303  303  303   303   303   401  401  401
POST /account/keys                           401  200  200  200  200   200   200   401  401  401
POST /account/keys/revoke                    401  404  404  404  404   404   404   401  401  401
GET  /usage                                  401  200  200  200  200   200   200   401  401  401
GET  /usage/budget                           401  303  303  303  303   303   303   401  401  401
POST /usage/budget                           401  303  303  303  303   303   303   401  401  401
GET  /audit                                  401  403  403  403  200   200   403   401  401  401
GET  /audit/export                           401  403  403  403  200   403   403   401  401  401
POST /audit/check                            401  403  403  403  303   403   403   401  401  401
GET  /health                                 401  200  200  200  200   200   200   401  401  401
POST /v1/jobs                                401  401  401  401  401  401   401   401  403  422
GET  /v1/jobs                                401  401  401  401  401  401   401   401  200  403
GET  /v1/jobs/{job_id}                       401  401  401  401  401  401   401   401  200  403
DELETE /v1/jobs/{job_id}                     401  401  401  401  401  401   401   401  403  409
POST /v1/jobs/{job_id}/pause                 401  401  401  401  401  401   401   401  403  409
POST /v1/jobs/{job_id}/resume                401  401  401  401  401  401   401   401  403  409
GET  /v1/jobs/{job_id}/events                401  401  401  401  401  401   401   401  200  403
GET  /v1/pictures                            401  401  401  401  401  401   401   401  200  403
GET  /v1/pictures/{picture_id}               401  401  401  401  401  401   401   401  200  403
GET  /v1/pictures/{picture_id}/files/{transform} 401  401  401  401  401  401   401   401  200  403
POST /v1/pictures/{picture_id}/approval      401  401  401  401  401  401   401   401  403  422
PUT  /v1/inputs                              401  401  401  401  401  401   401   401  403  403
GET  /v1/brands                              401  401  401  401  401  401   401   401  200  403
GET  /v1/brands/{brand_id}                   401  401  401  401  401  401   401   401  200  403
GET  /v1/reviews                             401  401  401  401  401  401   401   401  200  403
GET  /v1/reviews/{review_id}                 401  401  401  401  401  401   401   401  200  403
POST /v1/reviews/{review_id}/votes           401  401  401  401  401  401   401   401  403  403
GET  /v1/usage                               401  401  401  401  401  401   401   401  422  403
GET  /v1/models                              401  401  401  401  401  401   401   401  200  403
GET  /v1/models/{model_id:path}              401  401  401  401  401  401   401   401  200  403
POST /v1/images/generations                  401  401  401  401  401  401   401   401  403  422
POST /v1/images/edits                        401  401  401  401  401  401   401   401  403  422
POST /sdapi/v1/txt2img                       401  401  401  401  401  401   401   401  403  422
POST /sdapi/v1/img2img                       401  401  401  401  401  401   401   401  403  422
GET  /sdapi/v1/progress                      401  401  401  401  401  401   401   401  200  403
POST /sdapi/v1/interrupt                     401  401  401  401  401  401   401   401  403  200
POST /sdapi/v1/skip                          401  401  401  401  401  401   401   401  403  200
GET  /sdapi/v1/options                       401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/sd-models                     401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/samplers                      401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/schedulers                    401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/loras                         401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/prompt-styles                 401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/upscalers                     401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/latent-upscale-modes          401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/embeddings                    401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/sd-vae                        401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/hypernetworks                 401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/face-restorers                401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/scripts                       401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/cmd-flags                     401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/memory                        401  401  401  401  401  401   401   401  200  403
POST /sdapi/v1/options                       401  401  401  401  401  401   401   401  403  422
POST /sdapi/v1/refresh-checkpoints           401  401  401  401  401  401   401   401  200  403
GET  /sdapi/v1/realesrgan-models             401  401  401  401  401  401   401   401  200  403
POST /sdapi/v1/png-info                      401  401  401  401  401  401   401   401  422  403
POST /sdapi/v1/extra-single-image            401  401  401  401  401  401   401   401  422  403
POST /sdapi/v1/extra-batch-images            401  401  401  401  401  401   401   401  422  403
POST /sdapi/v1/interrogate                   401  401  401  401  401  401   401   401  422  403
GET  /controlnet/version                     401  401  401  401  401  401   401   401  200  403
GET  /controlnet/model_list                  401  401  401  401  401  401   401   401  200  403
GET  /controlnet/module_list                 401  401  401  401  401  401   401   401  200  403
POST /controlnet/detect                      401  401  401  401  401  401   401   401  422  403
POST /controlnet/txt2img                     401  401  401  401  401  401   401   401  422  403
POST /controlnet/img2img                     401  401  401  401  401  401   401   401  422  403
GET  /v1/openapi.json                        200  200  200  200  200  200   200   200  200  200
"""
FORMS: dict[str, dict[str, str]] = {
    "POST /act": {"action": "cancel:{job_id}"},
    "POST /brand": {"brand": "acme"},
    "POST /theme": {"theme": "dark"},
    "POST /chat/{slug}": {"text": "hello"},
    "POST /chat/{slug}/messages/{message}/react": {"emoji": "x", "on": "yes"},
    "POST /calendar/move": {"slot": "{some_id}", "day": "2026-03-09", "at": "09:00"},
    "POST /calendar/approve": {"vote": "{review_id}.{some_id}"},
    "POST /calendar/new": {"line": "every Monday 9:00 UTC"},
    "POST /people/invite": {"name": "Eve", "role": "requester", "brand": "acme"},
    "POST /people/{person_id}/role": {"role": "approver", "brand": "acme"},
    "POST /people/{person_id}/team": {"team": "design"},
    "POST /people/{person_id}/active": {"active": "yes"},
    "POST /people/{person_id}/block": {"blocked": "no"},
    "POST /people/{person_id}/erase": {"typed": "Nobody"},
    "POST /people/{person_id}/unlink": {"platform": "slack"},
    "POST /usage/budget": {"scope": "brand", "pictures": "100000"},
    "POST /account/unlink": {"platform": "slack"},
    "POST /account/sessions/end": {"session": "{some_id}"},
    "POST /account/keys": {"label": "x", "scope": "read", "days": "1"},
    "POST /account/keys/revoke": {"key": "{some_id}"},
    "POST /enter": {"key": "x"},
}
QUERIES = {"GET /files/{sha256}": "?of={asset_id}"}
LAST = ("POST /account/sessions/end-others", "POST /enter", "POST /leave")
"""Those that end the session by which the others are tried."""


@dataclass
class World:
    """Acme with a picture in review, Beta, and somebody for each column."""

    portal: Portal
    examples: dict[str, str]
    """An example for each parameter of a path or form."""
    browsers: dict[str, httpx.AsyncClient]

    async def request(self, column: str, route: str) -> httpx.Response:
        """What this role gets there."""
        method, _, path = route.partition(" ")
        address = self._filled(path + QUERIES.get(route, ""))
        form = {name: self._filled(value) for name, value in FORMS.get(route, {}).items()}
        return await self.browsers[column].request(
            method, address, data=form if method == "POST" else None
        )

    def _filled(self, text: str) -> str:
        def example(found: re.Match[str]) -> str:
            assert found[1] in self.examples, (
                f"`{text}` has a parameter without an example: add {found[1]!r} to `examples`"
            )
            return self.examples[found[1]]

        return re.sub(r"\{(\w+)(?::path)?\}", example, text)


async def make_world() -> World:
    """Everything there is to look at."""
    portal = await make_portal(more_kits=(replace(KIT, id="beta", name="Beta", channels=()),))
    offer(portal, discord(client_id="x", client_secret="y", address="http://127.0.0.1:9"))
    for column, role in MEMBERS.items():
        await add_person(portal, replace(person(column), roles=(role,)))
    await add_person(
        portal, replace(person("Noa"), roles=(("acme", Role.REQUESTER),), identities=())
    )
    review = await portal.review()
    house = portal.town.house
    async with house.store.read() as tx:
        asset = await tx.assets.get(review.asset)
        kit = await tx.kits.current("acme")
        talk = await house.timeline.page("drafts", user="req")
    stop_streams(portal.app)  # so that the stream of events ends at once
    return World(
        portal=portal,
        browsers={},
        examples={
            "slug": "drafts",
            "message": talk[0].id,
            "asset_id": asset.id,
            "review_id": review.id,
            "job_id": asset.job,
            "brand_id": "acme",
            "kit_hash": kit.hash,
            "sha256": shown_blob(asset),
            "version": "0",
            "name": "app.css",
            "way": "discord",
            "person_id": portal.town.people["noa"].id,
            "what": "role",
            "some_id": "0" * 22,
            "picture_id": asset.id,
            "transform": "master",
            "model_id": "acme",
        },
    )


MEMBERS: dict[str, tuple[str, Role]] = {
    "req": ("acme", Role.REQUESTER),
    "appr": ("acme", Role.APPROVER),
    "mngr": ("acme", Role.BRAND_MANAGER),
    "admin": (ANY_BRAND, Role.ADMIN),
    "audit": ("acme", Role.AUDITOR),
    "other": ("beta", Role.REQUESTER),
    "left": ("acme", Role.REQUESTER),
}


@asynccontextmanager
async def browser_of(world: World, column: str) -> AsyncIterator[None]:
    """A browser, or a script with a key, for this column."""
    portal = world.portal
    async with portal.browser(column if column in MEMBERS else "") as client:
        if column == "left":
            await let_out(portal, portal.town.people["left"])
        if column in ("key", "bare"):
            admin = portal.town.people["admin"]
            caller = Caller(person=admin, actor=portal.town.actor("admin"))
            scope = "read" if column == "key" else "submit"
            _, key = await create(portal.town.house, caller, label="x", scopes=(scope,))
            client.headers["authorization"] = f"Bearer {key}"
        world.browsers[column] = client
        yield


async def let_out(portal: Portal, left: Person) -> None:
    """As if the session had outlived the leaving: it has to be refused all the same."""
    async with portal.town.house.store.write() as tx:
        stored = await tx.people.get(left.id)
        await tx.people.update(replace(stored, active=False), was=stored)


def routes_of(app: FastAPI) -> Iterator[str]:
    """Every "METHOD /path" of the application and its API; what is mounted counts as GET."""
    for route in (*iter_route_contexts(app.routes), *iter_route_contexts(app.state.api.routes)):
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            yield f"{method} {route.path}"


def rows() -> dict[str, dict[str, int]]:
    """The table: route to column to status."""
    head, *lines = (line.split() for line in TABLE.strip().splitlines())
    assert head[1:] == list(COLUMNS), "the table's head and COLUMNS differ"
    found: dict[str, dict[str, int]] = {}
    for method, path, *statuses in lines:
        assert len(statuses) == len(COLUMNS), f"{method} {path} needs {len(COLUMNS)} statuses"
        assert f"{method} {path}" not in found, f"{method} {path} stands there twice"
        found[f"{method} {path}"] = dict(zip(COLUMNS, map(int, statuses), strict=True))
    return found


async def test_every_route_has_a_row_and_every_row_a_route() -> None:
    portal = await make_portal()
    missing = [route for route in routes_of(portal.app) if route not in rows()]
    assert not missing, (
        f"No row in TABLE of {__file__} for {missing}. Add a line each, with what every role "
        f"SHOULD get ({', '.join(COLUMNS)}), for instance:\n"
        + "\n".join(
            f"{route:<45}401  200  200  200  200   200   200   401  401  401" for route in missing
        )
    )
    gone = rows().keys() - set(routes_of(portal.app))
    assert not gone, f"These rows are of no route any more; take them out: {sorted(gone)}"


@pytest.mark.parametrize("column", COLUMNS)
async def test_every_role_gets_what_the_table_says(column: str) -> None:
    world = await make_world()
    table = rows()
    order = sorted(table, key=lambda route: (route in LAST, route[:4] == "POST", route))
    async with browser_of(world, column):
        got = {route: (await world.request(column, route)).status_code for route in order}
    wrong = [
        f"{route}: {COLUMNS[column]} got {got[route]}, the table says {table[route][column]}"
        for route in order
        if got[route] != table[route][column]
    ]
    assert not wrong, "\n".join(wrong)


def test_nobody_outside_gets_anything_but_the_way_in() -> None:
    """Guards the table itself: a careless line would open a page to everybody."""
    for route, row in rows().items():
        if route in OPEN:
            continue
        if is_api(route.partition(" ")[2]):
            assert {row[column] for column in COLUMNS if column not in ("key", "bare")} == {401}, (
                f"{route}: the API takes keys, never the session of a browser"
            )
            assert 403 in (row["key"], row["bare"]), f"{route} asks for no scope"
            continue
        assert row["none"] == row["left"] == 401, route
        assert row["key"] == 401 or route in BY_KEY, route
        assert row["bare"] == (403 if route in BY_KEY else 401), route


OPEN = {
    "GET /enter",
    "POST /enter",
    "POST /leave",
    "GET /signed-out",
    "GET /sign-in",
    "POST /sign-in/{way}",
    "GET /sign-in/{way}/callback",
    "GET /static/{version}/{name:path}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /metrics/generation",
    "GET /v1/openapi.json",
}
"""What somebody may load who is not signed in. Think twice before adding to it."""
BY_KEY = {"GET /review/count", "GET /pictures/{asset_id}/recipe.json", "GET /files/{sha256}"}
"""What a program may read with an API key; its handler takes `FramedForReader`."""


async def test_a_one_time_link_and_an_invitation_open_for_their_own_kinds_only() -> None:
    """What one secret opens, another does not: kinds are not mixed up."""
    world = await make_world()
    house = world.portal.town.house
    admin = world.portal.town.people["admin"]
    async with house.store.write() as tx:
        secrets = {
            kind: await issue(tx, house.clock, admin.id, kind, timedelta(days=1))
            for kind in KeyKind
        }
    opens = {}
    for kind, secret in secrets.items():
        transport = httpx.ASGITransport(app=world.portal.app)
        async with httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers={"sec-fetch-site": "same-origin"}
        ) as client:
            client.cookies.set("housestyle", secret)
            page = (await client.get("/queue")).status_code
            link = (await client.post("/enter", data={"key": secret})).status_code
            bearer = {"authorization": f"Bearer hs_{secret.replace('.', '_')}"}
            key = (await client.get("/review/count", headers=bearer)).status_code
        opens[kind] = (page, link, key)
    assert opens == {
        KeyKind.LINK: (401, 303, 401),
        KeyKind.INVITE: (401, 303, 401),
        KeyKind.SESSION: (200, 403, 401),
        KeyKind.API: (401, 403, opens[KeyKind.API][2]),
    }
