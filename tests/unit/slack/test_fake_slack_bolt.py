"""The fake Slack and Slack's own Bolt, by HTTP and by sockets."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.clients import client_of
from tests.fakes.slack.configured import ClientRefused
from tests.fakes.slack.state import Json
from tests.fakes.waiting import until

PLAIN = {"type": "plain_text", "text": "Words"}
FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "imagine",
    "title": PLAIN,
    "submit": PLAIN,
    "blocks": [
        {
            "type": "input",
            "block_id": "words",
            "label": PLAIN,
            "element": {"type": "plain_text_input", "action_id": "in", "initial_value": "a mug"},
        },
        {
            "type": "section",
            "block_id": "brand",
            "text": PLAIN,
            "accessory": {"type": "external_select", "action_id": "pick", "min_query_length": 0},
        },
    ],
}
BUTTONS = [
    {
        "type": "actions",
        "elements": [{"type": "button", "text": PLAIN, "action_id": "do:cancel", "value": "-"}],
    }
]


class Bot:
    """A small app of Slack's own framework, and what it heard."""

    def __init__(self, slack: FakeSlack) -> None:
        async def authorize(**_: Any) -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None, team_id="T1", bot_token=slack.bot_token, bot_user_id="U0BOTT1"
            )

        self.heard: list[tuple[str, Any]] = []
        self.app = AsyncApp(
            client=AsyncWebClient(base_url=slack.api_url),
            authorize=authorize,
            signing_secret=slack.world.signing_secret,
            process_before_response=True,
        )
        self.slack = slack
        self.app.command("/imagine")(self._command)
        self.app.action("do:cancel")(self._click)
        self.app.view("imagine")(self._submitted)
        self.app.options("pick")(self._options)
        self.app.shortcut("new_picture")(self._shortcut)
        for event in ("app_mention", "message", "reaction_added", "app_home_opened"):
            self.app.event(event)(self._event)

    async def _command(self, ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        self.heard.append(("command", body["text"]))
        await ack("queued")
        await client.chat_postMessage(channel=body["channel_id"], text="card", blocks=BUTTONS)

    async def _click(self, ack: AsyncAck, body: Json) -> None:
        self.heard.append(("click", body["message"]["ts"]))
        await ack()

    async def _shortcut(self, ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    async def _options(self, ack: AsyncAck, body: Json) -> None:
        await ack(options=[{"text": PLAIN, "value": body["value"]}])

    async def _submitted(self, ack: AsyncAck, body: Json) -> None:
        words = body["view"]["state"]["values"]["words"]["in"]["value"]
        self.heard.append(("submit", words))
        if words == "cheap":
            await ack(response_action="errors", errors={"words": "not that"})
        else:
            await ack()

    async def _event(self, body: Json) -> None:
        self.heard.append((body["event"]["type"], body["event_id"]))


@pytest.fixture(params=["http", "socket"])
async def bot(request: pytest.FixtureRequest) -> AsyncIterator[Bot]:
    """The app, running against the fake."""
    async with FakeSlack() as slack:
        found = Bot(slack)
        if request.param == "http":
            runner = web.AppRunner(found.app.web_app("/slack/events", 0))
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            slack.listens(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
            yield found
            await runner.cleanup()
        else:
            handler = AsyncSocketModeHandler(found.app, slack.app_token, ping_interval=0.2)
            await handler.connect_async()
            await until(lambda: slack.sockets.open)
            yield found
            await handler.close_async()
        assert slack.violations == []


async def test_a_command_is_answered_and_its_card_can_be_pressed(bot: Bot) -> None:
    slack, mia = bot.slack, bot.slack.person("U0MIA")
    receipt = await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    assert receipt.acked
    assert [m.text for m in mia.ephemerals()] == ["queued"]
    card = await slack.message("C0DRAFTS", lambda m: m.text == "card")
    assert (await mia.click(card, "do:cancel")).acked
    assert bot.heard == [("command", "a red mug"), ("click", card.ts)]
    with pytest.raises(ClientRefused, match="do:cancel"):
        await mia.click(card, "do:nothing")
    await client_of(slack).chat_update(channel="C0DRAFTS", ts=card.ts, text="no buttons")
    with pytest.raises(ClientRefused):
        await mia.click(card, "do:cancel")
    assert (await mia.click(card, "do:cancel", stale=True)).acked


async def test_a_form_is_opened_filled_refused_and_sent(bot: Bot) -> None:
    mia = bot.slack.person("U0MIA")
    await mia.shortcut("new_picture")
    form = await bot.slack.form(mia, "imagine")
    options = await mia.suggest(form, "pick", "acm")
    assert options.body == {"options": [{"text": PLAIN, "value": "acm"}]}
    await mia.submit(form, {"words": "cheap"})
    assert (form.errors, mia.modal) == ({"words": "not that"}, form)
    with pytest.raises(ClientRefused, match="words"):
        await mia.submit(form, {"words": ""})
    await mia.submit(form, {"words": "a mug"})
    assert mia.modal is None
    assert bot.heard == [("submit", "cheap"), ("submit", "a mug")]


async def test_events_come_from_mentions_talk_reactions_and_the_home_tab(bot: Bot) -> None:
    mia = bot.slack.person("U0MIA")
    await mia.mention("a mug", channel="C0DRAFTS")
    await mia.say("a mug")
    await mia.react(bot.slack.messages("C0DRAFTS")[0], "thumbsup")
    await mia.open_home()
    assert await mia.say("nobody hears this", channel="C0DRAFTS") is None
    kinds = [kind for kind, _ in bot.heard]
    assert kinds == ["app_mention", "message", "reaction_added", "app_home_opened"]


async def test_an_event_whose_answer_is_lost_comes_again(bot: Bot) -> None:
    bot.slack.delivery.lose = 1
    receipt = await bot.slack.person("U0MIA").mention("a mug", channel="C0DRAFTS")
    assert not receipt.acked
    await bot.slack.delivery.idle()
    assert receipt.acked
    assert len(receipt.attempts) == len(bot.heard) == 2
    assert len(set(bot.heard)) == 1


async def test_bolt_does_not_see_that_a_delivery_is_a_copy(bot: Bot) -> None:
    await bot.slack.person("U0MIA").command("/imagine", "mug", channel="C0DRAFTS", copies=2)
    await until(lambda: len(bot.heard) == 2)


async def test_the_app_hears_of_its_own_messages_in_a_direct_conversation(bot: Bot) -> None:
    await bot.slack.person("U0MIA").command("/imagine", "mug")
    await until(lambda: len(bot.slack.delivery.log) == 2)
    await bot.slack.delivery.idle()
    echo = bot.slack.delivery.log[1].payload["event"]
    assert (echo["type"], echo["bot_id"], echo["text"]) == ("message", "B0BOTT1", "card")
    assert bot.heard == [("command", "mug")], "Bolt drops what the app itself wrote"
