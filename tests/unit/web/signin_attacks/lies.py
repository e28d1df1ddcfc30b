"""What attackers of signing in make up: claims of a token that lie, each with what finds it out."""

from collections.abc import Callable
from typing import Any

from bot.web.signing_in.errors import BackFromNowhere
from tests.fakes.oidc_provider import CLIENT

HOME = "http://portal.test/sign-in/oidc/callback"
Bend = Callable[[dict[str, Any]], dict[str, Any]]
Log = Callable[[], list[str]]
OTHER = BackFromNowhere().message.split(",", maxsplit=1)[0]


def plus(**claims: object) -> Bend:
    """These claims set, those that are None left out."""
    return lambda was: {k: v for k, v in (was | claims).items() if v is not None}


def moved(**seconds: int) -> Bend:
    """Times moved."""
    return lambda was: was | {name: was["iat"] + by for name, by in seconds.items()}


LIES: dict[str, tuple[Bend, str]] = {
    "the nonce of another sign-in": (plus(nonce="other"), "nonce"),
    "an empty nonce": (plus(nonce=""), "nonce"),
    "no nonce": (plus(nonce=None), "nonce"),
    "a token for somebody else": (plus(aud="other"), "aud"),
    "a token for somebody else, with our name as the authorized party": (
        plus(aud="other", azp=CLIENT),
        "aud",
    ),
    "a list of others, with our name as the authorized party": (
        plus(aud=["other"], azp=CLIENT),
        "aud",
    ),
    "a token for us and others": (plus(aud=[CLIENT, "other"], azp=CLIENT), "aud"),
    "a token for us that another party asked for": (plus(azp="other"), "azp"),
    "no audience": (plus(aud=None), "aud"),
    "the name of another issuer": (plus(iss="https://evil.test"), "iss"),
    "no issuer": (plus(iss=None), "iss"),
    "an expired token": (moved(exp=-61, iat=-361), "exp"),
    "no expiry": (plus(exp=None), "exp"),
    "an expiry that is no number": (plus(exp="tomorrow"), "exp"),
    "a token that is not valid yet": (moved(nbf=120), "nbf"),
    "a token from the future": (moved(iat=120, exp=300), "iat"),
    "nobody": (plus(sub=None), "sub"),
    "an empty name": (plus(sub=""), "sub"),
    "a name that is no text": (plus(sub=17), "sub"),
    "the hash of another access token": (plus(at_hash="AAAA"), "at_hash"),
}


def refused(kept: list[Any]) -> object:
    """The reason of the only refusal in the ledger."""
    assert len(kept) == 1
    return kept[0].facts["reason"]
