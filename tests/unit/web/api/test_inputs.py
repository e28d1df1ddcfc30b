"""Inputs over HTTP: whose they are, who may bring them, and how many are in memory at once."""

import asyncio
import base64
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope
from starlette.types import Send as Answer

from bot.core.limits import UploadLimits
from bot.core.people import Role
from bot.web.api.guard import MAX_PICTURE, ApiGuard
from bot.web.api.room import BodyRoom
from tests.fakes.api import BASE, Api, make_api
from tests.fakes.town import person
from tests.fakes.uploads import png
from tests.unit.web.api.test_ways_api import half_clear, picture
from tests.unit.web.api.test_ways_api import png as file_of

PNG = {"content-type": "image/png"}


async def stored(api: Api) -> list[str]:
    return [sha256 async for sha256 in api.portal.town.house.blobs.all()]


async def limited(**limits: int) -> Api:
    return await make_api(uploads=UploadLimits(**limits))


async def native(client: httpx.AsyncClient, data: bytes) -> httpx.Response:
    return await client.put("/v1/inputs", content=data, headers=PNG)


async def openai_edit(client: httpx.AsyncClient, data: bytes) -> httpx.Response:
    files = {"image": ("a.png", data, "image/png")}
    return await client.post("/v1/images/edits", data={"prompt": "a cup"}, files=files)


async def webui(client: httpx.AsyncClient, data: bytes) -> httpx.Response:
    text = base64.b64encode(data).decode()
    body = {"prompt": "a cup", "init_images": [text]}
    return await client.post("/sdapi/v1/img2img", json=body)


async def webui_control(client: httpx.AsyncClient, data: bytes) -> httpx.Response:
    unit = {"module": "canny", "model": "x", "image": base64.b64encode(data).decode()}
    scripts = {"controlnet": {"args": [unit]}}
    body = {"prompt": "a cup", "alwayson_scripts": scripts}
    return await client.post("/sdapi/v1/txt2img", json=body)


FACES = {
    "native": native,
    "openai": openai_edit,
    "webui": webui,
    "webui's ControlNet": webui_control,
}


async def test_the_hash_of_somebody_else_s_input_is_as_good_as_none() -> None:
    api = await make_api()
    async with api.client("mia") as mia, api.client("ana") as ana:
        sha256 = (await native(mia, png())).json()["sha256"]
        wanted = {"words": "a hat", "brand": "acme"}
        uses = (
            {"reference": sha256, "strength": 0.0},
            {"like": sha256},
            {"controls": [{"kind": "canny", "picture": sha256}]},
        )
        for use in uses:
            refused = await ana.post("/v1/jobs", json=wanted | use)
            assert refused.status_code == 404, refused.text
            assert "Attach it" in refused.json()["detail"]
            assert (await mia.post("/v1/jobs", json=wanted | use)).status_code == 202


@pytest.mark.parametrize("face", FACES)
async def test_nobody_fills_the_disk_who_may_not_ask_for_pictures(face: str) -> None:
    api = await make_api()
    async with api.client("ben") as client:
        answer = await FACES[face](client, png())
    assert answer.status_code == 403, answer.text
    assert "requester" in answer.text
    assert await stored(api) == []


@pytest.mark.parametrize("face", FACES)
async def test_only_so_many_inputs_wait_on_every_face(face: str) -> None:
    api = await limited(files=1)
    async with api.client("mia") as client:
        assert (await native(client, png("blue"))).status_code == 200
        before = await stored(api)
        answer = await FACES[face](client, png("green"))
    assert answer.status_code == 429, answer.text
    assert "At most 1 may" in answer.text
    assert "uploads.files" in answer.text
    assert await stored(api) == before


async def test_a_mask_of_the_openai_face_is_its_sender_s_own() -> None:
    api = await make_api()
    async with api.working(), api.client("mia") as client:
        files = {
            "image": ("a.png", file_of(picture()), "image/png"),
            "mask": ("m.png", file_of(half_clear()), "image/png"),
        }
        answer = await client.post("/v1/images/edits", data={"prompt": "a cup"}, files=files)
        assert answer.status_code == 200, answer.text
    async with api.portal.town.house.store.read() as tx:
        [job] = await tx.jobs.recent(limit=1)
        for sha256 in job.brief.pictures:
            upload = await tx.uploads.get(api.portal.town.people["mia"].id, sha256)
            assert upload is not None
            assert upload.job == job.id


async def test_no_large_body_is_read_for_somebody_who_may_not_ask() -> None:
    api, read = await make_api(), list[bytes]()
    guest = replace(person("Gus"), roles=(("acme", Role.APPROVER),))
    async with api.portal.town.house.store.write() as tx:
        await tx.people.add(guest)
    api.portal.town.people["gus"] = guest

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            read.append(b" " * 1000)
            yield read[-1]

    async with api.client("gus") as client:
        answer = await client.put("/v1/inputs", content=body(), headers=PNG)
    assert answer.status_code == 403, answer.text
    assert len(read) <= 1


