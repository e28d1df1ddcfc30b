"""What an administrator set for Discord, as the adapter is told it; halves are refused."""

from pathlib import Path

import pytest

from bot.chat.discord_chat.options import API_BASE_URL, GATEWAY_URL, DiscordOptions
from bot.chats import discord_options
from bot.settings import SettingsInvalid, load_settings

LOCAL = {"API_BASE_URL": "http://127.0.0.1:9/api/v10", "GATEWAY_URL": "ws://127.0.0.1:9"}


def options(folder: Path, **given: str) -> DiscordOptions | None:
    environment = {f"HOUSESTYLE_DISCORD_{name}": value for name, value in given.items()}
    environment |= {"HOME": str(folder), "HOUSESTYLE_BASE_URL": "https://pictures.example.com/"}
    return discord_options(load_settings(folder=folder, environment=environment))


def chosen(folder: Path, **given: str) -> DiscordOptions:
    found = options(folder, **{"TOKEN": "secret-token", **given})
    assert found is not None
    return found


def test_without_a_token_discord_is_left_out(tmp_path: Path) -> None:
    assert options(tmp_path) is None


def test_a_token_is_all_that_is_needed(tmp_path: Path) -> None:
    found = chosen(tmp_path)
    assert (found.token, found.base_url) == ("secret-token", "https://pictures.example.com")
    assert (found.api_base_url, found.gateway_url) == (API_BASE_URL, GATEWAY_URL)
    assert (found.shards, found.guilds) == (1, ())


def test_another_server_is_named_by_both_its_addresses(tmp_path: Path) -> None:
    found = chosen(tmp_path, **LOCAL, SHARDS="2", GUILDS="1, 2")
    assert found.api_base_url == "http://127.0.0.1:9/api/v10"
    assert found.gateway_url == "ws://127.0.0.1:9/"
    assert (found.shards, found.guilds) == (2, ("1", "2"))


def test_emoji_are_taken_as_typed_or_by_the_name_of_a_guilds_own(tmp_path: Path) -> None:
    found = chosen(tmp_path, APPROVE_EMOJI="🚀, :ship_it:", REJECT_EMOJI="👎")
    assert (found.approve_emoji, found.reject_emoji) == (("🚀", "ship_it"), ("👎",))


def test_the_token_is_not_shown_when_the_options_are(tmp_path: Path) -> None:
    assert "secret-token" not in repr(chosen(tmp_path))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"TOKEN": "", "GUILDS": "1"}, ("discord.token is missing", "docs/discord.md")),
        ({"API_BASE_URL": LOCAL["API_BASE_URL"]}, ("discord.gateway_url is missing",)),
        ({"GATEWAY_URL": LOCAL["GATEWAY_URL"]}, ("discord.api_base_url is missing",)),
        (
            {**LOCAL, "API_BASE_URL": "http://example.com/api"},
            ("discord.api_base_url needs", "https://"),
        ),
        ({**LOCAL, "GATEWAY_URL": "ws://example.com"}, ("discord.gateway_url needs", "wss://")),
        (
            {"APPROVE_EMOJI": "🚀,👎", "REJECT_EMOJI": "👎"},
            ("👎 can't both", "discord.approve_emoji"),
        ),
        ({"APPROVE_EMOJI": "🚀,❌"}, ("❌ always rejects", "out of discord.approve_emoji")),
        ({"REJECT_EMOJI": "✔"}, ("✔ always approves", "out of discord.reject_emoji")),
    ],
)
def test_half_a_configuration_is_refused_with_the_way_out(
    tmp_path: Path, given: dict[str, str], says: tuple[str, ...]
) -> None:
    whole = {"TOKEN": "secret-token", **given}
    with pytest.raises(SettingsInvalid) as caught:
        options(tmp_path, **{name: value for name, value in whole.items() if value})
    said = f"{caught.value.message} {caught.value.fix}"
    assert all(part in said for part in says), said
