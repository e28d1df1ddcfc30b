"""Forms, sockets, workspaces and the process of the fake Slack: each rule refuses once."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack_chat.manifest import manifest
from bot.chat.slack_chat.options import Mode
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.clients import client_of, error_of
from tests.fakes.slack.configured import ClientRefused
from tests.fakes.slack.state import Json, View
from tests.fakes.waiting import until
from tests.needs import ROOT

PLAIN = {"type": "plain_text", "text": "Words"}


def form(title: str = "New picture", first: str = "", block: str = "words") -> Json:
    """A form with one input."""
    element: Json = {"type": "plain_text_input", "action_id": "in"}
    element |= {"initial_value": first} if first else {}
    return {
        "type": "modal",
        "callback_id": "imagine",
        "title": {"type": "plain_text", "text": title},
        "submit": PLAIN,
        "blocks": [{"type": "input", "block_id": block, "label": PLAIN, "element": element}],
    }


@pytest.fixture
def now() -> list[float]:
    """The time in this Slack, for the test to move."""
    return [1_800_000_000.0]


@pytest.fixture
async def slack(now: list[float]) -> AsyncIterator[FakeSlack]:
    """A Slack with that clock."""
    async with FakeSlack(now=lambda: now[0]) as running:
        yield running


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    """Slack's own client."""
    return client_of(slack)


def trigger(slack: FakeSlack) -> str:
    """What a click of Mia's gives the app."""
    return slack.world.new_trigger("T1", "U0MIA")


async def opened(slack: FakeSlack, client: AsyncWebClient, body: Json | None = None) -> View:
    """A form that Mia has open."""
    answer = await client.views_open(trigger_id=trigger(slack), view=body or form())
    return slack.world.views[answer["view"]["id"]]


async def test_a_trigger_opens_one_form_within_three_seconds(
    slack: FakeSlack, client: AsyncWebClient, now: list[float]
) -> None:
    used, old = trigger(slack), trigger(slack)
    await client.views_open(trigger_id=used, view=form())
    slack.world.stacks.clear()
    assert await error_of(client.views_open(trigger_id=used, view=form())) == (
        "exchanged_trigger_id"
    )
    now[0] += 3.1
    assert await error_of(client.views_open(trigger_id=old, view=form())) == "expired_trigger_id"


