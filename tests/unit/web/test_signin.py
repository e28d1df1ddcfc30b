"""Signing in with an account elsewhere, the good way: at real servers on loopback."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from bot.clock import SystemClock
from bot.core.access import issue
from bot.core.people import Identity, KeyKind, Role
from bot.web.signing_in.providers import discord, oidc, slack
from tests.fakes.html import Page
from tests.fakes.oidc_provider import CLIENT, SECRET, FakeProvider, new_key, serving_provider
from tests.fakes.portal import Portal, add_person, make_portal
from tests.fakes.sign_in import (
    come_back,
    company,
    consent,
    consent_as,
    give,
    is_signed_in,
    offer,
    onward,
    query,
    real_provider,
    set_off,
    sign_in,
)
from tests.fakes.town import person


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A real provider's."""
    with real_provider() as started:
        yield started


@pytest.fixture
def fake(portal: Portal) -> Iterator[FakeProvider]:
    """A provider that the portal's people may sign in with, in the portal's time."""
    with serving_provider() as provider:
        provider.now = portal.town.clock.now
        offer(portal, company(provider))
        yield provider


def mias(provider: FakeProvider) -> Identity:
    """Mia's account there."""
    return Identity(platform="oidc", user="u-17", team=provider.issuer)


async def test_a_member_signs_in_at_a_real_openid_provider(issuer: str) -> None:
    portal = await make_portal(clock=SystemClock())
    offer(portal, oidc(issuer=issuer, client_id=CLIENT, client_secret=SECRET))
    await give(portal, "mia", Identity(platform="oidc", user="mia-at-acme", team=issuer))
    async with portal.browser() as client:
        address = await set_off(client, next="/gallery?mine=1")
        asked = query(address)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == "http://portal.test/sign-in/oidc/callback"
        assert asked["scope"] == "openid profile"
        home = await come_back(client, await consent_as(address, "mia-at-acme"))
        assert home.status_code == 303, home.text
        assert home.headers["location"] == "/gallery?mine=1"
        assert "Mia" in (await client.get("/queue")).text


async def test_a_stranger_of_a_real_openid_provider_is_told_how_to_be_invited(issuer: str) -> None:
    portal = await make_portal(clock=SystemClock())
    offer(portal, oidc(issuer=issuer, client_id=CLIENT, client_secret=SECRET))
    async with portal.browser() as client:
        home = await come_back(client, await consent_as(await set_off(client), "stranger"))
        assert home.status_code == 403
        assert "Ask an admin for an invitation" in home.text
        assert not await is_signed_in(client)


async def test_slack_says_who_it_is_in_claims_of_its_own(portal: Portal) -> None:
    with serving_provider() as fake:
        fake.now = portal.town.clock.now
        fake.user |= {"https://slack.com/user_id": "U7", "https://slack.com/team_id": "T1"}
        offer(portal, slack(client_id=CLIENT, client_secret=SECRET, issuer=fake.issuer))
        await give(portal, "mia", Identity(platform="slack", user="U7", team="T1"))
        async with portal.browser() as client:
            assert (await sign_in(client, "slack")).status_code == 303
            assert "Mia" in (await client.get("/queue")).text


async def test_in_an_enterprise_grid_the_workspace_is_told_with_its_enterprise(
    portal: Portal,
) -> None:
    with serving_provider() as fake:
        fake.now = portal.town.clock.now
        fake.user |= {"https://slack.com/user_id": "U7", "https://slack.com/team_id": "T1"}
        fake.user |= {"https://slack.com/enterprise_id": "E1"}
        offer(portal, slack(client_id=CLIENT, client_secret=SECRET, issuer=fake.issuer))
        await give(portal, "mia", Identity(platform="slack", user="U7", team="E1/T1"))
        async with portal.browser() as client:
            assert (await sign_in(client, "slack")).status_code == 303
            assert "Mia" in (await client.get("/queue")).text


