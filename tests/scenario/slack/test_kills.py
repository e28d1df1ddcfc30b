"""`housestyle serve` killed between acknowledgement and commit: nothing is lost, nothing twice."""

import signal
from pathlib import Path

import pytest

from bot.chat.slack_chat.options import Mode
from tests.acceptance.product import free_port, serving
from tests.fakes.locking import locked
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import pictured
from tests.fakes.slack_product import STARTS_S, set_up
from tests.fakes.waiting import until


@pytest.mark.parametrize("mode", [pytest.param(Mode.HTTP, marks=pytest.mark.deep), Mode.SOCKET])
async def test_a_command_outlives_a_kill_after_its_acknowledgement(
    tmp_path: Path, mode: Mode
) -> None:
    port = free_port()
    async with FakeSlack() as slack:
        data, environment = await set_up(slack, tmp_path, mode, port)
        start = (data, port, "--engine", "drawn")
        async with serving(*start, environment=environment) as product:
            if mode is Mode.SOCKET:
                await until(lambda: slack.sockets.open, STARTS_S)
            with locked(data / "housestyle.db"):
                receipt = await slack.person("U0MIA").command(
                    "/imagine", "a red mug", channel="C0DRAFTS"
                )
                assert receipt.acked
                product.process.send_signal(signal.SIGKILL)
                await product.process.wait()
        assert slack.messages("C0DRAFTS") == []
        async with serving(*start, environment=environment):
            card = await slack.message("C0DRAFTS", pictured, within_s=STARTS_S)
        assert [message.ts for message in slack.messages("C0DRAFTS")] == [card.ts]
        assert slack.violations == []