async def test_a_fourth_form_does_not_fit_on_three(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    await opened(slack, client)
    for _ in range(2):
        await client.views_push(trigger_id=trigger(slack), view=form())
    fourth = client.views_push(trigger_id=trigger(slack), view=form())
    assert await error_of(fourth) == "push_limit_reached"


async def test_a_form_keeps_what_was_typed_where_the_block_stays(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    mia = slack.person("U0MIA")
    view = await opened(slack, client)
    mia.fill(view, {"words": "typed"})
    first = view.hash
    await client.views_update(view_id=view.id, hash=first, view=form(first="given"))
    assert view.values["words"]["in"]["value"] == "typed"
    late = client.views_update(view_id=view.id, hash=first, view=form())
    assert await error_of(late) == "hash_conflict"
    await client.views_update(view_id=view.id, view=form(first="given", block="other"))
    assert view.values == {"other": {"in": {"type": "plain_text_input", "value": "given"}}}
    await mia.close(view)
    closed = client.views_update(view_id=view.id, view=form())
    assert await error_of(closed) == "not_found"


@pytest.mark.parametrize(
    "body",
    [
        form(title="x" * 25),
        {**form(), "private_metadata": "x" * 3001},
        {**form(), "blocks": []},
        {k: v for k, v in form().items() if k != "submit"},
        {**form(), "blocks": [{"type": "divider"}] * 101},
    ],
    ids=["title", "metadata", "no blocks", "no submit", "too many"],
)
async def test_a_form_beyond_the_limits_is_refused(
    slack: FakeSlack, client: AsyncWebClient, body: Json
) -> None:
    answer = client.views_open(trigger_id=trigger(slack), view=body)
    assert await error_of(answer) in ("invalid_arguments", "invalid_blocks")
    assert len(slack.violations) == 1


async def test_a_home_tab_is_published_and_guarded_by_its_hash(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    await client.views_publish(user_id="U0MIA", view=home)
    shown = slack.person("U0MIA").home
    assert shown is not None
    assert len(shown.blocks()) == 1
    late = client.views_publish(user_id="U0MIA", view=home, hash="of.old")
    assert await error_of(late) == "hash_conflict"


async def test_a_workspaces_token_reaches_nothing_of_another(slack: FakeSlack) -> None:
    slack.add_team("T2", "other", token="xoxb-2-other")
    slack.add_channel("C0HERS", "hers", team="T2")
    stranger, owner = client_of(slack), client_of(slack, "xoxb-2-other")
    posted = stranger.chat_postMessage(channel="C0HERS", text="x")
    assert await error_of(posted) == "channel_not_found"
    hers = slack.person("U0MIA", team="T2")
    theirs = hers.upload(b"GIF89a", "a.gif")
    await hers.say("look", channel="C0DRAFTS", files=(theirs,))
    await owner.files_info(file=theirs.id)
    assert await error_of(stranger.files_info(file=theirs.id)) == "file_not_found"
    view = await opened(slack, stranger)
    other = owner.views_update(view_id=view.id, view=form())
    assert await error_of(other) == "not_found"


async def test_an_uninstalled_app_has_no_token_and_is_told(slack: FakeSlack) -> None:
    told = await slack.uninstall("T1")
    assert [r.payload["event"]["type"] for r in told] == ["tokens_revoked", "app_uninstalled"]
    assert await error_of(client_of(slack).auth_test()) == "account_inactive"


class Sockets:
    """Clients of slack_sdk that acknowledge all they get."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.clients: list[SocketModeClient] = []
        self.got: list[int] = []

    async def add(self) -> None:
        """Open one more."""
        web = AsyncWebClient(base_url=self.slack.api_url)
        client = SocketModeClient(self.slack.app_token, web_client=web, ping_interval=0.1)
        number = len(self.clients)

        async def listener(socket: SocketModeClient, request: SocketModeRequest) -> None:
            self.got.append(number)
            await socket.send_socket_mode_response({"envelope_id": request.envelope_id})

        client.socket_mode_request_listeners.append(listener)
        self.clients.append(client)
        await client.connect_to_new_endpoint(force=True)


@pytest.fixture
async def sockets(slack: FakeSlack) -> AsyncIterator[Sockets]:
    """Two sockets."""
    found = Sockets(slack)
    await found.add()
    await found.add()
    await until(lambda: len(slack.sockets.open) == 2)
    yield found
    for client in found.clients:
        await client.close()


async def test_one_socket_gets_a_payload_and_copies_go_to_both(
    slack: FakeSlack, sockets: Sockets
) -> None:
    mia = slack.person("U0MIA")
    for _ in range(4):
        assert (await mia.command("/imagine", "mug")).acked
    assert sorted(sockets.got) == [0, 0, 1, 1]
    await mia.command("/imagine", "mug", copies=2)
    await until(lambda: len(sockets.got) == 6)
    assert sorted(sockets.got[4:]) == [0, 1]


async def test_sockets_come_anew_when_they_are_asked_to_or_cut_off(
    slack: FakeSlack, sockets: Sockets
) -> None:
    for part in (slack.sockets.refresh(after_s=0), None):
        before = slack.sockets.hellos
        if part is None:
            slack.sockets.drop()
        else:
            await part
        await until(lambda was=before: slack.sockets.hellos >= was + 2)
        await until(lambda: len(slack.sockets.open) == 2)
    assert (await slack.person("U0MIA").command("/imagine", "mug")).acked


async def test_a_ticket_is_good_once_and_ten_sockets_are_the_most(
    slack: FakeSlack, sockets: Sockets
) -> None:
    async with aiohttp.ClientSession() as http:

        async def ticket() -> str:
            web = AsyncWebClient(base_url=slack.api_url)
            return str((await web.apps_connections_open(app_token=slack.app_token))["url"])

        url = await ticket()
        first = await http.ws_connect(url)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url)
        more = [await http.ws_connect(await ticket()) for _ in range(7)]
        await until(lambda: len(slack.sockets.open) == 10)
        eleventh = await http.ws_connect(await ticket())
        assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
        for socket in (first, eleventh, *more):
            await socket.close()
    assert slack.forgive("more than 10 sockets")


async def test_only_what_the_manifest_has_is_offered_and_delivered(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    app = manifest("https://house.test", mode=Mode.HTTP)
    app["settings"]["event_subscriptions"]["bot_events"].remove("reaction_added")
    app["oauth_config"]["scopes"]["bot"].remove("chat:write")
    slack.configure(app, at="http://127.0.0.1:1")
    mia = slack.person("U0MIA")
    await mia.say("hello", channel="C0DRAFTS")
    (said,) = slack.messages("C0DRAFTS")
    assert (await mia.command("/imagine", "mug")).error == "connection_failed"
    with pytest.raises(ClientRefused, match="/invent"):
        await mia.command("/invent")
    with pytest.raises(ClientRefused, match="reaction_added"):
        await mia.react(said, "thumbsup")
    with pytest.raises(ClientRefused, match="new_pictures"):
        await mia.shortcut("new_pictures")
    assert await error_of(client.chat_postMessage(channel="C0DRAFTS", text="x")) == "missing_scope"


async def test_without_a_socket_a_command_reaches_nobody(slack: FakeSlack) -> None:
    receipt = await slack.person("U0MIA").command("/imagine", "mug")
    assert (receipt.acked, receipt.error) == (False, "no_socket")


async def test_a_response_address_answers_five_times(slack: FakeSlack) -> None:
    url = slack.world.new_response_url("T1", "C0DRAFTS", "U0MIA")
    async with aiohttp.ClientSession() as http:
        statuses = [(await http.post(url, json={"text": "x"})).status for _ in range(6)]
    assert statuses == [200] * 5 + [404]
    assert (slack.response_calls, len(slack.person("U0MIA").ephemerals())) == (6, 5)


async def test_it_runs_as_a_process_and_does_what_it_is_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.slack", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told = json.loads(await process.stdout.readline())
    client = AsyncWebClient(token=told["bot_token"], base_url=told["api_url"])
    await client.chat_postMessage(channel="C0DRAFTS", text="hello")

    async with aiohttp.ClientSession() as http:

        async def do(**asked: Any) -> tuple[int, Any]:
            async with http.post(told["control"], json=asked) as answer:
                return answer.status, await answer.json()

        _, messages = await do(do="messages", channel="C0DRAFTS")
        _, receipt = await do(do="command", user="U0MIA", name="/imagine", text="mug")
        status, wrong = await do(do="dance")
    assert [m["text"] for m in messages] == ["hello"]
    assert (receipt["acked"], receipt["error"]) == (False, "no_socket")
    assert (status, "messages" in wrong["error"]) == (400, True)
    process.terminate()
    assert await process.wait() == 0
