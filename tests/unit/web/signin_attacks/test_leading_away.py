"""Signing in leads nowhere but into the portal, and gives no secret away."""

import logging
from dataclasses import replace

import pytest

from bot.web.signing_in.journey import unpacked
from tests.fakes.oidc_provider import FakeProvider
from tests.fakes.portal import Portal
from tests.fakes.sign_in import (
    come_back,
    consent,
    query,
    set_off,
    sign_in,
)
from tests.unit.web.signin_attacks.lies import HOME, plus


@pytest.mark.parametrize(
    "next",
    ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/a\r\nX: y", ""],
)
async def test_signing_in_never_leads_away_from_the_portal(
    portal: Portal, fake: FakeProvider, next: str
) -> None:
    async with portal.browser() as client:
        home = await sign_in(client, next=next)
    assert home.headers["location"] == "/"


async def test_a_cookie_that_was_tampered_with_leads_nowhere_else(
    portal: Portal, fake: FakeProvider
) -> None:
    async with portal.browser() as client:
        location = await consent(await set_off(client))
        journey = unpacked(client.cookies["housestyle-sign-in"])
        assert journey is not None
        client.cookies.clear()
        bent = replace(journey, next="https://evil.test/").packed()
        client.cookies.set("housestyle-sign-in", bent)
        home = await come_back(client, location)
    assert home.headers["location"] == "/"


async def test_where_the_provider_sends_people_is_fixed(portal: Portal, fake: FakeProvider) -> None:
    async with portal.browser() as client:
        page = await client.post(
            "/sign-in/oidc?redirect_uri=https://evil.test",
            data={"redirect_uri": "https://evil.test"},
            headers={"x-forwarded-host": "evil.test", "host": "evil.test"},
        )
        page = await client.post("/sign-in/oidc", headers={"x-forwarded-host": "evil.test"})
    assert "evil.test" not in page.text


async def test_a_long_way_back_is_forgotten_and_not_the_sign_in(
    portal: Portal, fake: FakeProvider
) -> None:
    async with portal.browser() as client:
        home = await sign_in(client, next="/gallery?q=" + "ü" * 1900)
        assert home.headers["location"] == "/"
        home = await sign_in(client, next="/gallery?q=" + "x" * 900)
        assert home.headers["location"].endswith("x" * 900)


@pytest.mark.parametrize(
    "cookie", ["", "x", "e30", "bnVsbA", "WyJvaWRjIl0", "A" * 5000, "../..", "%00"]
)
async def test_a_made_up_cookie_is_no_journey(
    portal: Portal, fake: FakeProvider, cookie: str
) -> None:
    async with portal.browser() as client:
        answer = await client.get(
            f"{HOME}?code=x&state=y", headers={"cookie": f"housestyle-sign-in={cookie}"}
        )
    assert answer.status_code == 403


async def test_secrets_stand_in_no_log(
    portal: Portal, fake: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.claims = plus(aud="other")
    async with portal.browser() as client:
        address = await set_off(client)
        location = await consent(address)
        journey = client.cookies["housestyle-sign-in"]
        await come_back(client, location)
    ours = [str(vars(record)) for record in caplog.records if record.name.startswith("bot.")]
    assert ours
    for secret in (query(location)["code"], query(location)["state"], journey, "its-secret"):
        assert not any(secret in line for line in ours)
