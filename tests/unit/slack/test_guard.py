"""Only what Slack signed, just now and in one way, gets past the guard."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from bot.chat.slack_chat.incoming.guard import MAX_AGE_S, UNSIGNED, refusal, signature_of
from tests.hostile.slack import BROKEN_SIGNATURES, Forgery, random_forgery

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp())).encode()
BODY = b'{"type":"event_callback"}'
RAISED = BODY + b" "


def signed(body: bytes = BODY, *, stamp: bytes = STAMP) -> list[tuple[bytes, bytes]]:
    """Headers as Slack sends them."""
    return [
        (b"content-type", b"application/json"),
        (b"x-slack-request-timestamp", stamp),
        (b"x-slack-signature", signature_of(stamp, body, SECRET)),
    ]


def test_a_signed_request_is_let_in() -> None:
    assert refusal(signed(), BODY, secret=SECRET, now=NOW) == 0


def test_the_signature_is_the_one_that_slack_documents() -> None:
    # The worked example of docs.slack.dev/authentication/verifying-requests-from-slack.
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    found = signature_of(b"1531420618", body, "8f742231b10e8888abcd99yyyzzz85a5")
    assert found == b"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


@pytest.mark.parametrize("seconds", [-MAX_AGE_S, MAX_AGE_S])
def test_a_request_of_five_minutes_ago_is_let_in_and_an_older_one_is_not(seconds: int) -> None:
    then = NOW + timedelta(seconds=seconds)
    assert refusal(signed(), BODY, secret=SECRET, now=then) == 0
    later = then + timedelta(seconds=1 if seconds > 0 else -1)
    assert refusal(signed(), BODY, secret=SECRET, now=later) == UNSIGNED


def test_a_changed_body_is_refused() -> None:
    assert refusal(signed(), RAISED, secret=SECRET, now=NOW) == UNSIGNED


def test_without_a_secret_nothing_is_let_in_not_even_what_an_empty_one_signs() -> None:
    headers = [
        (b"x-slack-request-timestamp", STAMP),
        (b"x-slack-signature", signature_of(STAMP, BODY, "")),
    ]
    assert refusal(headers, BODY, secret="", now=NOW) == UNSIGNED


def test_there_are_as_many_broken_signatures_as_the_prototype_of_this_was_tried_with() -> None:
    assert len(BROKEN_SIGNATURES) == 28


@pytest.mark.parametrize("broken", BROKEN_SIGNATURES, ids=lambda broken: broken.name)
def test_a_broken_signature_is_refused_in_words_and_never_raises(broken: Forgery) -> None:
    headers, body = broken.make(BODY, SECRET, NOW)
    found = refusal(headers, body, secret=SECRET, now=NOW)
    assert found == (0 if broken.is_signed else UNSIGNED)


def test_a_thousand_random_forgeries_are_refused() -> None:
    rng = random.Random(5)
    for _ in range(1_000):
        headers, body = random_forgery(rng, BODY, SECRET, NOW)
        assert refusal(headers, body, secret=SECRET, now=NOW) == UNSIGNED
