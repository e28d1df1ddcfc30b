"""Requests that a page of another site made a browser send: nothing of theirs is carried out."""

import httpx
import pytest

from tests.fakes.api import BASE, Api, make_api
from tests.fakes.portal import ORIGIN

INTERRUPT = "/sdapi/v1/interrupt"
HOST = BASE.removeprefix("http://")


@pytest.fixture
async def one() -> Api:
    """A new API."""
    return await make_api()


async def post(api: Api, path: str, *headers: tuple[str, str]) -> httpx.Response:
    """By a browser that remembers a key as a password."""
    async with api.client(key="") as client:
        return await client.post(path, auth=("x", await api.key()), headers=list(headers))


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "http://api.test:8080",
        "http://api.test.evil.test",
        "http://evil.test@",
        "http://evil.test/api.test",
        "null",
        "",
        "file://",
        "http://[::1",
        "http://[bad]:x",
    ],
)
@pytest.mark.parametrize("path", [INTERRUPT, "/sdapi/v1/txt2img", "/controlnet/detect"])
async def test_a_foreign_origin_is_refused(one: Api, path: str, origin: str) -> None:
    refused = await post(one, path, ("origin", origin))
    assert (refused.status_code, refused.json()["error"]) == (403, "cross_site")


async def test_one_foreign_origin_among_several_is_enough(one: Api) -> None:
    refused = await post(one, INTERRUPT, ("origin", BASE), ("origin", "https://evil.test"))
    assert refused.status_code == 403


async def test_a_foreign_origin_is_refused_on_every_face(one: Api) -> None:
    async with one.client(key="") as client:
        for method, path in (
            ("POST", "/v1/jobs"),
            ("DELETE", "/v1/jobs/" + "0" * 22),
            ("PUT", "/v1/inputs"),
            ("POST", "/v1/images/generations"),
            ("POST", "/sdapi/v1/options"),
        ):
            answer = await client.request(method, path, headers={"origin": "https://evil.test"})
            assert (
                answer.status_code,
                "cross_site" in answer.text or "other sites" in answer.text,
            ) == (
                403,
                True,
            ), path


@pytest.mark.parametrize("origin", [BASE, BASE.upper(), f"https://{HOST}", ORIGIN])
async def test_our_own_origin_is_taken(one: Api, origin: str) -> None:
    assert (await post(one, INTERRUPT, ("origin", origin))).status_code == 200


async def test_programs_that_send_no_origin_and_readers_with_any_are_answered(one: Api) -> None:
    assert (await post(one, INTERRUPT)).status_code == 200
    async with one.client() as client:
        told = await client.get("/sdapi/v1/options", headers={"origin": "https://evil.test"})
    assert told.status_code == 200
    assert "access-control-allow-origin" not in told.headers
