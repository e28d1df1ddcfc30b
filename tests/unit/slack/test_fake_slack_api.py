"""The fake Slack refuses what Slack refuses, to Slack's own client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.clients import client_of, error_of
from tests.fakes.slack.state import Token
from tests.fakes.waiting import until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
SECTION = {"type": "section", "text": {"type": "plain_text", "text": "hello"}}


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A Slack with the app in T1."""
    async with FakeSlack() as running:
        yield running


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    """Slack's own client, with the bot's token; it repeats nothing by itself."""
    return client_of(slack)


async def uploaded(client: AsyncWebClient, **more: Any) -> str:
    """The id of a file that was uploaded in three steps."""
    answer = await client.files_upload_v2(content=PNG, filename="cup.png", title="Cup", **more)
    return str(answer["files"][0]["id"])


async def test_a_message_is_posted_updated_and_deleted(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    metadata = {"event_type": "housestyle", "event_payload": {"id": "abc"}}
    posted = await client.chat_postMessage(
        channel="C0DRAFTS", text="one", blocks=[SECTION], metadata=metadata
    )
    await client.chat_update(channel="C0DRAFTS", ts=posted["ts"], text="two")
    (message,) = slack.messages("C0DRAFTS")
    assert (message.text, message.blocks, message.id) == ("two", [], "abc")
    page = await client.conversations_history(channel="C0DRAFTS", include_all_metadata=True)
    assert page["messages"][0]["metadata"] == metadata
    assert "metadata" not in (await client.conversations_history(channel="C0DRAFTS"))["messages"][0]
    await client.chat_delete(channel="C0DRAFTS", ts=posted["ts"])
    again = client.chat_update(channel="C0DRAFTS", ts=posted["ts"], text="three")
    assert await error_of(again) == "message_not_found"


async def test_places_where_the_app_may_not_post_say_why(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.channel("C0SOCIAL").archived = True
    slack.channel("G0TEAM").restricted = True
    slack.add_channel("G0SECRET", "secret", kind="private").members.clear()
    errors = {
        channel: await error_of(client.chat_postMessage(channel=channel, text="x"))
        for channel in ("C0SOCIAL", "C0OTHER", "G0TEAM", "G0SECRET", "C0NONE")
    }
    assert errors == {
        "C0SOCIAL": "is_archived",
        "C0OTHER": "not_in_channel",
        "G0TEAM": "restricted_action",
        "G0SECRET": "channel_not_found",
        "C0NONE": "channel_not_found",
    }


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"revoked": "token_revoked"}, "token_revoked"),
        ({"expires_at": 1.0}, "token_expired"),
        ({"kind": "app"}, "not_allowed_token_type"),
        ({"scopes": frozenset({"commands"})}, "missing_scope"),
        ({"value": "xoxb-other"}, "invalid_auth"),
    ],
)
async def test_a_token_that_is_void_or_too_little_is_refused(
    slack: FakeSlack, client: AsyncWebClient, changed: dict[str, Any], error: str
) -> None:
    token = Token(**{**vars(slack.world.tokens.pop(slack.bot_token)), **changed})
    slack.world.tokens[token.value] = token
    assert await error_of(client.chat_postMessage(channel="C0DRAFTS", text="x")) == error


@pytest.mark.parametrize(
    "block",
    [
        {**SECTION, "text": {"type": "mrkdwn", "text": "x" * 3001}},
        {"type": "image", "alt_text": "no source"},
        {"type": "actions", "elements": []},
        {"type": "header", "text": {"type": "mrkdwn", "text": "not plain"}},
        {"type": "file_gallery"},
        {**SECTION, "colour": "teal"},
    ],
    ids=["long", "no source", "empty", "not plain", "unknown", "strange property"],
)
async def test_blocks_beyond_the_limits_are_refused(
    slack: FakeSlack, client: AsyncWebClient, block: dict[str, Any]
) -> None:
    posted = client.chat_postMessage(channel="C0DRAFTS", text="x", blocks=[block])
    assert await error_of(posted) == "invalid_blocks"
    assert slack.forgive("invalid_blocks")


