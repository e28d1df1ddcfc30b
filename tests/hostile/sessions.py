"""Sessions: cookies that are none, links used twice, requests that started elsewhere."""

import random
from datetime import timedelta

import httpx

from bot.core.access import issue
from bot.core.people import Identity, KeyKind
from tests.fakes.oidc_provider import as_is, serving_provider
from tests.fakes.portal import ORIGIN, SAME, Portal, make_portal
from tests.fakes.routes import addresses_of
from tests.fakes.sign_in import company, give, is_signed_in, offer, sign_in
from tests.hostile.score import Score, Taken
from tests.unit.web.signin_attacks.lies import LIES

COOKIE = "housestyle"
MUTANTS = 1_000
FOREIGN: tuple[dict[str, str], ...] = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "http://other.portal.test"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": f"{ORIGIN}.evil.example"},
    {},
)
"""What requests from elsewhere say of themselves (Fetch Metadata, W3C), down to nothing."""


async def run() -> Score:
    """Try them all."""
    score, rng, portal = Score(), random.Random(41), await make_portal()
    await _cookies(score, portal, rng)
    await _keys(score, portal)
    await _foreign(score, portal)
    await _lying_providers(score)
    return score


async def _session(portal: Portal) -> str:
    async with portal.browser("ida") as browser:
        return browser.cookies[COOKIE]


def mutant(secret: str, rng: random.Random) -> str:
    """A session secret with something of it changed."""
    at = rng.randrange(len(secret))
    match rng.randrange(5):
        case 0:
            return secret[:at]
        case 1:
            return secret[:at] + rng.choice("aZ9_-.!/%") + secret[at:]
        case 2:
            return secret[:at] + chr(ord("A") + rng.randrange(26)) + secret[at + 1 :]
        case 3:
            return secret.partition(".")[0] + "." + "x" * rng.randint(0, 300)
        case _:
            return "".join(rng.sample(secret, len(secret)))


async def _cookies(score: Score, portal: Portal, rng: random.Random) -> None:
    secret = await _session(portal)
    planted = (
        "",
        ".",
        "null",
        "admin",
        "' OR 1=1",
        "a" * 4_000,
        f"{secret},{secret}",
        secret.upper(),
    )
    made = {mutant(secret, rng) for _ in range(MUTANTS)} - {secret}
    async with portal.browser() as browser:
        for cookie in (*planted, *sorted(made)):
            with score.attempt(f"cookie {cookie[:60]!r}"):
                raw = f"{COOKIE}={cookie}".encode("latin-1", "replace")
                answer = await browser.get("/queue", headers=[(b"cookie", raw)])
                _must_be(answer, 401)


async def _keys(score: Score, portal: Portal) -> None:
    """Every other kind of secret as a session; links used twice, too late, or for another use."""
    house = portal.town.house
    for kind in KeyKind:
        async with house.store.write() as tx:
            person = portal.town.people["ida"].id
            fresh = await issue(tx, house.clock, person, kind, timedelta(minutes=5))
            late = await issue(tx, house.clock, person, kind, timedelta(0))
        async with portal.browser() as browser:
            if kind is not KeyKind.SESSION:
                with score.attempt(f"a {kind.value} as a session"):
                    raw = [(b"cookie", f"{COOKIE}={fresh}".encode())]
                    _must_be(await browser.get("/queue", headers=raw), 401)
            with score.attempt(f"a {kind.value} that is too old, as a link"):
                _must_be(await browser.post("/enter", data={"key": late}), 403)
            if kind in (KeyKind.SESSION, KeyKind.API):
                with score.attempt(f"a {kind.value} as a link"):
                    _must_be(await browser.post("/enter", data={"key": fresh}), 403)
    link = await portal.link("mia")
    for number in range(2):
        async with portal.browser() as browser:
            with score.attempt(f"a link, use {number + 1}"):
                _must_be(await browser.post("/enter", data={"key": link}), 403 if number else 303)


async def _foreign(score: Score, portal: Portal) -> None:
    """Every POST of the application with the cookie of an admin and headers from elsewhere."""
    transport = httpx.ASGITransport(app=portal.app, raise_app_exceptions=False)
    cookies = {COOKIE: await _session(portal)}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies) as client:
        for address in addresses_of(portal.app):
            if address.method in ("GET", "HEAD"):
                continue
            path = address.filled("0" * 22)
            for headers in FOREIGN:
                with score.attempt(f"{address} with {headers}"):
                    _must_be(await client.request(address.method, path, headers=headers), 403)
    with score.attempt("the same session from our own page"):
        async with httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, cookies=cookies, headers=SAME
        ) as client:
            _must_be(await client.get("/queue"), 200)


async def _lying_providers(score: Score) -> None:
    """A provider of identities that lies in its token, or signs it in a way that anybody could."""
    portal = await make_portal()
    with serving_provider() as fake:
        fake.now = portal.town.clock.now
        offer(portal, company(fake))
        await give(portal, "mia", Identity(platform="oidc", user="u-17", team=fake.issuer))
        for lie, (bend, _) in LIES.items():
            fake.claims = bend
            await _arrive(score, portal, lie)
        fake.claims = as_is
        for algorithm in ("none", "HS256", "HS512"):
            fake.algorithm = algorithm
            await _arrive(score, portal, f"signed with {algorithm}")


async def _arrive(score: Score, portal: Portal, lie: str) -> None:
    with score.attempt(f"a provider's token: {lie}"):
        async with portal.browser() as client:
            _must_be(await sign_in(client), 403)
            if await is_signed_in(client):
                raise Taken("it opened a session")


def _must_be(answer: httpx.Response, status: int) -> None:
    if answer.status_code >= 500:
        raise RuntimeError(f"answered {answer.status_code}")
    if answer.status_code != status:
        raise Taken(f"answered {answer.status_code}, not {status}")
