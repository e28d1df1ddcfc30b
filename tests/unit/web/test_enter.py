"""Signing in by a one-time link, and who gets in where."""

from dataclasses import replace

import pytest

from bot.core.access import LINK_LIFE, SESSION_LIFE
from bot.core.people import Role
from bot.web.frame import safe_back
from tests.fakes.portal import Portal, add_person, make_portal
from tests.fakes.town import KIT, person

SOME_ID = "0" * 22


async def test_reading_the_link_uses_nothing_up(portal: Portal) -> None:
    key = await portal.link("mia")
    async with portal.browser() as client:
        for _ in range(3):
            page = await client.get("/enter", params={"key": key})
            assert page.status_code == 200
            assert page.headers["cache-control"] == "no-store"
            assert "set-cookie" not in page.headers
        entered = await client.post("/enter", data={"key": key})
        assert entered.status_code == 303
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert (await client.get("/queue")).status_code == 200


async def test_a_link_opens_once(portal: Portal) -> None:
    key = await portal.link("mia")
    async with portal.browser() as client:
        await client.post("/enter", data={"key": key})
    async with portal.browser() as client:
        again = await client.post("/enter", data={"key": key})
        assert again.status_code == 403
        assert "used up or too old" in again.text
        assert (await client.get("/queue")).status_code == 401


@pytest.mark.parametrize("key", ["", "x", f"{SOME_ID}.wrong", "a" * 5000, "../../etc.passwd"])
async def test_a_made_up_link_opens_nothing(portal: Portal, key: str) -> None:
    async with portal.browser() as client:
        assert (await client.post("/enter", data={"key": key})).status_code in (403, 422)
        assert (await client.get("/queue")).status_code == 401


async def test_an_old_link_opens_nothing(portal: Portal) -> None:
    key = await portal.link("mia")
    await portal.town.clock.advance(LINK_LIFE.total_seconds() + 1)
    async with portal.browser() as client:
        assert (await client.post("/enter", data={"key": key})).status_code == 403


async def test_a_session_ends_after_its_time(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        assert (await client.get("/queue")).status_code == 200
        await portal.town.clock.advance(SESSION_LIFE.total_seconds() + 1)
        answer = await client.get("/queue")
    assert answer.status_code == 401
    assert "sign-in has ended" in answer.text


async def test_signing_out_ends_the_session_itself(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        kept = dict(client.cookies)
        assert (await client.post("/leave")).status_code == 303
        assert (await client.get("/queue")).status_code == 401
        client.cookies.update(kept)
        assert (await client.get("/queue")).status_code == 401


async def test_whoever_signs_in_gets_an_account_in_the_local_chat(portal: Portal) -> None:
    await add_person(portal, replace(person("Noa", Role.REQUESTER), identities=()))
    async with portal.browser("noa") as client:
        await client.post("/chat/me", data={"text": "/imagine a red mug"})
        page = await client.get("/chat/me")
    assert "a red mug" in page.text
    assert "I don" not in page.text


async def test_someone_without_a_role_is_told_whom_to_ask(portal: Portal) -> None:
    await add_person(portal, person("Zoe"))
    async with portal.browser("zoe") as client:
        answer = await client.get("/queue")
    assert answer.status_code == 403
    assert "Ask an admin" in answer.text


@pytest.mark.parametrize(
    "back", ["//evil.test", "https://evil.test", "/\\evil.test", "x", "/a\r\nSet-Cookie: a=b", ""]
)
def test_going_back_never_leaves_the_house(back: str) -> None:
    assert safe_back(back) == "/"


async def test_light_and_dark_are_remembered(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await client.post("/theme", data={"theme": "dark", "back": "/queue"})
        assert answer.headers["location"] == "/queue"
        assert 'data-theme="dark"' in (await client.get("/queue")).text
        await client.post("/theme", data={"theme": "<script>"})
        assert 'data-theme="auto"' in (await client.get("/queue")).text


async def test_a_second_brand_can_be_chosen() -> None:
    portal = await make_portal(more_kits=(replace(KIT, id="beta", name="Beta"),))
    async with portal.browser("mia") as client:
        page = await client.get("/queue")
        assert 'id="brand-switch"' in page.text
        await client.post("/brand", data={"brand": "beta", "back": "/queue?brand=acme"})
        page = await client.get("/queue")
        assert '<span class="brand-name">Beta</span>' in page.text
