"""ID tokens that lie or that anybody could have signed: each ends on a page that says so, without a
session, with a line in the records."""

import pytest

from bot.core.people import Identity
from tests.fakes.oidc_provider import FakeProvider, new_key, serving_provider
from tests.fakes.portal import Portal
from tests.fakes.sign_in import (
    company,
    give,
    is_signed_in,
    offer,
    refusals,
    sign_in,
)
from tests.unit.web.signin_attacks.lies import LIES, Log, moved, refused


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
