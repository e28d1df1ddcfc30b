"""Which ways to sign in the settings give, and what they refuse before anybody signs in."""

from pathlib import Path

import pytest

from bot.providers import sign_in_providers
from bot.settings import SettingsInvalid, load_settings
from bot.web.signing_in.providers import Provider

OIDC = {
    "HOUSESTYLE_SIGNIN_OIDC_ISSUER": "https://id.acme.test/",
    "HOUSESTYLE_SIGNIN_OIDC_CLIENT_ID": "portal",
}
SLACK = {
    "HOUSESTYLE_SIGNIN_SLACK_CLIENT_ID": "1.2",
    "HOUSESTYLE_SIGNIN_SLACK_CLIENT_SECRET": "s",
}
DISCORD = {
    "HOUSESTYLE_SIGNIN_DISCORD_CLIENT_ID": "4711",
    "HOUSESTYLE_SIGNIN_DISCORD_CLIENT_SECRET": "d",
}


def given(folder: Path, *parts: dict[str, str]) -> list[Provider]:
    environment = {name: value for part in parts for name, value in part.items()}
    return sign_in_providers(load_settings(environment=environment, folder=folder))


def test_without_settings_there_is_no_provider(tmp_path: Path) -> None:
    assert given(tmp_path) == []


def test_each_provider_is_offered_under_its_own_name(tmp_path: Path) -> None:
    found = given(tmp_path, OIDC, SLACK, DISCORD)
    assert [item.name for item in found] == ["oidc", "slack", "discord"]
    assert found[0].issuer == "https://id.acme.test/", "an issuer is kept letter by letter"
    assert found[1].issuer == "https://slack.com"
    assert found[2].endpoints is not None
    assert found[2].endpoints.authorize == "https://discord.com/oauth2/authorize"


def test_secrets_show_in_no_text_of_a_provider(tmp_path: Path) -> None:
    secret = {"HOUSESTYLE_SIGNIN_OIDC_CLIENT_SECRET": "c4n4ry"}
    assert "c4n4ry" not in repr(given(tmp_path, OIDC, secret))


@pytest.mark.parametrize(
    "half",
    [
        *({name: value} for part in (OIDC, SLACK, DISCORD) for name, value in part.items()),
    ],
)
def test_half_a_provider_is_refused_at_the_start(tmp_path: Path, half: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid, match="set up by half"):
        given(tmp_path, half)


@pytest.mark.parametrize("address", ["http://id.acme.test", "http://10.0.0.1", "http://0.0.0.0"])
def test_a_provider_is_spoken_to_in_secret(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingsInvalid, match="starts with https://"):
        given(tmp_path, OIDC, {"HOUSESTYLE_SIGNIN_OIDC_ISSUER": address})


def test_a_provider_on_this_machine_needs_no_certificate(tmp_path: Path) -> None:
    local = {"HOUSESTYLE_SIGNIN_OIDC_ISSUER": "http://127.0.0.1:9000"}
    assert given(tmp_path, OIDC, local)[0].issuer == "http://127.0.0.1:9000"


def test_other_hosts_are_named_one_by_one(tmp_path: Path) -> None:
    hosts = {"HOUSESTYLE_SIGNIN_OIDC_HOSTS": "oauth2.googleapis.com, www.googleapis.com"}
    found = given(tmp_path, OIDC, hosts)[0]
    assert found.allows("https://oauth2.googleapis.com/token")
    for address in (
        "https://googleapis.com/token",
        "https://evil.oauth2.googleapis.com/",
        "http://oauth2.googleapis.com/token",
        "https://x@oauth2.googleapis.com/",
        "https://oauth2.googleapis.com:99999/",
        "ftp://oauth2.googleapis.com/",
        "//oauth2.googleapis.com/",
        "",
    ):
        assert not found.allows(address), address


def test_secrets_do_not_belong_into_the_file(tmp_path: Path) -> None:
    (tmp_path / "housestyle.toml").write_text('[signin]\nslack_client_secret = "x"\n')
    with pytest.raises(SettingsInvalid, match="is a secret"):
        load_settings(environment={}, folder=tmp_path)
