"""Signing in step by step, as a browser does it: off to the provider, consent there, back home."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock

from bot.core.ledger import Event
from bot.core.people import Identity
from bot.web.portal import build_portal
from bot.web.signing_in.providers import Provider, oidc
from tests.fakes.oidc_provider import CLIENT, SECRET, FakeProvider
from tests.fakes.portal import ORIGIN, Portal

TRUST = httpx.create_ssl_context()
"""Made once: it takes a while."""


def company(fake: FakeProvider) -> Provider:
    """The pretended provider as the company's own."""
    return oidc(issuer=fake.issuer, client_id=CLIENT, client_secret=SECRET, label="Acme ID")


def offer(portal: Portal, *providers: Provider) -> None:
    """Let people sign in with these."""
    portal.app = build_portal(portal.town.house, portal.desk, providers=providers)


async def give(portal: Portal, who: str, account: Identity) -> None:
    """Connect an account with a member."""
    async with portal.town.house.store.write() as tx:
        person = await tx.people.get(portal.town.people[who].id)
        new = replace(person, identities=(*person.identities, account))
        await tx.people.update(new, was=person)


async def set_off(client: httpx.AsyncClient, way: str = "oidc", **form: str) -> str:
    """Press the button; the provider's address that the page goes on to."""
    page = await client.post(f"/sign-in/{way}", data=form)
    assert page.status_code == 200, page.text
    return onward(page)


def onward(page: httpx.Response) -> str:
    """Where a page between goes on to."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
    assert found, page.text
    return unescape(found[1])


async def consent(address: str) -> str:
    """Agree at the provider, over its real socket; where it sends the browser."""
    async with httpx.AsyncClient(verify=TRUST) as outside:
        answer = await outside.get(address)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def come_back(client: httpx.AsyncClient, location: str) -> httpx.Response:
    """Follow the provider's answer home; a page of another site may be on the way."""
    return await client.get(location, headers={"sec-fetch-site": "cross-site"})


async def sign_in(client: httpx.AsyncClient, way: str = "oidc", **form: str) -> httpx.Response:
    """All three steps."""
    return await come_back(client, await consent(await set_off(client, way, **form)))


def query(address: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def is_signed_in(client: httpx.AsyncClient) -> bool:
    """Whether pages open."""
    return (await client.get("/queue")).status_code == 200


async def refusals(portal: Portal) -> list[Event]:
    """What the ledger keeps of those who were not let in."""
    async with portal.town.house.store.read() as tx:
        found = await tx.ledger.recent(limit=50)
    return [event for event in found if event.action == "session.refused"]


@contextmanager
def real_provider() -> Iterator[str]:
    """A real OpenID provider, which somebody else wrote, on loopback; its issuer."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


async def consent_as(address: str, subject: str) -> str:
    """Log in at the real provider under this subject; where it sends the browser."""
    async with httpx.AsyncClient(verify=TRUST) as outside:
        form = await outside.get(address)
        assert form.status_code == 200, form.text
        answer = await outside.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(ORIGIN)
    return answer.headers["location"]
