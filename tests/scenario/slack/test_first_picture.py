"""`housestyle serve` in front of a Slack: from a command to the picture, by HTTP and by sockets."""

from pathlib import Path

import pytest

from bot.app import open_house
from bot.core.ids import new_id
from bot.core.people import ANY_BRAND, Identity, Person, Role
from bot.settings import load_settings
from tests.acceptance.product import free_port, serving
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.state import Message
from tests.fakes.waiting import until

STARTS_S = 60.0
KIT = """
[brand]
id = "acme"
name = "Acme"
version = "1"
owner = "@brand"
accent = "#0f7c7c"

[gates]
min_sharpness = 0
min_near_duplicate_bits = 0
min_side = 16

[generation]
model = "drawn"
steps = 4

[generation.aspects]
"1:1" = [64, 64]

[[channels]]
name = "#social"
audience = "public"
platform = "slack"
id = "C0SOCIAL"
team = "T1"

[[channels]]
name = "#drafts"
audience = "working"
platform = "slack"
id = "C0DRAFTS"
team = "T1"
"""


async def invite_mia(environment: dict[str, str], folder: Path) -> None:
    """Mia may ask for pictures, and is known by her account in Slack."""
    settings = load_settings(
        environment={**environment, "HOME": str(folder)},
        flags={"data_dir": str(folder)},
        folder=folder,
    )
    async with open_house(settings, generation=False) as house, house.store.write() as tx:
        await tx.people.add(
            Person(
                id=new_id(),
                name="Mia",
                created_at=house.clock.now(),
                roles=((ANY_BRAND, Role.REQUESTER),),
                identities=(Identity(platform="slack", user="U0MIA", team="T1"),),
            )
        )


def shows_a_picture(message: Message) -> bool:
    return any(block["type"] == "image" and "slack_file" in block for block in message.blocks)


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_a_command_in_slack_becomes_a_picture(tmp_path: Path, mode: str) -> None:
    port = free_port()
    (tmp_path / "brands").mkdir()
    (tmp_path / "data").mkdir()
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
        await invite_mia(environment, tmp_path / "data")
        async with serving(
            tmp_path / "data", port, "--engine", "drawn", environment=environment
        ) as product:
            assert await product.served(), "the portal beside Slack's addresses"
            if mode == "socket":
                await until(lambda: slack.sockets.open, STARTS_S)
            receipt = await slack.person("U0MIA").command(
                "/imagine", "a red mug", channel="C0DRAFTS"
            )
            assert receipt.acked
            card = await slack.message("C0DRAFTS", shows_a_picture, within_s=STARTS_S)
            assert "Done" in card.text
            assert [message.ts for message in slack.messages("C0DRAFTS")] == [card.ts]
            assert len(card.versions) >= 1, "it was queued before it was done"
            assert await product.stop() == 0
        assert slack.violations == []


async def test_with_slack_set_up_by_half_it_does_not_start(tmp_path: Path) -> None:
    environment = {"HOUSESTYLE_SLACK_BOT_TOKEN": "xoxb-1"}
    log = tmp_path / "log"
    with log.open("wb") as file, pytest.raises(AssertionError, match="ended before"):
        async with serving(tmp_path, free_port(), environment=environment, log=file):
            pass
    assert "slack.signing_secret is missing" in log.read_text("utf-8")