@pytest.mark.parametrize(
    "said",
    [
        {
            "https://slack.com/user_id": "U7",
            "https://slack.com/team_id": "T1",
            "https://slack.com/enterprise_id": "E1",
        },
        {"https://slack.com/user_id": "U7", "https://slack.com/team_id": "T2"},
        {"https://slack.com/user_id": "U7"},
        {"https://slack.com/team_id": "T1"},
        {"sub": "U7"},
    ],
)
async def test_the_same_slack_user_of_another_workspace_is_somebody_else(
    portal: Portal, said: dict[str, str]
) -> None:
    with serving_provider() as fake:
        fake.now = portal.town.clock.now
        fake.user |= said
        offer(portal, slack(client_id=CLIENT, client_secret=SECRET, issuer=fake.issuer))
        await give(portal, "mia", Identity(platform="slack", user="U7", team="T1"))
        async with portal.browser() as client:
            assert (await sign_in(client, "slack")).status_code == 403
            assert not await is_signed_in(client)


async def test_discord_is_asked_whose_token_it_is(portal: Portal) -> None:
    with serving_provider() as fake:
        fake.user = {"id": "4711", "username": "mia"}
        offer(portal, discord(client_id=CLIENT, client_secret=SECRET, address=fake.issuer))
        await give(portal, "mia", Identity(platform="discord", user="4711"))
        async with portal.browser() as client:
            address = await set_off(client, "discord")
            assert query(address)["scope"] == "identify"
            assert "nonce" not in query(address)
            assert (await come_back(client, await consent(address))).status_code == 303
            assert await is_signed_in(client)
    assert fake.asked[-1] == "/api/v10/users/@me"


async def test_a_token_that_fits_no_header_signs_nobody_in(portal: Portal) -> None:
    with serving_provider() as fake:
        fake.token_answer = lambda _: (200, '{"access_token": "té"}'.encode())
        offer(portal, discord(client_id=CLIENT, client_secret=SECRET, address=fake.issuer))
        async with portal.browser() as client:
            assert (await sign_in(client, "discord")).status_code == 403
            assert not await is_signed_in(client)


async def test_an_invitation_is_accepted_with_the_company_account(
    portal: Portal, fake: FakeProvider
) -> None:
    await add_person(portal, replace(person("Noa", Role.REQUESTER), identities=()))
    key = await invite(portal, "noa")
    async with portal.browser() as client:
        welcome = Page((await client.get("/enter", params={"key": key})).text)
        assert "Welcome to Housestyle, Noa" in welcome.text
        form = welcome.form("Join with Acme ID")
        page = await client.post(form.action, data=form.data("Join with Acme ID"))
        home = await come_back(client, await consent(onward(page)))
        assert home.status_code == 303
        assert "Noa" in (await client.get("/queue")).text
        await client.post("/leave")
        assert (await sign_in(client)).status_code == 303
        assert "Noa" in (await client.get("/queue")).text
    async with portal.browser() as client:
        again = await client.post("/enter", data={"key": key})
        assert again.status_code == 403


async def test_one_more_account_is_connected_by_a_signed_in_member(
    portal: Portal, fake: FakeProvider
) -> None:
    async with portal.browser("mia") as client:
        page = await client.post("/account/connect/oidc")
        home = await come_back(client, await consent(onward(page)))
        assert home.headers["location"] == "/account"
    async with portal.browser() as client:
        assert (await sign_in(client)).status_code == 303
        assert "Mia" in (await client.get("/queue")).text


async def test_an_account_of_somebody_else_is_not_connected(
    portal: Portal, fake: FakeProvider
) -> None:
    await give(portal, "mia", mias(fake))
    async with portal.browser("ana") as client:
        page = await client.post("/account/connect/oidc")
        home = await come_back(client, await consent(onward(page)))
    assert home.status_code == 403
    assert "belongs to another member" in home.text
    async with portal.town.house.store.read() as tx:
        owner = await tx.people.by_identity("oidc", "u-17", fake.issuer)
    assert owner is not None
    assert owner.name == "Mia"


async def test_connecting_ends_where_the_visitor_has_changed_meanwhile(
    portal: Portal, fake: FakeProvider
) -> None:
    async with portal.browser("mia") as client:
        location = await consent(onward(await client.post("/account/connect/oidc")))
        await client.post("/enter", data={"key": await portal.link("ana")})
        home = await come_back(client, location)
    assert home.status_code == 403
    async with portal.town.house.store.read() as tx:
        assert await tx.people.by_identity("oidc", "u-17", fake.issuer) is None