class Slow:
    """A body that arrives in two parts, the second when it is told to."""

    def __init__(self, size: int) -> None:
        self.began, self.may_end = asyncio.Event(), asyncio.Event()
        self._half = b"\0" * (size // 2)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.began.set()
        yield self._half
        await self.may_end.wait()
        yield self._half


class Wire:
    """Requests straight into the ASGI application: each part is received when it is asked for."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app, self._key = app, key

    async def put(self, body: Slow, size: int) -> int:
        """PUT a body; the status."""
        headers = [
            (b"host", b"api.test"),
            (b"authorization", f"Bearer {self._key}".encode()),
            (b"content-type", b"image/png"),
            (b"content-length", str(size).encode()),
        ]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PUT",
            "path": "/v1/inputs", "raw_path": b"/v1/inputs", "query_string": b"", "scheme": "http",
            "headers": headers, "server": ("api.test", 80), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        parts, status = aiter(body), 0

        async def receive() -> dict[str, Any]:
            part = await anext(parts, None)
            return {"type": "http.request", "body": part or b"", "more_body": part is not None}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        await self._app(scope, receive, send)
        return status


async def test_large_bodies_are_read_only_as_far_as_there_is_room_for_them() -> None:
    size = 19_000_000
    api = await limited(memory_mib=40)
    wire = Wire(api.portal.app, await api.key("mia"))
    bodies = [Slow(size) for _ in range(4)]
    tasks = [asyncio.create_task(wire.put(body, size)) for body in bodies]
    await asyncio.gather(bodies[0].began.wait(), bodies[1].began.wait())
    for _ in range(50):
        await asyncio.sleep(0)
    assert [body.began.is_set() for body in bodies] == [True, True, False, False]
    async with api.client("mia") as client:  # small requests go past those that wait
        assert (await client.get("/v1/brands")).status_code == 200
        small = {"words": "a mug", "brand": "acme"}
        assert (await client.post("/v1/jobs", json=small)).status_code == 202
    bodies[0].may_end.set()
    assert await tasks[0] == 422, "zeros are no picture"
    await bodies[2].began.wait()
    assert not bodies[3].began.is_set()
    for body in bodies:
        body.may_end.set()
    assert await asyncio.gather(*tasks) == [422] * 4


async def reads_it(scope: Scope, receive: Receive, send: Answer) -> None:
    """An application that reads its body and says how long it was."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)}")(scope, receive, send)


async def test_who_finds_no_room_is_told_when_to_come_again() -> None:
    api, size = await make_api(), 1_000_000
    room = BodyRoom(size, wait_s=0.05)
    guarded = ApiGuard(reads_it, house=api.portal.town.house, room=room)
    key = await api.key("mia")
    slow = Slow(size)
    held = asyncio.create_task(Wire(guarded, key).put(slow, size))
    await slow.began.wait()
    headers = {"authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app=guarded)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        for method, path, media, shape in (
            ("PUT", "/v1/inputs", "image/png", "detail"),
            ("POST", "/sdapi/v1/img2img", "application/json", "error"),
            ("POST", "/v1/images/edits", "multipart/form-data; boundary=x", "error"),
        ):
            media_type = {"content-type": media}
            answer = await client.request(method, path, content=b"\0" * size, headers=media_type)
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"] == "5"
            assert answer.json()[shape]
        slow.may_end.set()
        assert await held == 200
        assert (await client.put("/v1/inputs", content=b"\0" * size, headers=PNG)).text == f"{size}"
    assert room.held == 0


async def test_a_body_without_a_length_holds_what_it_turned_out_to_have() -> None:
    api, seen = await make_api(), list[int]()
    room = BodyRoom(30_000_000)

    async def looks(scope: Scope, receive: Receive, send: Answer) -> None:
        seen.append(room.held)
        await Request(scope, receive).body()
        seen.append(room.held)
        await PlainTextResponse("")(scope, receive, send)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"\0" * 1000

    headers = {"authorization": f"Bearer {await api.key('mia')}", **PNG}
    guarded = ApiGuard(looks, house=api.portal.town.house, room=room)
    transport = httpx.ASGITransport(app=guarded)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        await client.put("/v1/inputs", content=body())
    assert seen == [MAX_PICTURE, 3000]
    assert room.held == 0


async def test_a_body_that_does_not_arrive_gives_its_room_back() -> None:
    api, size = await make_api(), 1_000_000
    room = BodyRoom(size)

    async def reads_and_fails(scope: Scope, receive: Receive, send: Answer) -> None:
        try:
            await reads_it(scope, receive, send)
        except HTTPException as exc:  # as FastAPI answers it
            await PlainTextResponse("", exc.status_code)(scope, receive, send)

    house, key = api.portal.town.house, await api.key("mia")
    hasty = ApiGuard(reads_and_fails, house=house, room=room, read_s=0.05)
    assert await Wire(hasty, key).put(Slow(size), size) == 408
    assert room.held == 0
