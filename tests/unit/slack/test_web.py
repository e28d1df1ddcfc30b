"""SlackWeb against the strict Slack of tests/fakes, and against servers that misbehave."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.outgoing.calling import Caller
from bot.chat.slack_chat.outgoing.looking import metadata, standing
from bot.chat.slack_chat.outgoing.throttle import Throttle
from bot.chat.slack_chat.outgoing.web import SlackWeb
from bot.chat.slack_chat.outgoing.webs import StaticBadge
from bot.chat.slack_chat.web import ForeignHost, NotAFile, SlackRefused, TooLarge
from bot.clock import SystemClock
from bot.core.errors import ChatAmbiguous, ChatUnavailable
from bot.core.watching import Unwatched
from tests.fakes.clock import DrivenClock
from tests.fakes.scripted_server import Answer, ScriptedServer, broken_off
from tests.fakes.slack.app import FakeSlack

POST, AUTH = Method.CHAT_POST_MESSAGE, Method.AUTH_TEST
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 100
TOKEN = "xoxb-1-acme"


def options(api: str) -> SlackOptions:
    return SlackOptions(mode=Mode.HTTP, base_url="http://house", api_base_url=api)


@asynccontextmanager
async def made(
    api: str, *, clock: SystemClock | DrivenClock | None = None
) -> AsyncIterator[SlackWeb]:
    async with Caller(options(api), watch=Unwatched()) as caller:
        ours = clock or SystemClock()
        yield SlackWeb(
            team="T1",
            bot_user="U0BOTT1",
            url="https://acme.slack.com/",
            badge=StaticBadge(TOKEN),
            caller=caller,
            throttle=Throttle(ours),
            clock=ours,
            api=api,
        )


@asynccontextmanager
async def scripted(*answers: Answer) -> AsyncIterator[tuple[ScriptedServer, SlackWeb]]:
    async with ScriptedServer(answers=list(answers)) as server, made(f"{server.url}/api/") as ours:
        yield server, ours


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack
        assert slack.violations == []


@pytest.fixture
async def ours(slack: FakeSlack) -> AsyncIterator[SlackWeb]:
    async with made(slack.api_url) as ours:
        yield ours


def said(**body: object) -> Answer:
    return lambda _: web.json_response({"ok": True, **body})


async def posted(ours: SlackWeb, text: str = "hello", *, key: str = "") -> dict[str, object]:
    return await ours.call(
        POST, place="C0DRAFTS", key=key, channel="C0DRAFTS", text=text, metadata=metadata(text)
    )


# ------------------------------------------------------------------------------ calls and failures


async def test_a_call_gives_slacks_answer(slack: FakeSlack, ours: SlackWeb) -> None:
    answer = await posted(ours)
    assert [m.ts for m in slack.messages("C0DRAFTS")] == [answer["ts"]]


async def test_a_refusal_is_told_with_the_channel_and_the_fix(ours: SlackWeb) -> None:
    with pytest.raises(SlackRefused) as refused:
        await ours.call(POST, channel="C0OTHER", text="hello")
    assert refused.value.error == "not_in_channel"
    assert "C0OTHER" in refused.value.message
    assert "/invite" in refused.value.fix


@pytest.mark.parametrize("kind", ["lost", "500", "html502", "garbled", "bare"])
async def test_a_post_whose_answer_is_lost_is_not_repeated_and_can_be_found(
    slack: FakeSlack, ours: SlackWeb, kind: str
) -> None:
    slack.troubles.add("chat.postMessage", kind, kept=True)
    before = SystemClock().now()
    with pytest.raises(ChatAmbiguous):
        await posted(ours, "once")
    (message,) = slack.messages("C0DRAFTS")
    found = await standing(ours, "once", "C0DRAFTS", "", since=before)
    assert found == [message.ts]
    assert len(slack.called("conversations.history")) == 1


@pytest.mark.parametrize("kind", ["cut", "500", "html502", "garbled", "bare"])
async def test_a_post_that_never_arrived_is_in_doubt_too_and_not_found(
    slack: FakeSlack, ours: SlackWeb, kind: str
) -> None:
    slack.troubles.add("chat.postMessage", kind)
    with pytest.raises(ChatAmbiguous):
        await posted(ours, "never")
    assert await standing(ours, "never", "C0DRAFTS", "", since=SystemClock().now()) == []


async def test_the_sdks_own_retries_post_twice_where_ours_post_once(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    slack.troubles.add("chat.postMessage", "lost")
    theirs = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    await theirs.chat_postMessage(channel="C0DRAFTS", text="theirs")
    assert [m.text for m in slack.messages("C0DRAFTS")] == ["theirs", "theirs"]

    slack.troubles.add("chat.postMessage", "lost")
    with pytest.raises(ChatAmbiguous):
        await ours.call(POST, channel="C0SOCIAL", text="ours")
    assert [m.text for m in slack.messages("C0SOCIAL")] == ["ours"]


async def test_a_change_whose_answer_is_lost_may_be_made_again(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    answer = await posted(ours)
    slack.troubles.add("chat.update", "lost")
    with pytest.raises(ChatUnavailable) as lost:
        await ours.call(Method.CHAT_UPDATE, channel="C0DRAFTS", ts=answer["ts"], text="changed")
    assert not lost.value.queued


async def test_a_slack_that_is_not_there_has_posted_nothing() -> None:
    async with made("http://127.0.0.1:9/api/") as ours:
        with pytest.raises(ChatUnavailable):
            await posted(ours)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: web.Response(text="ok", content_type="text/plain"),
        lambda _: web.json_response([1, 2]),
        lambda _: web.json_response("ok"),
        lambda _: web.Response(body=b"\xff\xfe", content_type="application/json"),
        lambda _: web.Response(body=b"{}", headers={"Content-Type": "application/json; charset=x"}),
        lambda _: web.Response(text="[" * 20_000, content_type="application/json"),
        lambda _: web.Response(body=b"", content_type="application/json"),
        lambda _: web.Response(text="<html>", content_type="text/html"),
        broken_off,
    ],
)
async def test_an_answer_that_is_no_answer_leaves_a_post_in_doubt(answer: Answer) -> None:
    async with scripted(answer) as (server, ours):
        with pytest.raises(ChatAmbiguous):
            await posted(ours)
        assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_neither_token_nor_post_travels_across_a_redirect(status: int) -> None:
    async with ScriptedServer(answers=[said()]) as stranger:
        away = {"Location": f"{stranger.url}/api/chat.postMessage"}
        async with scripted(lambda _: web.Response(status=status, headers=away)) as (server, ours):
            with pytest.raises((ChatAmbiguous, ChatUnavailable)):
                await posted(ours)
            assert len(server.asked) == 1
        assert stranger.asked == []


async def test_nothing_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer(answers=[said()]) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-stranger")
        async with scripted(said()) as (server, ours):
            await ours.call(AUTH)
        assert proxy.asked == []
        (asked,) = server.asked
        assert asked[1]["Authorization"] == f"Bearer {TOKEN}"


async def test_cookies_of_one_workspace_never_reach_another() -> None:
    def with_cookie(_: web.Request) -> web.StreamResponse:
        response = web.json_response({"ok": True})
        response.set_cookie("b", "secret")
        return response

    async with ScriptedServer(answers=[with_cookie]) as server:
        named = server.url.replace("127.0.0.1", "localhost")  # an address has no cookies
        async with made(f"{named}/api/") as ours:
            await ours.call(AUTH)
            await ours.call(AUTH)
    assert len(server.asked) == 2
    assert all("Cookie" not in headers for _, headers, _ in server.asked)


async def test_the_log_has_no_words_of_a_message_at_any_level(
    slack: FakeSlack, ours: SlackWeb, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await posted(ours, "a secret campaign")
    assert "campaign" not in caplog.text
    assert TOKEN not in caplog.text


# ------------------------------------------------------------------------------------------ turns


async def test_a_429_is_honoured_for_its_method_and_no_other(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    slack.troubles.add("chat.postMessage", "429", retry_after=30)
    with pytest.raises(ChatUnavailable) as first:
        await posted(ours, key="m")
    with pytest.raises(ChatUnavailable) as second:
        await posted(ours, key="n")
    assert (first.value.queued, first.value.retry_after_s) == (True, 30)
    assert second.value.queued
    assert 29 < second.value.retry_after_s < 31
    assert len(slack.called("chat.postMessage")) == 1
    await ours.call(AUTH)


async def test_posts_beyond_a_channels_rate_come_back_with_their_turn(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    for number in range(3):
        await posted(ours, f"m{number}", key=f"m{number}")
    waits = []
    for number in range(3, 8):
        with pytest.raises(ChatUnavailable) as later:
            await posted(ours, f"m{number}", key=f"m{number}")
        waits.append(later.value.retry_after_s)
        assert later.value.queued
    assert waits == sorted(waits)


async def test_a_call_waits_in_place_for_a_turn_that_is_near() -> None:
    clock = DrivenClock()
    async with FakeSlack(rates=0) as slack, made(slack.api_url, clock=clock) as ours:
        for number in range(3):
            await posted(ours, key=f"m{number}")
        clock.jump(0.7)
        waiting = asyncio.create_task(posted(ours, key="m3"))
        await clock.advance(0.2)
        assert len(slack.called("chat.postMessage")) == 3
        await clock.advance(0.2)
        await waiting
        assert len(slack.called("chat.postMessage")) == 4


# ------------------------------------------------------------------------------------------ files


async def test_an_upload_leaves_a_file_that_nobody_sees_with_its_alt_text(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    file = await ours.upload(PNG, name="hs-1.png", title="A mug", alt="a red mug")
    kept = slack.world.files[file]
    assert (kept.data, kept.name, kept.title, kept.alt) == (PNG, "hs-1.png", "A mug", "a red mug")
    assert kept.shares == {}
    assert all(slack.messages(channel) == [] for channel in ("C0DRAFTS", "C0SOCIAL"))


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "upload", "files.completeUpload*"])
async def test_an_upload_that_breaks_off_is_never_in_doubt(
    slack: FakeSlack, ours: SlackWeb, step: str
) -> None:
    slack.troubles.add(step, "lost")
    with pytest.raises(ChatUnavailable):
        await ours.upload(PNG, name="hs-1.png", title="t", alt="a")


async def test_the_token_does_not_travel_to_the_upload_address() -> None:
    async with ScriptedServer(answers=[lambda _: web.Response(text="OK")]) as store:
        first = said(upload_url=f"{store.url}/upload/v1/abc", file_id="F0000000001")
        async with scripted(first, said(files=[])) as (_, ours):
            await ours.upload(PNG, name="hs-1.png", title="t", alt="a")
        ((_, headers, body),) = store.asked
        assert "Authorization" not in headers
        assert body == PNG


async def test_a_file_posted_into_a_channel_stands_there_with_its_comment(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    file = await ours.post_file(
        PNG, name="hs-1.png", alt="a", channel="C0DRAFTS", thread="", text="words", key="k"
    )
    (message,) = slack.messages("C0DRAFTS")
    assert (message.files, message.text) == ((file,), "words")


async def test_a_file_post_whose_answer_is_lost_is_in_doubt_and_found_by_its_name(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    slack.troubles.add("files.completeUploadExternal", "lost")
    before = SystemClock().now()
    with pytest.raises(ChatAmbiguous):
        await ours.post_file(
            PNG, name="hs-p1.png", alt="a", channel="C0DRAFTS", thread="", text="", key="k"
        )
    (message,) = slack.messages("C0DRAFTS")
    assert await standing(ours, "p1", "C0DRAFTS", "", since=before) == [message.ts]


async def test_a_file_that_waits_for_its_turn_is_not_uploaded_before(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    for number in range(3):
        await posted(ours, f"m{number}", key=f"m{number}")
    with pytest.raises(ChatUnavailable) as later:
        await ours.post_file(
            PNG, name="hs-1.png", alt="a", channel="C0DRAFTS", thread="", text="", key="k"
        )
    assert later.value.queued
    assert slack.world.files == {}


# -------------------------------------------------------------------------------------- downloads


def peoples_file(slack: FakeSlack, data: bytes = PNG) -> str:
    mia = slack.person("U0MIA")
    file = slack.upload(mia, data, "mug.png")
    file.granted = True
    return f"{slack.world.base}/files-pri/T1-{file.id}/mug.png"


async def test_a_file_of_the_workspace_comes_with_the_token(
    slack: FakeSlack, ours: SlackWeb
) -> None:
    assert await ours.download(peoples_file(slack), limit=1000) == PNG


async def test_a_file_that_is_too_large_is_refused(slack: FakeSlack, ours: SlackWeb) -> None:
    with pytest.raises(TooLarge):
        await ours.download(peoples_file(slack, PNG * 10), limit=1000)


async def test_a_file_whose_size_is_not_told_is_cut_off_at_the_limit() -> None:
    async with scripted(lambda _: web.Response(body=iter_of(b"x" * 5000))) as (server, ours):
        with pytest.raises(TooLarge):
            await ours.download(f"{server.url}/file", limit=1000)


async def iter_of(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 500):
        yield data[start : start + 500]


async def test_a_file_is_asked_for_as_it_is_so_that_it_cant_swell() -> None:
    async with scripted(lambda _: web.Response(body=PNG)) as (server, ours):
        await ours.download(f"{server.url}/file", limit=1000)
    ((_, headers, _),) = server.asked
    assert headers["Accept-Encoding"] == "identity"


async def test_the_page_to_sign_in_is_no_file(slack: FakeSlack, ours: SlackWeb) -> None:
    slack.world.tokens[TOKEN].scopes = frozenset({"chat:write"})
    with pytest.raises(NotAFile, match="hand the file"):
        await ours.download(peoples_file(slack), limit=1000)
    with pytest.raises(NotAFile):
        await ours.download(f"{slack.world.base}/login", limit=1000)


async def test_a_file_that_is_gone_says_so(slack: FakeSlack, ours: SlackWeb) -> None:
    with pytest.raises(NotAFile, match="gone"):
        await ours.download(f"{slack.world.base}/files-pri/T1-F0NONE/a.png", limit=1000)


@pytest.mark.parametrize("kind", ["500", "429"])
async def test_a_download_that_fails_for_now_is_tried_later(
    slack: FakeSlack, ours: SlackWeb, kind: str
) -> None:
    slack.troubles.add("download", kind)
    with pytest.raises(ChatUnavailable):
        await ours.download(peoples_file(slack), limit=1000)


async def test_a_redirect_to_a_stranger_is_not_followed(slack: FakeSlack, ours: SlackWeb) -> None:
    async with ScriptedServer(answers=[said()]) as stranger:
        slack.troubles.add("download", "refuse", error=f"{stranger.url}/steal")
        with pytest.raises(NotAFile):
            await ours.download(peoples_file(slack), limit=1000)
        assert stranger.asked == []


FOREIGN = [
    "http://files.slack.com/a.png",
    "https://files.slack.com:8443/a.png",
    "https://files.slack.com.evil.example/a.png",
    "https://evilslack.com/a.png",
    "https://slack.com@evil.example/a.png",
    "https://files.slack.com:443@evil.example/a.png",
    "https://user@files.slack.com/a.png",
    "https://evil.example/files.slack.com/a.png",
    "https://evil.example\\@files.slack.com/a.png",
    "https://evil.example#@files.slack.com/a.png",
    "https://files.slack.com./a.png",
    "https://files.slаck.com/a.png",
    "https://files.slack.com\n.evil.example/a.png",
    "//files.slack.com/a.png",
    "files.slack.com/a.png",
    "file:///etc/passwd",
    "ftp://files.slack.com/a.png",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "https://",
    "https://[::1]/a.png",
    "https://169.254.169.254/latest/meta-data",
    "http://127.0.0.1:1/a.png",
    "http://localhost:{port}/a.png",
    "https://127.0.0.1:{port}/a.png",
    "https://[files.slack.com]/a.png",
    "https://files.slack.com:99999/a.png",
    "",
    " ",
]


@pytest.mark.parametrize("url", FOREIGN)
async def test_the_token_goes_to_no_foreign_host(url: str) -> None:
    async with scripted(said()) as (server, ours):
        port = server.url.rpartition(":")[2]
        with pytest.raises(ForeignHost):
            await ours.download(url.replace("{port}", port), limit=1000)
        assert server.asked == []


async def test_an_sdk_error_is_never_what_a_caller_sees() -> None:
    async with scripted(lambda _: web.json_response({"ok": False, "error": "is_archived"})) as (
        _,
        ours,
    ):
        with pytest.raises(SlackRefused) as refused:
            await posted(ours)
        assert isinstance(refused.value.__cause__, SlackApiError)
