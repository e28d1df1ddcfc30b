"""The only way out of the portal: to a configured provider, bounded in time and size."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

from bot.web.signing_in.errors import ProviderMisset, ProviderSilent
from bot.web.signing_in.providers import Provider

PATIENCE_S = 8.0
"""For one whole answer."""
MAX_ANSWER = 256_000
"""Bytes; the largest key sets of real providers have some 20,000."""


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust; read once, since that takes some 50 ms."""
    return httpx.create_ssl_context()


class Outbound:
    """Sends requests to one provider. Redirects are not followed: a provider's own addresses
    answer themselves, and a followed one could carry the secret elsewhere."""

    def __init__(
        self, provider: Provider, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._provider = provider
        self._transport = transport

    async def send(
        self, method: str, address: str, *, headers: Mapping[str, str], content: str = ""
    ) -> httpx.Response:
        """The whole answer. Raises ProviderMisset for a foreign address, else ProviderSilent."""
        provider = self._provider
        if not provider.allows(address):
            raise ProviderMisset(
                provider.label,
                f"it names the address {address[:200]!r}, which is not one of its own",
                "If that host is right, add it to the setting `signin.oidc_hosts`; addresses "
                "must start with https://.",
            )
        try:
            async with asyncio.timeout(PATIENCE_S), self._client() as client:
                return await self._read(client, method, address, headers, content)
        except TimeoutError as exc:
            raise ProviderSilent(provider.label, f"no answer within {PATIENCE_S:g} s") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise ProviderSilent(provider.label, type(exc).__name__) from exc

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport,
            verify=_certificates(),
            timeout=PATIENCE_S,
            follow_redirects=False,
        )

    async def _read(
        self,
        client: httpx.AsyncClient,
        method: str,
        address: str,
        headers: Mapping[str, str],
        content: str,
    ) -> httpx.Response:
        async with client.stream(
            method, address, headers=dict(headers), content=content.encode()
        ) as response:
            data = bytearray()
            async for part in response.aiter_bytes():
                data += part
                if len(data) > MAX_ANSWER:
                    raise ProviderSilent(self._provider.label, "its answer is too long")
        return httpx.Response(
            response.status_code,
            headers={"content-type": response.headers.get("content-type", "")},
            content=bytes(data),
            request=response.request,
        )

    async def json(self, address: str, *, token: str = "") -> dict[str, Any]:
        """A JSON object that is read by GET. Raises as `send`."""
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        response = await self.send("GET", address, headers=headers)
        if response.status_code != httpx.codes.OK:
            raise ProviderSilent(self._provider.label, f"it answered {response.status_code}")
        try:
            value = json.loads(response.content)
        except (ValueError, RecursionError) as exc:
            raise ProviderSilent(self._provider.label, "its answer isn't JSON") from exc
        if not isinstance(value, dict):
            raise ProviderSilent(self._provider.label, "its answer isn't a JSON object")
        return value
