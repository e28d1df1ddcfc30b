"""Signing in with an account elsewhere, attacked: every lie ends on a page that says so, without a
session, with a line in the records."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.core.people import Identity
from bot.web.signing_in.errors import BackFromNowhere
from bot.web.signing_in.journey import unpacked
from bot.web.signing_in.providers import slack
from tests.fakes.oidc_provider import CLIENT, FakeProvider, as_is, new_key, serving_provider
from tests.fakes.portal import Portal
from tests.fakes.sign_in import (
    come_back,
    company,
    consent,
    give,
    is_signed_in,
    offer,
    query,
    refusals,
    set_off,
    sign_in,
)

HOME = "http://portal.test/sign-in/oidc/callback"
Bend = Callable[[dict[str, Any]], dict[str, Any]]
OTHER = BackFromNowhere().message.split(",", maxsplit=1)[0]


@pytest.fixture
async def fake(portal: Portal) -> AsyncIterator[FakeProvider]:
    """A provider at which Mia, a member, has an account."""
    with serving_provider() as provider:
        provider.now = portal.town.clock.now
        offer(portal, company(provider))
        await give(portal, "mia", Identity(platform="oidc", user="u-17", team=provider.issuer))
        yield provider


@pytest.fixture
def log_of_refusals(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The reasons in the log."""
    caplog.set_level(logging.WARNING)
    return lambda: [record.reason for record in caplog.records if hasattr(record, "reason")]


Log = Callable[[], list[str]]


def plus(**claims: object) -> Bend:
    """These claims set, those that are None left out."""
    return lambda was: {k: v for k, v in (was | claims).items() if v is not None}


def moved(**seconds: int) -> Bend:
    """Times moved."""
    return lambda was: was | {name: was["iat"] + by for name, by in seconds.items()}


