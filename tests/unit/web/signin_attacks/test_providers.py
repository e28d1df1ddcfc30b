"""Providers that are broken, lie about themselves or are away, and people who say no there."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from tests.fakes.oidc_provider import FakeProvider, as_is, serving_provider
from tests.fakes.portal import Portal
from tests.fakes.sign_in import (
    come_back,
    company,
    is_signed_in,
    offer,
    query,
    refusals,
    set_off,
    sign_in,
)
from tests.unit.web.signin_attacks.lies import HOME, Bend, refused


async def test_a_person_who_says_no_is_told_so(portal: Portal, fake: FakeProvider) -> None:
    async with portal.browser() as client:
        state = query(await set_off(client))["state"]
        home = await come_back(
            client, f"{HOME}?{urlencode({'error': 'access_denied', 'state': state})}"
        )
        assert home.status_code == 403
        assert "access_denied" in home.text
    assert refused(await refusals(portal)) == "declined"


async def test_words_of_the_provider_are_not_shown(portal: Portal, fake: FakeProvider) -> None:
    evil = {"error": "Call 0900 EVIL now", "error_description": "<script>alert(1)</script>"}
    async with portal.browser() as client:
        state = query(await set_off(client))["state"]
        home = await come_back(client, f"{HOME}?{urlencode(evil | {'state': state})}")
    assert "EVIL" not in home.text
    assert "alert(1)" not in home.text


METADATA: dict[str, Bend] = {
    "another issuer": lambda was: was | {"issuer": "https://evil.test"},
    "no issuer": lambda was: {},
    "a token address elsewhere": lambda was: was | {"token_endpoint": "https://evil.test/t"},
    "keys elsewhere": lambda was: was | {"jwks_uri": "http://10.0.0.1/keys"},
    "keys in a file": lambda was: was | {"jwks_uri": "file:///etc/passwd"},
    "a page elsewhere": lambda was: was | {"authorization_endpoint": "https://evil.test/login"},
    "a script as its page": lambda was: was | {"authorization_endpoint": "javascript:alert(1)"},
    "a name in the address": lambda was: (
        was | {"token_endpoint": was["token_endpoint"].replace("//", "//evil@")}
    ),
    "no address": lambda was: was | {"token_endpoint": None},
}


@pytest.mark.parametrize("lie", METADATA)
async def test_a_provider_that_names_foreign_addresses_is_not_followed(
    portal: Portal, fake: FakeProvider, lie: str
) -> None:
    fake.metadata = METADATA[lie]
    async with portal.browser() as client:
        page = await client.post("/sign-in/oidc")
        assert page.status_code == 502
        assert "not set up rightly" in page.text
        assert "set-cookie" not in page.headers


ANSWERS: dict[str, tuple[int, bytes]] = {
    "nothing": (200, b""),
    "a page": (200, b"<html>"),
    "a list": (200, b"[]"),
    "deep brackets": (200, b"[" * 100_000),
    "too much": (200, b'{"access_token": "' + b"x" * 300_000 + b'"}'),
    "no token": (200, b'{"token_type": "Bearer"}'),
    "no ID token": (200, b'{"access_token": "x", "token_type": "Bearer"}'),
    "an ID token of rubbish": (200, b'{"access_token": "x", "id_token": "a.b.c"}'),
    "an ID token that is no text": (200, b'{"access_token": "x", "id_token": 17}'),
    "an error": (500, b"{}"),
    "a redirection": (302, b"{}"),
    "an odd lifetime": (200, b'{"access_token": "x", "id_token": "y", "expires_in": "soon"}'),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_broken_answer_of_the_provider_is_a_page_and_no_crash(
    portal: Portal, fake: FakeProvider, answer: str
) -> None:
    fake.token_answer = lambda good: ANSWERS[answer]
    async with portal.browser() as client:
        home = await sign_in(client)
        assert home.status_code in (403, 502)
        assert "You are not signed in" in home.text
        assert not await is_signed_in(client)
    assert len(await refusals(portal)) == 1


async def test_an_answer_without_an_end_is_cut_off(portal: Portal, fake: FakeProvider) -> None:
    fake.token_answer = lambda good: ANSWERS["too much"]
    async with portal.browser() as client:
        home = await sign_in(client)
    assert home.status_code == 502
    assert "its answer is too long" in home.text


async def test_a_wrong_secret_is_the_admins_to_mend(portal: Portal, fake: FakeProvider) -> None:
    offer(portal, replace(company(fake), client_secret="wrong"))
    async with portal.browser() as client:
        home = await sign_in(client)
    assert home.status_code == 502
    assert "Compare client id, secret and redirect address" in home.text


async def test_a_provider_that_does_not_answer_is_said_to_be_away(portal: Portal) -> None:
    with serving_provider() as gone:
        pass
    offer(portal, company(gone))
    async with portal.browser() as client:
        page = await client.post("/sign-in/oidc")
    assert page.status_code == 502
    assert "Try again in a minute" in page.text


async def test_a_provider_in_trouble_is_left_alone_for_a_moment(
    portal: Portal, fake: FakeProvider
) -> None:
    fake.metadata = METADATA["another issuer"]
    async with portal.browser() as client:
        for _ in range(5):
            assert (await client.post("/sign-in/oidc")).status_code == 502
        assert len(fake.asked) == 1
        fake.metadata = as_is
        await portal.town.clock.advance(6)
        assert (await sign_in(client)).status_code == 303
