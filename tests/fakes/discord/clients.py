"""Clients of the REST API for tests: unmodified discord.py, and bare requests for the refusals."""

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord

from tests.fakes.discord.app import FakeDiscord

SMALL_PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x08\x08\x02\0\0\0"
    + b"as many bytes as it takes"
)
"""What is enough of a picture for Discord to measure: 16 × 8."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> int:
        """Discord's own number of what was wrong."""
        return int(self.body.get("code", 0)) if isinstance(self.body, dict) else 0


class Bare:
    """Requests without a client library between."""

    def __init__(self, fake: FakeDiscord, session: aiohttp.ClientSession) -> None:
        self.fake = fake
        self.session = session

    async def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        files: Sequence[tuple[str, bytes]] = (),
        token: str | None = None,
    ) -> Answered:
        """One request; with files as multipart. Without a token the right one goes along."""
        headers = {"Authorization": f"Bot {self.fake.token if token is None else token}"}
        more: dict[str, Any] = {}
        if files:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", json.dumps(body or {}), content_type="application/json")
            for number, (name, data) in enumerate(files):
                form.add_field(f"files[{number}]", io.BytesIO(data), filename=name)
            more["data"] = form
        elif body is not None:
            more["json"] = body
        address = self.fake.api_url + path
        async with self.session.request(method, address, headers=headers, **more) as response:
            data = await response.read()
            is_json = response.content_type == "application/json"
            return Answered(
                status=response.status,
                body=json.loads(data) if is_json else data.decode(),
                headers=dict(response.headers),
            )


@asynccontextmanager
async def bare(fake: FakeDiscord) -> AsyncIterator[Bare]:
    """Bare requests to this Discord."""
    async with aiohttp.ClientSession() as session:
        yield Bare(fake, session)


@asynccontextmanager
async def logged_in(fake: FakeDiscord) -> AsyncIterator[discord.Client]:
    """discord.py, logged in over REST alone. `Route.BASE` must point at the fake: its tests set it
    with `monkeypatch`."""
    client = discord.Client(intents=discord.Intents(guilds=True))
    await client.login(fake.token)
    try:
        yield client
    finally:
        await client.close()