async def test_an_invitation_is_not_used_up_by_an_account_of_somebody_else(
    portal: Portal, fake: FakeProvider
) -> None:
    await give(portal, "mia", mias(fake))
    await add_person(portal, replace(person("Noa", Role.REQUESTER), identities=()))
    key = await invite(portal, "noa")
    async with portal.browser() as client:
        home = await sign_in(client, key=key)
        assert home.status_code == 403
        assert "belongs to another member" in home.text
        assert not await is_signed_in(client)
        assert (await client.post("/enter", data={"key": key})).status_code == 303
        assert "Noa" in (await client.get("/queue")).text


async def test_a_member_who_left_is_not_let_in(portal: Portal, fake: FakeProvider) -> None:
    await give(portal, "mia", mias(fake))
    async with portal.town.house.store.write() as tx:
        mia = await tx.people.get(portal.town.people["mia"].id)
        await tx.people.update(replace(mia, active=False), was=mia)
    async with portal.browser() as client:
        home = await sign_in(client)
        assert home.status_code == 403
        assert "no longer a member" in home.text
        assert not await is_signed_in(client)


async def test_each_signing_in_gives_a_session_of_its_own_and_ends_the_old_one(
    portal: Portal, fake: FakeProvider
) -> None:
    await give(portal, "mia", mias(fake))
    async with portal.browser("ana") as client:
        before = client.cookies["housestyle"]
        assert (await sign_in(client)).status_code == 303
        after = client.cookies["housestyle"]
        assert after != before
        assert "Mia" in (await client.get("/queue")).text
    async with portal.browser() as other:
        other.cookies.set("housestyle", before)
        assert not await is_signed_in(other)


async def test_the_session_cookie_that_was_planted_before_opens_nothing_after(
    portal: Portal, fake: FakeProvider
) -> None:
    await give(portal, "mia", mias(fake))
    planted = "0" * 22 + ".planted"
    async with portal.browser() as client:
        client.cookies.set("housestyle", planted)
        await sign_in(client)
    async with portal.browser() as thief:
        thief.cookies.set("housestyle", planted)
        assert not await is_signed_in(thief)


async def test_the_sign_in_page_offers_every_way_and_keeps_where_one_was_going(
    portal: Portal, fake: FakeProvider
) -> None:
    async with portal.browser() as client:
        closed = await client.get("/gallery?q=mug")
    assert closed.status_code == 401
    shown = Page(closed.text)
    form = shown.form("Sign in with Acme ID")
    assert form.action == "/sign-in/oidc"
    assert form.fields["next"] == "/gallery?q=mug"
    assert "one-time link" in shown.text


async def test_the_page_between_sends_nothing_along_and_is_not_kept(
    portal: Portal, fake: FakeProvider
) -> None:
    async with portal.browser() as client:
        page = await client.post("/sign-in/oidc")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=600" in cookie


async def test_over_https_the_journeys_cookie_is_bound_to_the_host() -> None:
    portal = await make_portal(base_url="https://portal.test")
    with serving_provider() as fake:
        offer(portal, company(fake))
        transport = httpx.ASGITransport(app=portal.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://portal.test") as client:
            page = await client.post("/sign-in/oidc", headers={"sec-fetch-site": "same-origin"})
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__Host-housestyle-sign-in=")
    assert "Secure" in cookie
    assert query(onward(page))["redirect_uri"] == "https://portal.test/sign-in/oidc/callback"


async def test_keys_that_the_provider_changed_are_fetched_anew(
    portal: Portal, fake: FakeProvider
) -> None:
    await give(portal, "mia", mias(fake))
    async with portal.browser() as client:
        assert (await sign_in(client)).status_code == 303
        fake.key = new_key("k2")
        await portal.town.clock.advance(60)
        assert (await sign_in(client)).status_code == 303
    assert fake.asked.count("/keys") == 2


async def test_a_provider_that_is_not_offered_is_not_found(portal: Portal) -> None:
    async with portal.browser() as client:
        answer = await client.post("/sign-in/slack")
        assert answer.status_code == 404
        assert (await client.get("/sign-in/slack/callback?code=x&state=y")).status_code == 404


async def invite(portal: Portal, who: str) -> str:
    """The secret of an invitation."""
    house = portal.town.house
    async with house.store.write() as tx:
        guest = portal.town.people[who]
        return await issue(tx, house.clock, guest.id, KeyKind.INVITE, timedelta(days=7))
