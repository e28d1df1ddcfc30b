"""Bad requests: too large, nested, bombs, odd headers and paths. Typed refusals, never a 5xx."""

import asyncio
import base64
import io
import json
import struct
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest
from PIL import Image

from bot.web.api.guard import MAX_JSON, MAX_PICTURE
from tests.fakes.api import Api, make_api

PROBLEM = "application/problem+json"
PNG = {"content-type": "image/png"}
JSON = {"content-type": "application/json"}


@pytest.fixture
async def one() -> Api:
    """A new API."""
    return await make_api()


def bomb(side: int = 60_000) -> bytes:
    """A small file that claims to be a picture of 3,600 megapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def is_problem(answer: httpx.Response, *statuses: int) -> None:
    """Of one of these statuses, in the form of RFC 9457."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["detail"]


@pytest.mark.parametrize(
    ("method", "path", "media"),
    [
        ("POST", "/sdapi/v1/txt2img", "application/json"),
        ("POST", "/sdapi/v1/img2img", "application/json"),
        ("POST", "/v1/images/edits", "multipart/form-data; boundary=x"),
        ("PUT", "/v1/inputs", "image/png"),
    ],
)
async def test_no_large_body_is_read_for_a_key_that_may_not_submit(
    one: Api, method: str, path: str, media: str
) -> None:
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            read.append(b" " * 1000)
            yield read[-1]

    async with one.client(scopes=("read",)) as client:
        answer = await client.request(method, path, content=body(), headers={"content-type": media})
    assert answer.status_code == 403, answer.text
    assert len(read) <= 1


async def test_every_kind_of_failure_of_http_is_a_problem(one: Api) -> None:
    async with one.client() as client, one.client(key="") as stranger:
        is_problem(await stranger.get("/v1/jobs"), 401)
        is_problem(await stranger.get("/v1/nothing"), 401)
        is_problem(await client.get("/v1/nothing"), 404)
        is_problem(await client.get("/v1/jobs/" + "0" * 22), 404)
        is_problem(await client.get("/v1/jobs/short"), 422)
        wrong = await client.patch("/v1/jobs")
        is_problem(wrong, 405)
        assert wrong.headers["allow"] == "GET, POST"
        is_problem(await client.post("/v1/jobs", content=b"{", headers=JSON), 422)
        is_problem(await client.post("/v1/jobs", content=b"\xff\xfe{}", headers=JSON), 400, 422)
        is_problem(await client.post("/v1/jobs", content=b"a=b"), 415)
        is_problem(await client.put("/v1/inputs", content=b"x", headers=JSON), 415)
        is_problem(await client.post("/v1/jobs", json={"words": "x", "nothing": 1}), 422)
        is_problem(await client.post("/v1/jobs", json={"words": "x", "n": True}), 422)
        is_problem(await client.post("/v1/jobs", json={"words": "x", "n": "2"}), 422)


async def test_bodies_that_are_too_large_are_cut_off_with_or_without_a_length(one: Api) -> None:
    async def endless() -> object:
        for _ in range(1000):
            yield b" " * 65_536

    async with one.client() as client:
        is_problem(await client.post("/v1/jobs", content=b" " * (MAX_JSON + 1), headers=JSON), 413)
        is_problem(await client.post("/v1/jobs", content=endless(), headers=JSON), 413)
        large = b"\x89PNG" + b"\0" * MAX_PICTURE
        is_problem(await client.put("/v1/inputs", content=large, headers=PNG), 413)
        odd = {**JSON, "content-length": "-1"}
        is_problem(await client.post("/v1/jobs", content=b"{}", headers=odd), 400)


