"""The way there and back: the address to send the browser to, and whose answer came home."""

from collections.abc import Mapping
from typing import Any

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from bot.core.people import Identity
from bot.core.ports import Clock
from bot.web.signing_in.discovery import Discovery
from bot.web.signing_in.errors import (
    BackFromNowhere,
    NotProven,
    ProviderMisset,
    ProviderSilent,
    SaidNo,
)
from bot.web.signing_in.journey import Journey
from bot.web.signing_in.outbound import Outbound
from bot.web.signing_in.providers import Endpoints, Provider
from bot.web.signing_in.tokens import proven_claims

OUR_FAULT = frozenset({"invalid_client", "unauthorized_client", "invalid_scope"})
"""Error words of RFC 6749, section 5.2, that an admin has to mend."""


class CodeClient(OAuth2Client):  # type: ignore[misc]  # Authlib has no annotations
    """Authlib's client for the authorization code, sending through our one way out."""

    def __init__(self, outbound: Outbound, **settings: Any) -> None:
        super().__init__(session=None, code_challenge_method="S256", **settings)
        self._outbound = outbound

    async def _fetch_token(
        self,
        url: str,
        body: str = "",
        headers: Mapping[str, str] | None = None,
        auth: ClientAuth | None = None,
        method: str = "POST",
        **_: object,
    ) -> dict[str, Any]:
        if auth is None:
            raise TypeError("A token is never asked for without saying who we are.")
        url, signed, body = auth.prepare(method, url, dict(headers or {}), body)
        response = await self._outbound.send(method, url, headers=signed, content=body)
        return dict(self.parse_response_token(response))


class Flow:
    """Signing in with one provider, for a portal at `base_url`."""

    def __init__(
        self,
        provider: Provider,
        clock: Clock,
        base_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.provider = provider
        self._clock = clock
        self._redirect = base_url.rstrip("/") + provider.redirect_path
        self._outbound = Outbound(provider, transport)
        self._discovery = Discovery(provider, self._outbound, clock)

    async def start(self, journey: Journey) -> str:
        """The provider's address for this journey. Raises ProviderMisset, ProviderSilent."""
        endpoints = await self._discovery.endpoints()
        nonce = {"nonce": journey.nonce} if endpoints.keys else {}
        address, _ = self._client(endpoints).create_authorization_url(
            endpoints.authorize, state=journey.state, code_verifier=journey.verifier, **nonce
        )
        return str(address)

    async def finish(self, journey: Journey, answer: Mapping[str, str]) -> Identity:
        """Whose account it is. `answer` is the query that the provider sent the browser back
        with, whose state was compared already. Raises the SignInFailed tree."""
        label = self.provider.label
        endpoints = await self._discovery.endpoints()
        self._from_there(endpoints, answer)
        if "error" in answer:
            raise SaidNo(label, _word(answer["error"]))
        if not answer.get("code"):
            raise BackFromNowhere
        token = await self._token(endpoints, journey, answer["code"])
        if endpoints.keys:
            claims = await proven_claims(
                self.provider,
                self._discovery,
                id_token=token.get("id_token"),
                access_token=token.get("access_token"),
                nonce=journey.nonce,
                now=self._clock.now(),
            )
        else:
            claims = await self._outbound.json(endpoints.me, token=str(token["access_token"]))
        account = self.provider.account(claims)
        if account is None:
            raise NotProven(label, "account")
        return account

    def _from_there(self, endpoints: Endpoints, answer: Mapping[str, str]) -> None:
        """Mix-up defence (RFC 9207): an answer that names its issuer names this one."""
        said = answer.get("iss")
        if said is None and not endpoints.says_issuer:
            return
        if said != endpoints.issuer:
            raise NotProven(self.provider.label, "iss")

    async def _token(self, endpoints: Endpoints, journey: Journey, code: str) -> dict[str, Any]:
        label = self.provider.label
        try:
            token = await self._client(endpoints).fetch_token(
                endpoints.token,
                grant_type="authorization_code",
                code=code,
                code_verifier=journey.verifier,
            )
        except OAuth2Error as exc:
            if exc.error in OUR_FAULT:
                raise ProviderMisset(
                    label,
                    f"it answered {_word(exc.error)}",
                    "Compare client id, secret and redirect address with the provider's page.",
                ) from exc
            raise NotProven(label, "code") from exc
        except (httpx.HTTPError, ValueError, RecursionError) as exc:
            raise ProviderSilent(label, "its answer can't be read") from exc
        bearer = token.get("access_token")
        if not isinstance(bearer, str) or not bearer or not bearer.isascii():  # it goes in a header
            raise NotProven(label, "access_token")
        return dict(token)

    def _client(self, endpoints: Endpoints) -> CodeClient:
        return CodeClient(
            self._outbound,
            client_id=self.provider.client_id,
            client_secret=self.provider.client_secret,
            token_endpoint_auth_method=(
                endpoints.auth_method if self.provider.client_secret else "none"
            ),
            scope=self.provider.scope,
            redirect_uri=self._redirect,
        )


def _word(text: object) -> str:
    """An error word of the provider, harmless to show: it may have been written by anybody."""
    word = str(text)[:40]
    return word if word.isascii() and word.replace("_", "").isalnum() else "unknown error"