async def test_the_51st_block_of_a_message_is_one_too_many(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C0DRAFTS", text="x", blocks=[SECTION] * 50)
    posted = client.chat_postMessage(channel="C0DRAFTS", text="x", blocks=[SECTION] * 51)
    assert await error_of(posted) == "invalid_blocks"
    assert slack.forgive("1 to 50 blocks")


async def test_a_file_can_be_shown_once_it_is_processed(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.world.processing_s = 3600
    file = await uploaded(client, alt_txt="a cup")
    image = {"type": "image", "alt_text": "a cup", "slack_file": {"id": file}}
    shown = client.chat_postMessage(channel="C0DRAFTS", text="x", blocks=[image])
    assert await error_of(shown) == "invalid_blocks"
    assert (await client.files_info(file=file))["file"]["mimetype"] == ""
    slack.world.files[file].ready_at = 0
    assert (await client.files_info(file=file))["file"]["mimetype"] == "image/png"
    await client.chat_postMessage(channel="C0DRAFTS", text="x", blocks=[image])
    assert slack.world.files[file].shown == {"C0DRAFTS"}
    assert slack.violations == []


async def test_an_ephemeral_message_can_have_no_file(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    image = {"type": "image", "alt_text": "a", "slack_file": {"id": await uploaded(client)}}
    told = client.chat_postEphemeral(channel="C0DRAFTS", user="U0MIA", text="x", blocks=[image])
    assert await error_of(told) == "invalid_blocks"
    assert slack.forgive("postEphemeral with a file")
    await client.chat_postEphemeral(channel="C0DRAFTS", user="U0MIA", text="only you")
    assert [m.text for m in slack.person("U0MIA").ephemerals()] == ["only you"]
    assert slack.messages("C0DRAFTS") == []


async def test_a_file_is_given_to_its_workspaces_token_alone(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.add_team("T2", "other", token="xoxb-2-other")
    file = await uploaded(client, channel="C0DRAFTS", initial_comment="here")
    url = (await client.files_info(file=file))["file"]["url_private"]
    seen = {}
    async with aiohttp.ClientSession() as http:
        for token in (slack.bot_token, "xoxb-2-other", ""):
            headers = {"Authorization": f"Bearer {token}"}
            async with http.get(url, headers=headers, allow_redirects=False) as answer:
                seen[token] = (answer.status, await answer.read() == PNG)
    assert seen == {slack.bot_token: (200, True), "xoxb-2-other": (302, False), "": (302, False)}
    assert [m.files for m in slack.messages("C0DRAFTS")] == [(file,)]


async def test_a_fourth_message_in_a_second_has_to_wait(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    for _ in range(3):
        await client.chat_postMessage(channel="C0DRAFTS", text="x")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0DRAFTS", text="x")
    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) >= 1
    await client.chat_postMessage(channel="C0SOCIAL", text="another place")


async def test_who_calls_before_retry_after_is_noted(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    now = [1000.0]
    slack.world.now = lambda: now[0]
    slack.troubles.add("chat.update", "429", retry_after=30)
    posted = await client.chat_postMessage(channel="C0DRAFTS", text="x")
    update = {"channel": "C0DRAFTS", "ts": posted["ts"], "text": "y"}
    assert await error_of(client.chat_update(**update)) == "ratelimited"
    now[0] += 10
    assert await error_of(client.chat_update(**update)) == "ratelimited"
    assert slack.forgive("20.0 s before its Retry-After")
    now[0] += 20
    await client.chat_update(**update)


async def test_a_lost_answer_leaves_the_message_behind(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.troubles.add("chat.postMessage", "lost")
    slack.troubles.add("chat.postMessage", "cut")
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel="C0DRAFTS", text="x")
    assert len(slack.messages("C0DRAFTS")) == 1


async def test_a_refresh_token_is_good_once(slack: FakeSlack) -> None:
    client = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])
    secret = {"client_id": slack.world.client_id, "client_secret": slack.world.client_secret}
    code = slack.consents.agree(slack.world, "chat:write,commands", "https://h/slack")
    access = {**secret, "code": code, "redirect_uri": "https://h/slack"}
    wrong = client.oauth_v2_access(**{**access, "client_secret": "wrong"})
    assert await error_of(wrong) == "bad_client_secret"
    first = await client.oauth_v2_access(**access)
    assert await error_of(client.oauth_v2_access(**access)) == "code_already_used"
    renew = {**secret, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await client.oauth_v2_access(**renew)
    assert await error_of(client.oauth_v2_access(**renew)) == "invalid_refresh_token"
    for answer in (first, second):
        who = await client_of(slack, answer["access_token"]).auth_test()
        assert (who["team_id"], who["user_id"]) == ("T1", "U0BOTT1")


async def test_methods_that_slack_has_no_more_are_noted(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    assert await error_of(client.api_call("files.upload")) == "method_deprecated"
    assert await error_of(client.api_call("chat.invent")) == "unknown_method"
    assert slack.forgive("files.upload") + slack.forgive("chat.invent") == [
        "files.upload was called",
        "the method chat.invent was called; Slack has none such",
    ]


async def test_a_restarted_slack_knows_what_it_knew(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C0DRAFTS", text="before")
    await slack.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.auth_test()
    await slack.start()
    assert [m["text"] for m in (await client.conversations_history(channel="C0DRAFTS"))["messages"]]


async def test_a_slow_method_delays_nothing_else(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.troubles.add("chat.postMessage", "slow", seconds=3600)
    slow = asyncio.ensure_future(client.chat_postMessage(channel="C0DRAFTS", text="x"))
    await until(lambda: slack.called("chat.postMessage"))
    await client.auth_test()
    assert not slow.done()
    slow.cancel()


async def test_a_distributed_app_looks_back_once_a_minute() -> None:
    async with FakeSlack(distributed=True) as slack:
        client = client_of(slack)
        await client.conversations_history(channel="C0DRAFTS")
        with pytest.raises(SlackApiError) as refused:
            await client.conversations_history(channel="C0DRAFTS")
        assert 50 <= int(refused.value.response.headers["Retry-After"]) <= 60
        await client.auth_test()


async def test_a_token_for_many_workspaces_has_to_say_which(slack: FakeSlack) -> None:
    slack.add_team("T7", "seven", enterprise="E1")
    slack.world.tokens["xoxb-org"] = Token(
        value="xoxb-org", kind="bot", team="", enterprise="E1", scopes=frozenset({"files:write"})
    )
    client = client_of(slack, "xoxb-org")
    ask = {"filename": "a.png", "length": 3}
    assert await error_of(client.files_getUploadURLExternal(**ask)) == "missing_argument"
    assert (await client.files_getUploadURLExternal(**ask, team_id="T7"))["ok"]


async def test_who_installs_again_voids_the_old_token_and_the_app_is_told_so(
    slack: FakeSlack,
) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    slack.world.told = lambda team, event: told.append((team, event))
    client = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])
    secret = {"client_id": slack.world.client_id, "client_secret": slack.world.client_secret}
    given = []
    for _ in range(2):
        code = slack.consents.agree(slack.world, "chat:write", "")
        given.append(await client.oauth_v2_access(**secret, code=code))
    old, new = (str(answer["access_token"]) for answer in given)
    assert await error_of(client_of(slack, old).auth_test()) == "token_revoked"
    assert (await client_of(slack, new).auth_test())["ok"]
    renew = {**secret, "grant_type": "refresh_token", "refresh_token": given[0]["refresh_token"]}
    assert await error_of(client.oauth_v2_access(**renew)) == "invalid_refresh_token"
    revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0BOTT1"]}}
    assert told == [("T1", revoked)]
