"""What `housestyle serve` needs before a Discord: folders, a kit, a member, settings."""

from pathlib import Path

from bot.app import open_house
from bot.core.ids import new_id
from bot.core.people import ANY_BRAND, Identity, Person
from bot.settings import load_settings
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord_town import DRAFTS, ROLES, SOCIAL, USERS
from tests.fakes.drawn_kit import DRAWN_KIT

STARTS_S = 60.0
KIT = (
    DRAWN_KIT
    + f"""
[[channels]]
name = "#social"
audience = "public"
platform = "discord"
id = "{SOCIAL}"

[[channels]]
name = "#drafts"
audience = "working"
platform = "discord"
id = "{DRAFTS}"
"""
)


async def set_up(discord: FakeDiscord, folder: Path) -> tuple[Path, dict[str, str]]:
    """The data folder and the environment for processes in front of this Discord; its people may
    do there what they may in the town."""
    data, brands = folder / "data", folder / "brands"
    for made in (data, brands):
        made.mkdir()
    (brands / "acme.toml").write_text(KIT, encoding="utf-8")
    environment = {
        "HOUSESTYLE_BRANDS_DIR": str(brands),
        "HOUSESTYLE_DISCORD_TOKEN": discord.token,
        "HOUSESTYLE_DISCORD_API_BASE_URL": discord.api_url,
        "HOUSESTYLE_DISCORD_GATEWAY_URL": discord.gateway_url,
        "HOUSESTYLE_DISCORD_SHARDS": str(discord.world.shards),
    }
    await _invite(environment, data)
    return data, environment


async def _invite(environment: dict[str, str], folder: Path) -> None:
    """Members, known by their accounts in Discord."""
    settings = load_settings(
        environment={**environment, "HOME": str(folder)},
        flags={"data_dir": str(folder)},
        folder=folder,
    )
    async with open_house(settings, generation=False) as house, house.store.write() as tx:
        for name, roles in ROLES.items():
            await tx.people.add(
                Person(
                    id=new_id(),
                    name=name.title(),
                    created_at=house.clock.now(),
                    roles=tuple((ANY_BRAND, role) for role in roles),
                    identities=(Identity(platform="discord", user=USERS[name]),),
                )
            )
