"""Where a provider's endpoints are and which keys sign its tokens: asked once, kept for a while."""

from datetime import datetime, timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bot.core.ports import Clock
from bot.web.signing_in.errors import ProviderMisset, ProviderSilent, SignInFailed
from bot.web.signing_in.outbound import Outbound
from bot.web.signing_in.providers import Endpoints, Provider

WELL_KNOWN = "/.well-known/openid-configuration"
KEEP = timedelta(hours=1)
ASK_AGAIN = timedelta(seconds=30)
"""Keys are fetched anew for an unknown key id, but not more often than this."""
REST = timedelta(seconds=5)
"""A provider that did not answer is left alone for so long."""
ASYMMETRIC = frozenset({"RSA", "EC", "OKP"})


class Discovery:
    """One provider's endpoints and keys."""

    def __init__(self, provider: Provider, outbound: Outbound, clock: Clock) -> None:
        self._provider = provider
        self._outbound = outbound
        self._clock = clock
        self._endpoints: tuple[datetime, Endpoints] | None = None
        self._keys: tuple[datetime, KeySet] | None = None
        self._failed: tuple[datetime, SignInFailed] | None = None

    async def endpoints(self) -> Endpoints:
        """Raises ProviderMisset, ProviderSilent."""
        if self._provider.endpoints is not None:
            return self._provider.endpoints
        now = self._clock.now()
        if self._endpoints is None or now - self._endpoints[0] >= KEEP:
            self._endpoints = (now, await self._asked(now))
        return self._endpoints[1]

    async def _asked(self, now: datetime) -> Endpoints:
        """Asked for, unless that failed a moment ago: anybody may press the button."""
        if self._failed is not None and now - self._failed[0] < REST:
            raise self._failed[1].with_traceback(None)
        try:
            said = await self._outbound.json(self._provider.issuer.rstrip("/") + WELL_KNOWN)
            return self._read(said)
        except SignInFailed as exc:
            self._failed = (now, exc)
            raise

    async def keys(self, *, fresh: bool = False) -> KeySet:
        """Its public keys; `fresh` asks again where that was long enough ago."""
        now = self._clock.now()
        age = None if self._keys is None else now - self._keys[0]
        if self._keys is None or age is None or age >= (ASK_AGAIN if fresh else KEEP):
            endpoints = await self.endpoints()
            self._keys = (now, self._key_set(await self._outbound.json(endpoints.keys)))
        return self._keys[1]

    def _read(self, said: dict[str, Any]) -> Endpoints:
        provider = self._provider
        if said.get("issuer") != provider.issuer:
            raise ProviderMisset(
                provider.label,
                f"it calls itself {str(said.get('issuer'))[:200]!r}, not {provider.issuer!r}",
                "Write the issuer exactly as the provider does, with or without the last slash.",
            )
        found = {
            name: said.get(name)
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        }
        for name, address in found.items():
            if not isinstance(address, str) or not provider.allows(address):
                raise ProviderMisset(
                    provider.label,
                    f"its {name} is {str(address)[:200]!r}, which is not an address of its own",
                    "If that host is right, add it to the setting `signin.oidc_hosts`; addresses "
                    "must start with https://.",
                )
        return Endpoints(
            issuer=provider.issuer,
            authorize=str(found["authorization_endpoint"]),
            token=str(found["token_endpoint"]),
            keys=str(found["jwks_uri"]),
            auth_method=_auth_method(said.get("token_endpoint_auth_methods_supported")),
            says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
        )

    def _key_set(self, said: dict[str, Any]) -> KeySet:
        """Public keys for signatures only: a shared secret in the set is left out."""
        listed = said.get("keys")
        usable = [
            key
            for key in (listed if isinstance(listed, list) else [])
            if isinstance(key, dict) and key.get("kty") in ASYMMETRIC and key.get("use") != "enc"
        ]
        try:
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError) as exc:
            raise ProviderSilent(self._provider.label, "its list of keys can't be read") from exc


def _auth_method(supported: object) -> str:
    """How the secret is shown: in the header unless the provider takes it in the form only."""
    if isinstance(supported, list) and "client_secret_basic" not in supported:
        return "client_secret_post" if "client_secret_post" in supported else "none"
    return "client_secret_basic"
