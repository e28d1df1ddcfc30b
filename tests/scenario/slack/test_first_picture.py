"""`housestyle serve` in front of a Slack: from a command to the picture, by HTTP and by sockets."""

from pathlib import Path

import pytest

from bot.chat.slack_chat.options import Mode
from tests.acceptance.product import free_port, serving
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.state import Message
from tests.fakes.slack_product import STARTS_S, set_up
from tests.fakes.waiting import until


def shows_a_picture(message: Message) -> bool:
    return any(block["type"] == "image" and "slack_file" in block for block in message.blocks)


@pytest.mark.parametrize("mode", [Mode.HTTP, pytest.param(Mode.SOCKET, marks=pytest.mark.deep)])
async def test_a_command_in_slack_becomes_a_picture(tmp_path: Path, mode: Mode) -> None:
    port = free_port()
    async with FakeSlack() as slack:
        data, environment = await set_up(slack, tmp_path, mode, port)
        async with serving(data, port, "--engine", "drawn", environment=environment) as product:
            assert await product.served(), "the portal beside Slack's addresses"
            if mode is Mode.SOCKET:
                await until(lambda: slack.sockets.open, STARTS_S)
            receipt = await slack.person("U0MIA").command(
                "/imagine", "a red mug", channel="C0DRAFTS"
            )
            assert receipt.acked
            card = await slack.message("C0DRAFTS", shows_a_picture, within_s=STARTS_S)
            assert "Done" in card.text
            assert [message.ts for message in slack.messages("C0DRAFTS")] == [card.ts]
            assert await product.stop() == 0
        assert slack.violations == []


async def test_with_slack_set_up_by_half_it_does_not_start(tmp_path: Path) -> None:
    environment = {"HOUSESTYLE_SLACK_BOT_TOKEN": "xoxb-1"}
    log = tmp_path / "log"
    with log.open("wb") as file, pytest.raises(AssertionError, match="ended before"):
        async with serving(tmp_path, free_port(), environment=environment, log=file):
            pass
    assert "slack.signing_secret is missing" in log.read_text("utf-8")
