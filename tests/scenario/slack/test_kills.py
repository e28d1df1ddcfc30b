"""`housestyle serve` killed between acknowledgement and commit: nothing is lost, nothing twice."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.product import free_port, serving
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import pictured
from tests.fakes.waiting import until
from tests.scenario.slack.test_first_picture import KIT, STARTS_S, invite_mia


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Nobody else can write into the database."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.mark.parametrize("mode", [pytest.param("http", marks=pytest.mark.deep), "socket"])
async def test_a_command_outlives_a_kill_after_its_acknowledgement(
    tmp_path: Path, mode: str
) -> None:
    data, port = tmp_path / "data", free_port()
    (tmp_path / "brands").mkdir()
    data.mkdir()
    (tmp_path / "brands" / "acme.toml").write_text(KIT, encoding="utf-8")
    async with FakeSlack() as slack:
        environment = {
            "HOUSESTYLE_BRANDS_DIR": str(tmp_path / "brands"),
            "HOUSESTYLE_SLACK_BOT_TOKEN": slack.bot_token,
            "HOUSESTYLE_SLACK_API_BASE_URL": slack.api_url,
        }
        if mode == "http":
            slack.listens(f"http://127.0.0.1:{port}/slack/events")
            environment["HOUSESTYLE_SLACK_SIGNING_SECRET"] = slack.world.signing_secret
        else:
            environment["HOUSESTYLE_SLACK_APP_TOKEN"] = slack.app_token
        await invite_mia(environment, data)
        start = (data, port, "--engine", "drawn")
        async with serving(*start, environment=environment) as product:
            if mode == "socket":
                await until(lambda: slack.sockets.open, STARTS_S)
            with locked(data / "housestyle.db"):
                receipt = await slack.person("U0MIA").command(
                    "/imagine", "a red mug", channel="C0DRAFTS"
                )
                assert receipt.acked
                assert receipt.ms < 1_000
                product.process.send_signal(signal.SIGKILL)
                await product.process.wait()
        assert slack.messages("C0DRAFTS") == []
        async with serving(*start, environment=environment):
            card = await slack.message("C0DRAFTS", pictured, within_s=STARTS_S)
        assert [message.ts for message in slack.messages("C0DRAFTS")] == [card.ts]
        assert slack.violations == []
