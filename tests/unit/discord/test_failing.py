"""What failures of calls to Discord mean, one by one."""

from dataclasses import dataclass, field
from typing import Any

import aiohttp
import discord
import pytest

from bot.chat.discord_chat.outgoing.failing import (
    BARRED_S,
    BUSY,
    GARBLED,
    NO_PERMISSION,
    REFUSALS,
    TOO_MANY_OLD_EDITS,
    meaning,
)
from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.errors import ChatAmbiguous, ChatError, ChatUnavailable

JSON = {"Content-Type": "application/json"}


@dataclass
class Said:
    """An answer as discord.py keeps it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    reason: str = ""


def answered(status: int, code: int = 0, *, posts: bool = True, **headers: str) -> ChatError:
    said: Any = Said(status, {**JSON, **{n.replace("_", "-"): v for n, v in headers.items()}})
    exc = discord.HTTPException(said, {"code": code, "message": "no"})
    meant = meaning(exc, posts=posts, place="42")
    assert meant is not None
    return meant


def paged(status: int) -> ChatError:
    """A page of something on the way."""
    said: Any = Said(status, {"Content-Type": "text/html"})
    meant = meaning(discord.HTTPException(said, "<html>"), posts=True)
    assert meant is not None
    return meant


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_refusal_says_what_it_means_and_what_to_do(code: int) -> None:
    meant = answered(400, code)
    assert isinstance(meant, DiscordRefused)
    assert (meant.error, meant.status) == (code, 400)
    assert len(meant.message) >= 10
    assert len(meant.fix) >= 10
    assert "{" not in meant.message + meant.fix


def test_a_refusal_names_the_channel() -> None:
    assert "the channel 42" in answered(403, NO_PERMISSION).message


def test_a_number_that_nobody_has_explained_is_told_as_it_is() -> None:
    meant = answered(400, 98765)
    assert isinstance(meant, DiscordRefused)
    assert "98765" in meant.message
    assert "docs.discord.com" in meant.fix


@pytest.mark.parametrize("status", [403, 404])
def test_a_no_without_a_number_is_a_no(status: int) -> None:
    assert isinstance(answered(status), DiscordRefused)


@pytest.mark.parametrize("code", sorted(BUSY))
def test_discords_own_later_is_waited_for_without_giving_up(code: int) -> None:
    meant = answered(403, code)
    assert isinstance(meant, ChatUnavailable)
    assert meant.queued
    assert meant.retry_after_s == BUSY[code]


def test_too_many_requests_wait_as_long_as_discord_says() -> None:
    meant = answered(429, Retry_After="7.5")
    assert isinstance(meant, ChatUnavailable)
    assert (meant.retry_after_s, meant.queued) == (7.5, True)


def test_a_turn_that_is_too_far_away_comes_back_for_it() -> None:
    meant = meaning(discord.RateLimited(95.0), posts=True)
    assert isinstance(meant, ChatUnavailable)
    assert (meant.retry_after_s, meant.queued) == (95.0, True)


def test_a_message_changed_too_often_is_no_matter_of_waiting() -> None:
    meant = answered(429, TOO_MANY_OLD_EDITS, Retry_After="1")
    assert isinstance(meant, DiscordRefused)
    assert meant.error == TOO_MANY_OLD_EDITS


def test_a_wrong_token_says_where_the_right_one_is_from() -> None:
    meant = answered(401)
    assert isinstance(meant, DiscordRefused)
    assert meant.status == 401
    assert "HOUSESTYLE_DISCORD_TOKEN" in meant.fix


@pytest.mark.parametrize("status", [500, 502, 503, 520])
def test_a_post_that_broke_at_discord_is_in_doubt_and_a_change_is_made_again(status: int) -> None:
    assert isinstance(answered(status), ChatAmbiguous)
    assert isinstance(answered(status, posts=False), ChatUnavailable)


@pytest.mark.parametrize("lost", [aiohttp.ServerDisconnectedError(), TimeoutError(), OSError()])
def test_a_post_whose_answer_was_lost_is_in_doubt(lost: Exception) -> None:
    assert isinstance(meaning(lost, posts=True), ChatAmbiguous)
    assert isinstance(meaning(lost, posts=False), ChatUnavailable)


def test_a_post_that_found_no_connection_has_surely_not_arrived() -> None:
    assert isinstance(meaning(aiohttp.ConnectionTimeoutError(), posts=True), ChatUnavailable)


def test_an_address_that_can_t_be_asked_is_not_repeated_with_the_tokens_in_it() -> None:
    meant = meaning(aiohttp.InvalidURL("http:///webhooks/1/secret"))
    assert isinstance(meant, ChatUnavailable)
    assert "secret" not in meant.message


@pytest.mark.parametrize("odd", GARBLED)
def test_an_answer_that_can_t_be_read_leaves_a_post_in_doubt(odd: type[Exception]) -> None:
    assert isinstance(meaning(odd(), posts=True), ChatAmbiguous)


@pytest.mark.parametrize("status", [301, 400, 403, 404])
def test_a_page_from_something_on_the_way_is_none_of_discords_answers(status: int) -> None:
    meant = paged(status)
    assert isinstance(meant, ChatUnavailable)
    assert meant.retry_after_s == BARRED_S
    assert "api_base_url" in meant.message


def test_a_bug_of_ours_is_not_taken_for_discords() -> None:
    assert meaning(TypeError("ours")) is None
