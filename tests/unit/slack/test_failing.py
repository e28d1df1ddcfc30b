"""What failures of calls to Slack mean, one by one."""

from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.outgoing.failing import (
    DOUBTS,
    GARBLED,
    RATES,
    REFUSALS,
    meaning,
)
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import ChatAmbiguous, ChatError, ChatUnavailable

POST, CHANGE = Method.CHAT_POST_MESSAGE, Method.CHAT_UPDATE


@dataclass
class Said:
    """An answer as slack_sdk gives it."""

    status_code: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Raw:
    """An answer as aiohttp gives it, where slack_sdk could not read its body."""

    status: int


def answered(
    status: int = 200, *, posts: bool = True, retry: str | None = None, **data: object
) -> ChatError:
    headers = {} if retry is None else {"Retry-After": retry}
    exc = SlackApiError("no", Said(status, data, headers))  # type: ignore[no-untyped-call]
    meant = meaning(exc, POST if posts else CHANGE, posts=posts, place="C0SOCIAL")
    assert meant is not None
    return meant


@pytest.mark.parametrize("word", sorted(REFUSALS))
def test_every_refusal_says_what_it_means_and_what_to_do(word: str) -> None:
    meant = answered(ok=False, error=word)
    assert isinstance(meant, SlackRefused)
    assert meant.error == word
    assert len(meant.message) > 10
    assert len(meant.fix) > 10
    assert "{" not in meant.message + meant.fix
    assert word not in meant.message


@pytest.mark.parametrize("word", ["channel_not_found", "not_in_channel", "is_archived"])
def test_a_refusal_about_a_channel_names_it(word: str) -> None:
    assert "C0SOCIAL" in answered(ok=False, error=word).message


def test_a_channel_the_app_is_not_in_is_mended_by_an_invitation() -> None:
    assert "/invite @Housestyle" in answered(ok=False, error="not_in_channel").fix


def test_a_missing_scope_is_named() -> None:
    meant = answered(ok=False, error="missing_scope", needed="files:write", provided="chat:write")
    assert "`files:write`" in meant.message
    assert "manifest" in meant.fix


def test_a_word_that_nobody_knows_points_to_the_methods_page() -> None:
    meant = answered(ok=False, error="a_new_word")
    assert isinstance(meant, SlackRefused)
    assert "a_new_word" in meant.message
    assert "chat.postMessage" in meant.fix


def test_a_refusal_keeps_what_slack_says_of_single_fields() -> None:
    messages = ["[ERROR] invalid slack file [json-pointer:/blocks/1/slack_file]"]
    meant = answered(ok=False, error="invalid_blocks", response_metadata={"messages": messages})
    assert isinstance(meant, SlackRefused)
    assert meant.details == tuple(messages)


@pytest.mark.parametrize("odd", [None, 3, "text", ["a"], {"messages": 7}])
def test_odd_details_do_no_harm(odd: object) -> None:
    meant = answered(ok=False, error="invalid_blocks", response_metadata=odd, errors=odd)
    assert isinstance(meant, SlackRefused)


@pytest.mark.parametrize("posts", [True, False])
def test_too_many_calls_wait_as_long_as_slack_says(posts: bool) -> None:
    meant = answered(429, posts=posts, retry="17", ok=False, error="ratelimited")
    assert isinstance(meant, ChatUnavailable)
    assert (meant.retry_after_s, meant.queued) == (17.0, True)


@pytest.mark.parametrize("word", sorted(RATES))
def test_too_many_calls_are_known_by_their_word_too(word: str) -> None:
    meant = answered(retry="2", ok=False, error=word)
    assert isinstance(meant, ChatUnavailable)
    assert meant.queued


@pytest.mark.parametrize("word", sorted(DOUBTS))
def test_a_post_during_which_slack_broke_is_in_doubt(word: str) -> None:
    assert isinstance(answered(ok=False, error=word), ChatAmbiguous)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_post_that_a_server_error_answers_is_in_doubt(status: int) -> None:
    assert isinstance(answered(status), ChatAmbiguous)


@pytest.mark.parametrize("word", sorted(DOUBTS))
def test_a_change_during_which_slack_broke_is_made_again(word: str) -> None:
    meant = answered(posts=False, ok=False, error=word)
    assert isinstance(meant, ChatUnavailable)
    assert not meant.queued


@pytest.mark.parametrize("status", [200, 500, 502])
def test_a_body_that_is_no_json_leaves_a_post_in_doubt(status: int) -> None:
    exc = SlackApiError("no", Raw(status))  # type: ignore[no-untyped-call]
    assert isinstance(meaning(exc, POST, posts=True), ChatAmbiguous)
    assert isinstance(meaning(exc, CHANGE, posts=False), ChatUnavailable)


def test_a_good_status_without_ok_leaves_a_post_in_doubt() -> None:
    assert isinstance(answered(), ChatAmbiguous)


@pytest.mark.parametrize("status", [403, 404, 407])
def test_a_stranger_on_the_way_is_waited_for_and_named(status: int) -> None:
    meant = answered(status)
    assert isinstance(meant, ChatUnavailable)
    assert "slack.api_base_url" in meant.message


@pytest.mark.parametrize("kind", GARBLED)
def test_an_answer_that_the_client_trips_over_is_in_doubt(kind: type[Exception]) -> None:
    assert isinstance(meaning(kind("x"), POST, posts=True), ChatAmbiguous)


@pytest.mark.parametrize(
    "exc",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientOSError(104, "reset"),
        aiohttp.ClientPayloadError("cut"),
        aiohttp.SocketTimeoutError(),
        TimeoutError(),
        ConnectionResetError(),
    ],
)
def test_a_lost_answer_leaves_a_post_in_doubt_and_a_change_to_be_made_again(exc: Exception) -> None:
    assert isinstance(meaning(exc, POST, posts=True), ChatAmbiguous)
    assert isinstance(meaning(exc, CHANGE, posts=False), ChatUnavailable)


def test_a_connection_that_never_came_about_has_posted_nothing() -> None:
    assert isinstance(meaning(aiohttp.ConnectionTimeoutError(), POST, posts=True), ChatUnavailable)


def test_a_workspace_on_the_move_is_waited_for() -> None:
    assert isinstance(answered(ok=False, error="team_added_to_org"), ChatUnavailable)


def test_a_fault_of_our_own_is_no_failure_of_slack() -> None:
    assert meaning(TypeError("missing argument"), POST, posts=True) is None
