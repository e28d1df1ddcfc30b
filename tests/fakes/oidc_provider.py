"""A provider of identities on loopback that can be told to lie: OpenID Connect, Slack's dialect of
it, and Discord's plain OAuth 2.0. It keeps the rules of a real one (codes count once, PKCE is
checked) unless a test bends them."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "portal", "its-secret"
ANYONE = {"sub": "u-17", "name": "Mia", "email": "mia@acme.test", "email_verified": False}
Bend = Callable[[dict[str, Any]], dict[str, Any]]


@cache
def new_key(kid: str) -> RSAKey:
    """A key pair; made once per name, since that takes a while."""
    return RSAKey.generate_key(2048, {"kid": kid})


def as_is(value: dict[str, Any]) -> dict[str, Any]:
    """No lie."""
    return value


@dataclass
class Grant:
    """What a code stands for."""

    challenge: str
    nonce: str
    redirect: str


@dataclass
class FakeProvider:
    """The provider's mind. Everything may be changed by a test between two requests."""

    issuer: str = ""
    user: dict[str, Any] = field(default_factory=lambda: dict(ANYONE))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: TID251  the outside's clock
    claims: Bend = as_is
    metadata: Bend = as_is
    keys: Bend = as_is
    algorithm: str = "RS256"
    key: RSAKey = field(default_factory=lambda: new_key("k1"))
    token_answer: Callable[[dict[str, Any]], tuple[int, bytes]] | None = None
    checks_pkce: bool = True
    grants: dict[str, Grant] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Every path that was asked for, in order."""

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery, section 3."""
        return self.metadata(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/oauth2/authorize",
                "token_endpoint": f"{self.issuer}/api/oauth2/token",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    def authorize(self, asked: dict[str, str]) -> str:
        """The person agrees at once; where the browser is sent."""
        code = secrets.token_urlsafe(16)
        self.grants[code] = Grant(
            challenge=asked.get("code_challenge", ""),
            nonce=asked.get("nonce", ""),
            redirect=asked["redirect_uri"],
        )
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """RFC 6749, section 5; RFC 7636, section 4.6."""
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != f"Basic {basic}":
            return 401, {"error": "invalid_client"}
        grant = self.grants.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if grant is None or grant.redirect != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        if self.checks_pkce and proof != grant.challenge:
            return 400, {"error": "invalid_grant"}
        answer = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer"}
        return 200, answer | {"id_token": self.id_token(grant.nonce)}

    def id_token(self, nonce: str) -> str:
        """Signed as told to."""
        now = int(self.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = self.claims(claims | self.user)
        header = {"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT"}
        if self.algorithm in ("none", "HS256", "HS512"):
            signed = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
            return f"{signed}.{_b64(self._forged(signed.encode()))}"
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def _forged(self, signed: bytes) -> bytes:
        """A signature that everybody can make: none, or with the public key as the secret."""
        if self.algorithm == "none":
            return b""
        how = hashlib.sha256 if self.algorithm == "HS256" else hashlib.sha512
        return hmac.digest(self.key.as_pem(private=False), signed, how)

    def key_set(self) -> dict[str, Any]:
        """Its public keys."""
        return self.keys({"keys": [self.key.as_dict(private=False)]})


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    """HTTP around it."""

    provider: FakeProvider

    def do_GET(self) -> None:
        """Everything but the token endpoint."""
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.provider.asked.append(parts.path)
        match parts.path:
            case "/.well-known/openid-configuration":
                self._say(200, self.provider.discovery())
            case "/oauth2/authorize":
                self._say(302, {}, self.provider.authorize(asked))
            case "/keys":
                self._say(200, self.provider.key_set())
            case "/api/v10/users/@me":
                bearer = self.headers.get("authorization", "").startswith("Bearer ")
                self._say(200 if bearer else 401, self.provider.user)
            case _:
                self._say(404, {})

    def do_POST(self) -> None:
        """The token endpoint."""
        self.provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        status, answer = self.provider.token(form, self.headers.get("authorization", ""))
        if self.provider.token_answer is not None and status == 200:
            status, raw = self.provider.token_answer(answer)
            self._send(status, raw)
            return
        self._say(status, answer)

    def _say(self, status: int, answer: dict[str, Any], location: str = "") -> None:
        self._send(status, json.dumps(answer).encode(), location)

    def _send(self, status: int, data: bytes, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@contextmanager
def serving_provider() -> Iterator[FakeProvider]:
    """A provider that answers on loopback until the block ends."""
    provider = FakeProvider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
