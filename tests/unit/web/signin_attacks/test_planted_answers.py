"""Answers of a provider that were planted, used before or stolen on the way sign nobody in."""

from urllib.parse import urlencode

import pytest

from bot.web.signing_in.providers import slack
from tests.fakes.oidc_provider import CLIENT, FakeProvider, serving_provider
from tests.fakes.portal import Portal
from tests.fakes.sign_in import (
    come_back,
    company,
    consent,
    is_signed_in,
    offer,
    query,
    set_off,
    sign_in,
)
from tests.unit.web.signin_attacks.lies import HOME, OTHER, Log, plus


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