LIES: dict[str, tuple[Bend, str]] = {
    "the nonce of another sign-in": (plus(nonce="other"), "nonce"),
    "an empty nonce": (plus(nonce=""), "nonce"),
    "no nonce": (plus(nonce=None), "nonce"),
    "a token for somebody else": (plus(aud="other"), "aud"),
    "a token for somebody else, with our name as the authorized party": (
        plus(aud="other", azp=CLIENT),
        "aud",
    ),
    "a list of others, with our name as the authorized party": (
        plus(aud=["other"], azp=CLIENT),
        "aud",
    ),
    "a token for us and others": (plus(aud=[CLIENT, "other"], azp=CLIENT), "aud"),
    "a token for us that another party asked for": (plus(azp="other"), "azp"),
    "no audience": (plus(aud=None), "aud"),
    "the name of another issuer": (plus(iss="https://evil.test"), "iss"),
    "no issuer": (plus(iss=None), "iss"),
    "an expired token": (moved(exp=-61, iat=-361), "exp"),
    "no expiry": (plus(exp=None), "exp"),
    "an expiry that is no number": (plus(exp="tomorrow"), "exp"),
    "a token that is not valid yet": (moved(nbf=120), "nbf"),
    "a token from the future": (moved(iat=120, exp=300), "iat"),
    "nobody": (plus(sub=None), "sub"),
    "an empty name": (plus(sub=""), "sub"),
    "a name that is no text": (plus(sub=17), "sub"),
    "the hash of another access token": (plus(at_hash="AAAA"), "at_hash"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_token_that_lies_opens_nothing(
    portal: Portal, fake: FakeProvider, log_of_refusals: Log, lie: str
) -> None:
    fake.claims, check = LIES[lie]
    async with portal.browser() as client:
        home = await sign_in(client)
        assert home.status_code == 403
        assert f"(check: {check})" in home.text or check == "sub"
        assert not await is_signed_in(client)
    assert log_of_refusals() == [str(refused(await refusals(portal)))]


def refused(kept: list[Any]) -> object:
    """The reason of the only refusal in the ledger."""
    assert len(kept) == 1
    return kept[0].facts["reason"]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512"])
async def test_a_token_that_anybody_could_have_signed_opens_nothing(
    portal: Portal, fake: FakeProvider, algorithm: str
) -> None:
    fake.algorithm = algorithm
    async with portal.browser() as client:
        home = await sign_in(client)
        assert home.status_code == 403
        assert "(check: signature)" in home.text
        assert not await is_signed_in(client)
    assert refused(await refusals(portal)) == "signature"


async def test_a_shared_secret_among_the_providers_keys_signs_nothing(
    portal: Portal, fake: FakeProvider
) -> None:
    fake.keys = lambda was: {"keys": [*was["keys"], {"kty": "oct", "k": "c2VjcmV0", "kid": "k1"}]}
    fake.algorithm = "HS256"
    async with portal.browser() as client:
        assert (await sign_in(client)).status_code == 403
        assert not await is_signed_in(client)


async def test_a_token_signed_with_another_key_opens_nothing(
    portal: Portal, fake: FakeProvider
) -> None:
    published = fake.key_set()
    fake.key, fake.keys = new_key("k3"), lambda was: published
    async with portal.browser() as client:
        home = await sign_in(client)
    assert "(check: signature)" in home.text
    assert refused(await refusals(portal)) == "signature"


async def test_clocks_may_differ_by_a_minute(portal: Portal, fake: FakeProvider) -> None:
    fake.claims = moved(iat=50, nbf=50, exp=350)
    async with portal.browser() as client:
        assert (await sign_in(client)).status_code == 303


@pytest.mark.parametrize("state", ["", "x", "\u00e9", "A" * 43])
async def test_an_answer_with_a_made_up_state_opens_nothing(
    portal: Portal, fake: FakeProvider, log_of_refusals: Log, state: str
) -> None:
    async with portal.browser() as client:
        code = query(await consent(await set_off(client)))["code"]
        home = await come_back(client, f"{HOME}?{urlencode({'code': code, 'state': state})}")
        assert home.status_code == 403
        assert OTHER.replace("'", "&#39;") in home.text
        assert not await is_signed_in(client)
    assert log_of_refusals() == ["state"]
    assert "/api/oauth2/token" not in fake.asked


async def test_an_answer_without_a_state_opens_nothing(portal: Portal, fake: FakeProvider) -> None:
    async with portal.browser() as client:
        code = query(await consent(await set_off(client)))["code"]
        assert (await come_back(client, f"{HOME}?code={code}")).status_code == 403
        assert not await is_signed_in(client)


async def test_an_attackers_answer_signs_no_victim_in(portal: Portal, fake: FakeProvider) -> None:
    """Login CSRF: the attacker's own good answer, planted in another browser."""
    async with portal.browser() as attacker, portal.browser() as victim:
        planted = await consent(await set_off(attacker))
        assert (await come_back(victim, planted)).status_code == 403
        assert not await is_signed_in(victim)
        await set_off(victim)  # nor while the victim is on a way of their own
        assert (await come_back(victim, planted)).status_code == 403
        assert not await is_signed_in(victim)


async def test_an_answer_counts_once(portal: Portal, fake: FakeProvider) -> None:
    async with portal.browser() as client:
        address = await set_off(client)
        cookies = dict(client.cookies)
        location = await consent(address)
        assert (await come_back(client, location)).status_code == 303
        await client.post("/leave")
        client.cookies.update(cookies)
        assert (await come_back(client, location)).status_code == 403
        fresh = query(await consent(address))["code"]
        client.cookies.update(cookies)
        again = f"{HOME}?{urlencode({'code': fresh, 'state': query(location)['state']})}"
        assert (await come_back(client, again)).status_code == 403
        assert not await is_signed_in(client)
    assert fake.asked.count("/api/oauth2/token") == 1


async def test_a_refused_answer_is_used_up_too(portal: Portal, fake: FakeProvider) -> None:
    fake.claims = plus(nonce="other")
    async with portal.browser() as client:
        address = await set_off(client)
        cookies = dict(client.cookies)
        assert (await come_back(client, await consent(address))).status_code == 403
        fake.claims = plus()
        client.cookies.update(cookies)
        assert (await come_back(client, await consent(address))).status_code == 403
        assert not await is_signed_in(client)


async def test_a_code_that_was_used_already_opens_nothing(
    portal: Portal, fake: FakeProvider
) -> None:
    async with portal.browser() as client, portal.browser() as other:
        used = query(await consent(await set_off(client)))
        assert (await come_back(client, f"{HOME}?{urlencode(used)}")).status_code == 303
        own = query(await set_off(other))["state"]
        home = await come_back(other, f"{HOME}?{urlencode(used | {'state': own})}")
        assert home.status_code == 403
        assert "(check: code)" in home.text


async def test_a_stolen_code_is_worthless_without_the_proof_of_who_began(
    portal: Portal, fake: FakeProvider
) -> None:
    """Code injection: a victim's fresh code, brought home on the attacker's own way (PKCE)."""
    async with portal.browser() as victim, portal.browser() as attacker:
        stolen = query(await consent(await set_off(victim)))["code"]
        own = query(await set_off(attacker))["state"]
        home = await come_back(attacker, f"{HOME}?{urlencode({'code': stolen, 'state': own})}")
        assert home.status_code == 403
        assert "(check: code)" in home.text
        assert not await is_signed_in(attacker)


async def test_a_stolen_code_opens_nothing_where_the_provider_forgets_the_proof(
    portal: Portal, fake: FakeProvider
) -> None:
    fake.checks_pkce = False
    async with portal.browser() as victim, portal.browser() as attacker:
        stolen = query(await consent(await set_off(victim)))["code"]
        own = query(await set_off(attacker))["state"]
        home = await come_back(attacker, f"{HOME}?{urlencode({'code': stolen, 'state': own})}")
        assert "(check: nonce)" in home.text
        assert not await is_signed_in(attacker)


async def test_every_way_asks_for_the_proof_of_who_began(
    portal: Portal, fake: FakeProvider
) -> None:
    async with portal.browser() as client:
        seen = [query(await set_off(client)) for _ in range(3)]
    assert all(len(asked["code_challenge"]) == 43 for asked in seen)
    for secret in ("state", "nonce", "code_challenge"):
        assert len({asked[secret] for asked in seen}) == 3


async def test_a_journey_ends_after_ten_minutes(portal: Portal, fake: FakeProvider) -> None:
    async with portal.browser() as client:
        location = await consent(await set_off(client))
        await portal.town.clock.advance(601)
        assert (await come_back(client, location)).status_code == 403
        assert not await is_signed_in(client)


@pytest.mark.parametrize("iss", ["https://evil.test", "", "http://127.0.0.1:1"])
async def test_an_answer_that_names_another_issuer_opens_nothing(
    portal: Portal, fake: FakeProvider, iss: str
) -> None:
    """Mix-up: RFC 9207."""
    async with portal.browser() as client:
        location = await consent(await set_off(client))
        home = await come_back(client, f"{location}&{urlencode({'iss': iss})}")
        assert "(check: iss)" in home.text
        assert not await is_signed_in(client)
    assert "/api/oauth2/token" not in fake.asked


async def test_an_issuer_that_promises_its_name_and_leaves_it_out_is_not_believed(
    portal: Portal, fake: FakeProvider
) -> None:
    fake.metadata = lambda was: was | {"authorization_response_iss_parameter_supported": True}
    async with portal.browser() as client:
        home = await sign_in(client)
    assert "(check: iss)" in home.text


async def test_an_answer_on_the_path_of_another_provider_opens_nothing(
    portal: Portal, fake: FakeProvider
) -> None:
    with serving_provider() as other:
        offer(
            portal,
            company(fake),
            slack(client_id=CLIENT, client_secret="x", issuer=other.issuer),
        )
        async with portal.browser() as client:
            location = await consent(await set_off(client))
            home = await come_back(client, location.replace("/oidc/", "/slack/"))
            assert home.status_code == 403
            assert not await is_signed_in(client)
    assert not other.asked


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


@pytest.mark.parametrize("verified", [True, False])
async def test_an_e_mail_address_never_links(
    portal: Portal, fake: FakeProvider, verified: bool
) -> None:
    fake.user = {"sub": "stranger", "email": "mia@acme.test", "email_verified": verified}
    fake.user |= {"name": "Mia", "preferred_username": "mia"}
    async with portal.browser() as client:
        home = await sign_in(client)
        assert home.status_code == 403
        assert not await is_signed_in(client)
    assert refused(await refusals(portal)) == "not_allowed"


async def test_the_same_subject_of_another_issuer_is_somebody_else(portal: Portal) -> None:
    with serving_provider() as fake:
        fake.now = portal.town.clock.now
        offer(portal, company(fake))
        await give(portal, "mia", Identity(platform="oidc", user="u-17", team="https://other.test"))
        async with portal.browser() as client:
            assert (await sign_in(client)).status_code == 403


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
