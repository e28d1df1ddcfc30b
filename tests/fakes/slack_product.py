"""What `housestyle serve` needs before a Slack: folders, a kit, a member, settings."""

from pathlib import Path

from bot.app import open_house
from bot.chat.slack_chat.options import Mode
from bot.core.ids import new_id
from bot.core.people import ANY_BRAND, Identity, Person, Role
from bot.settings import load_settings
from tests.fakes.drawn_kit import DRAWN_KIT
from tests.fakes.slack.app import FakeSlack

STARTS_S = 60.0
KIT = (
    DRAWN_KIT
    + """
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
)


async def set_up(
    slack: FakeSlack, folder: Path, mode: Mode, port: int
) -> tuple[Path, dict[str, str]]:
    """The data folder and the environment for processes that listen to this Slack, by HTTP on
    that port; Mia may ask for pictures."""
    data = folder / "data"
    for made in (data, folder / "brands"):
        made.mkdir()
    (folder / "brands" / "acme.toml").write_text(KIT, encoding="utf-8")
    environment = {
        "HOUSESTYLE_BRANDS_DIR": str(folder / "brands"),
        "HOUSESTYLE_SLACK_BOT_TOKEN": slack.bot_token,
        "HOUSESTYLE_SLACK_API_BASE_URL": slack.api_url,
    }
    if mode is Mode.HTTP:
        slack.listens(f"http://127.0.0.1:{port}/slack/events")
        environment["HOUSESTYLE_SLACK_SIGNING_SECRET"] = slack.world.signing_secret
    else:
        environment["HOUSESTYLE_SLACK_APP_TOKEN"] = slack.app_token
    await _invite_mia(environment, data)
    return data, environment


async def _invite_mia(environment: dict[str, str], folder: Path) -> None:
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
