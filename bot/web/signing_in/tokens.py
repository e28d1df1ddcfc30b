"""What proves who somebody is: an ID token whose signature, issuer, audience, times and nonce fit.

OpenID Connect Core 1.0, section 3.1.3.7. Authlib checks the claims and joserfc the signature;
issuer and audience are named to them, since left alone they accept any.
"""

from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ClaimError, InvalidKeyIdError, JoseError
from joserfc.jws import JWSRegistry

from bot.web.signing_in.discovery import Discovery
from bot.web.signing_in.errors import NotProven
from bot.web.signing_in.providers import Provider

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
              "ES256", "ES384", "ES512", "Ed25519", "EdDSA")  # fmt: skip
"""Signatures by a private key only: `none` and those by a shared secret are never taken."""
LEEWAY_S = 60
"""How far the provider's clock may be off."""


async def proven_claims(
    provider: Provider,
    discovery: Discovery,
    *,
    id_token: object,
    access_token: object,
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """The claims of a good ID token. Raises NotProven with the name of the check."""
    if not isinstance(id_token, str) or not id_token:
        raise NotProven(provider.label, "id_token")
    token = await _verified(provider, discovery, id_token)
    claims = CodeIDToken(
        token.claims,
        token.header,
        {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
            "nonce": {"essential": True, "value": nonce},
        },
        {"nonce": nonce, "client_id": provider.client_id, "access_token": access_token},
    )
    try:
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
    except ClaimError as exc:
        raise NotProven(provider.label, exc.claim) from exc
    except (JoseError, ValueError, TypeError, AttributeError) as exc:
        raise NotProven(provider.label, "claims") from exc
    if claims["aud"] not in (provider.client_id, [provider.client_id]):
        raise NotProven(provider.label, "aud")  # a token for us and others may be replayed by them
    return dict(claims)


async def _verified(provider: Provider, discovery: Discovery, id_token: str) -> jwt.Token:
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        try:
            return jwt.decode(id_token, await discovery.keys(), registry=registry)
        except InvalidKeyIdError:
            keys = await discovery.keys(fresh=True)  # the provider may have changed its keys
            return jwt.decode(id_token, keys, registry=registry)
    except (JoseError, ValueError, TypeError, RecursionError) as exc:
        raise NotProven(provider.label, "signature") from exc