async def test_nested_and_odd_json_is_refused(one: Api) -> None:
    async with one.client() as client:
        for body in (
            "[" * 100_000 + "]" * 100_000,
            '{"words":' + '{"a":' * 20_000 + "1" + "}" * 20_000 + "}",
            '{"words": "\\ud800"}',
            '{"words": "x", "cfg": NaN}',
            '{"words": "x", "cfg": 1e999}',
            '{"words": "x", "seed": 1e30}',
            '{"words": "x", "seed": ' + "9" * 4000 + "}",
            "null",
            '"text"',
        ):
            answer = await client.post("/v1/jobs", content=body.encode(), headers=JSON)
            is_problem(answer, 400, 422)


async def test_bombs_and_things_that_are_no_pictures_are_refused(one: Api) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "GIF")
    async with one.client() as client:
        is_problem(await client.put("/v1/inputs", content=bomb(), headers=PNG), 413)
        for data in (b"", b"<svg/>", out.getvalue(), b"\x89PNG\r\n\x1a\n" + b"\0" * 50):
            is_problem(await client.put("/v1/inputs", content=data, headers=PNG), 422)
        text = base64.b64encode(bomb()).decode()
        for body in (
            {"init_images": [text]},
            {"init_images": ["data:image/png;base64," + text]},
            {"init_images": ["A" * 27_000_000]},
        ):
            answer = await client.post("/sdapi/v1/img2img", json={"prompt": "x", **body})
            assert answer.status_code == 413, answer.text[:200]
        files = {"image": ("a.png", bomb(), "image/png")}
        answer = await client.post("/v1/images/edits", data={"prompt": "x"}, files=files)
        assert answer.status_code == 413, answer.text[:200]


async def test_paths_never_leave_the_house(one: Api) -> None:
    tricks = (
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "....//....//etc/passwd",
        "master%00.png",
        "master/../../x",
        "C:%5cwindows",
        "%c0%ae%c0%ae/",
    )
    async with one.client() as client:
        for trick in tricks:
            for path in (
                "/v1/pictures/{}",
                "/v1/jobs/{}",
                "/v1/pictures/" + "0" * 22 + "/files/{}",
            ):
                answer = await client.get(path.format(trick))
                assert answer.status_code in (404, 422), (path, trick, answer.status_code)
            answer = await client.get(f"/v1/models/{trick}")
            assert answer.status_code in (404, 422)
            assert "root:" not in answer.text


async def test_headers_can_not_be_split(one: Api) -> None:
    async with one.client() as client:
        for key in ("a b", "a\tb", "é", "", "k" * 300):
            answer = await client.post(
                "/v1/jobs",
                json={"words": "x"},
                headers=[(b"idempotency-key", key.encode("latin-1"))],
            )
            is_problem(answer, 422)
        quoted = await client.post(
            "/v1/jobs", json={"words": "x"}, headers={"idempotency-key": '"8e03978e"'}
        )
        assert quoted.status_code == 202, "the draft writes keys in quotes"
        words = await client.post("/v1/jobs", json={"words": "x\r\nSet-Cookie: a=b"})
        assert "set-cookie" not in words.headers
        model = await client.get("/v1/models/a%0d%0aSet-Cookie:%20a=b")
        assert (model.status_code, "set-cookie" in model.headers) == (404, False)


async def test_every_answer_says_that_it_is_no_page(one: Api) -> None:
    async with one.client() as client, one.client(key="") as stranger:
        for answer in (
            await client.get("/v1/jobs"),
            await stranger.get("/v1/jobs"),
            await client.get("/v1/nothing"),
            await client.get("/v1/openapi.json"),
        ):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "no-store" in answer.headers["cache-control"]
            assert "set-cookie" not in answer.headers


async def test_twenty_retries_of_a_picture_at_once_render_it_once(one: Api) -> None:
    async with one.client() as client, one.working():
        answers = await asyncio.gather(
            *(
                client.post(
                    "/v1/images/generations",
                    json={"prompt": "a mug"},
                    headers={"idempotency-key": "k"},
                )
                for _ in range(20)
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({json.dumps(answer.json()["data"]) for answer in answers}) == 1
    assert len(one.portal.town.renderer.requests) == 1
