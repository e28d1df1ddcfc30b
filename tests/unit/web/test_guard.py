"""Foreign requests, large bodies, and the headers on every answer."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.web.guard import CSP
from tests.fakes.portal import ORIGIN, SAME, Portal, make_portal

FOREIGN = [
    {"sec-fetch-site": "cross-site", "origin": "https://evil.test"},
    {"sec-fetch-site": "same-site", "origin": "http://other.portal.test"},
    {"origin": "https://evil.test"},
    {"origin": "null"},
    {"origin": "http://[::1"},
]
UNSAID = {"referer": "https://evil.test/"}


@pytest.mark.parametrize("headers", [*FOREIGN, UNSAID])
async def test_a_form_from_elsewhere_changes_nothing(
    portal: Portal, headers: dict[str, str]
) -> None:
    async with portal.browser("mia") as client:
        del client.headers["sec-fetch-site"]
        answer = await client.post(
            "/chat/drafts", data={"text": "/imagine a red mug"}, headers=headers
        )
    assert answer.status_code == 403
    assert "came from somewhere else" in answer.text
    async with portal.town.house.store.read() as tx:
        assert not await tx.jobs.unfinished()


@pytest.mark.parametrize("headers", [SAME, {"origin": ORIGIN}])
async def test_our_own_pages_may_post(portal: Portal, headers: dict[str, str]) -> None:
    async with portal.browser("mia") as client:
        del client.headers["sec-fetch-site"]
        answer = await client.post(
            "/chat/drafts", data={"text": "/imagine a red mug"}, headers=headers
        )
    assert answer.status_code == 303
    async with portal.town.house.store.read() as tx:
        assert len(await tx.jobs.unfinished()) == 1


async def test_a_link_from_elsewhere_still_opens_a_page(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await client.get("/queue", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/enter?key=x", "/queue", "/nowhere", "/static/x/app.css"])
async def test_every_answer_has_the_safety_headers(portal: Portal, path: str) -> None:
    async with portal.browser("mia") as client:
        answer = await client.get(path)
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in answer.headers


def test_the_policy_allows_our_own_files_and_nothing_else() -> None:
    assert CSP == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )


async def test_over_https_the_cookie_is_bound_to_the_host() -> None:
    portal = await make_portal(base_url="https://portal.test")
    transport = httpx.ASGITransport(app=portal.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://portal.test", headers=SAME
    ) as client:
        answer = await client.post("/enter", data={"key": await portal.link("mia")})
        assert (await client.get("/queue")).status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-housestyle=")
    assert "Secure" in cookie
    assert answer.headers["strict-transport-security"]


async def test_too_large_a_body_is_refused_before_it_is_read(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await client.post("/chat/drafts", content=b"x" * 21_000_001)
    assert answer.status_code == 413
    assert "That is too much at once" in answer.text


async def test_a_body_without_a_length_is_cut_off(portal: Portal) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'
        for _ in range(30):
            yield b"x" * 1_000_000

    kind = {"content-type": "multipart/form-data; boundary=b"}
    async with portal.browser("mia") as client:
        answer = await client.post("/chat/drafts", content=endless(), headers=kind)
    assert answer.status_code == 413


async def test_a_bug_shows_a_reference_and_no_trace(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise RuntimeError("secret detail")

    portal.app.add_api_route("/broken", broken)
    async with portal.browser("mia") as client:
        with caplog.at_level(logging.ERROR):
            answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Something broke on our side" in answer.text
    reference = answer.text.split("Reference <code>")[1].split("<")[0]
    assert len(reference) == 8
    assert any(reference in record.getMessage() for record in caplog.records)


async def test_a_wrong_method_says_which_are_right(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await client.delete("/queue")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert "doesn't take that" in answer.text.replace("&#39;", "'")


async def test_a_form_without_its_fields_is_answered_in_words(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await client.post("/act", data={})
    assert answer.status_code == 422
    assert "Something was missing" in answer.text
