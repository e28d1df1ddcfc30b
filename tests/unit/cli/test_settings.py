"""Settings: file, then environment, then flags; mistakes named with their line."""

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsInvalid, load_settings, secrets_of
from bot.settings_options import OPTIONS, ROLES
from tests.needs import ROOT


def loaded(
    folder: Path,
    text: str | None = None,
    environment: dict[str, str] | None = None,
    flags: dict[str, object] | None = None,
) -> Settings:
    if text is not None:
        (folder / "housestyle.toml").write_text(text, encoding="utf-8")
    return load_settings(
        folder=folder, environment={"HOME": str(folder), **(environment or {})}, flags=flags
    )


def refusal(folder: Path, text: str = "", environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        loaded(folder, text, environment)
    return f"{caught.value.message} {caught.value.fix}"


def test_without_anything_it_listens_to_this_machine_alone(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert settings.host == "127.0.0.1"
    assert settings.base_url == "http://127.0.0.1:8600"
    assert settings.data_dir == tmp_path / ".local/share/housestyle"
    assert settings.database_url == f"sqlite:///{settings.data_dir}/housestyle.db"
    assert settings.blobs == settings.data_dir / "blobs"
    assert settings.brands_dir == settings.data_dir / "brands"
    assert settings.roles == ROLES
    assert settings.generation.engine == "diffusers"
    assert not settings.demo


def test_the_xdg_folder_is_kept_to(tmp_path: Path) -> None:
    settings = loaded(tmp_path, environment={"XDG_DATA_HOME": str(tmp_path / "data")})
    assert settings.data_dir == tmp_path / "data/housestyle"


def test_where_the_demo_has_run_its_folder_is_the_default(tmp_path: Path) -> None:
    (tmp_path / ".housestyle").mkdir()
    assert loaded(tmp_path).data_dir == tmp_path / ".housestyle"


def test_the_file_gives_way_to_the_environment_and_that_to_flags(tmp_path: Path) -> None:
    text = 'port = 8001\nhost = "::1"\nlog_level = "error"'
    environment = {"HOUSESTYLE_PORT": "8002", "HOUSESTYLE_HOST": "127.0.0.2"}
    settings = loaded(tmp_path, text, environment, {"port": 8003, "host": None})
    assert (settings.port, settings.host, settings.log_level) == (8003, "127.0.0.2", "error")


def test_a_flag_of_nothing_is_still_a_flag(tmp_path: Path) -> None:
    environment = {"HOUSESTYLE_GENERATION_THREADS": "3"}
    settings = loaded(tmp_path, environment=environment, flags={"generation.threads": 0})
    assert settings.generation.threads == 0


def test_paths_in_the_file_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "my.toml").write_text('data_dir = "../d"\n[generation]\nmodels_dir="m"')
    settings = load_settings(
        config=Path("conf/my.toml"), folder=tmp_path, environment={"HOME": str(tmp_path)}
    )
    assert settings.data_dir == tmp_path / "d"
    assert settings.generation.models_dir == tmp_path / "conf/m"


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-secret\n")
    settings = loaded(tmp_path, environment={"HOUSESTYLE_SLACK_BOT_TOKEN_FILE": "token"})
    assert settings.slack.bot_token == "xoxb-secret"


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.secret], ids=lambda o: o.key)
def test_a_secret_is_refused_in_the_shared_file(tmp_path: Path, option: object) -> None:
    key = getattr(option, "key", "")
    table, _, name = key.partition(".")
    said = refusal(tmp_path, f'\n[{table}]\n{name} = "canary-4711"')
    assert f"housestyle.toml:3: {key} is a secret" in said
    assert "_FILE" in said
    assert "canary-4711" not in said


def test_a_database_password_is_refused_in_the_shared_file(tmp_path: Path) -> None:
    said = refusal(tmp_path, 'database_url = "postgresql://me:canary@db/house"')
    assert "secret" in said
    assert "canary" not in said


def test_secrets_are_not_shown_when_settings_are(tmp_path: Path) -> None:
    environment = {option.variable: "canary" * 8 for option in OPTIONS if option.secret}
    environment["HOUSESTYLE_DATABASE_URL"] = "postgresql://me:canary@db/house"
    assert "canary" not in repr(loaded(tmp_path, environment=environment))


def test_each_of_several_keys_is_hidden_in_logs(tmp_path: Path) -> None:
    settings = loaded(tmp_path, environment={"HOUSESTYLE_SLACK_TOKEN_KEY": "key-one, key-two"})
    assert settings.slack.token_key == ("key-one", "key-two")
    assert set(secrets_of(settings)) == {"key-one", "key-two"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n\nprot = 1", "housestyle.toml:3: prot isn't a setting. Did you mean `port`?"),
        ("[generation]\nengin = 1", "Did you mean `generation.engine`?"),
        ("[generation.engine]\nx = 1", "generation.engine takes a text"),
        ("[xyz]\na = 1", "xyz isn't a setting. docs/settings.md"),
        ("port = 0", "port takes a whole number from 1 to 65,535, not 0"),
        ("port = true", "takes a whole number"),
        ("port = 8600.5", "takes a whole number"),
        ('port = "99999999999"', "takes a whole number"),
        ('log_level = "loud"', "takes one of debug, info, warning, error"),
        ('roles = ["web", "wurker"]', "takes all, or some of bot, web, worker, scheduler"),
        ("roles = []", "takes all, or some of"),
        ('base_url = "example.com"', "starts with http or https://"),
        ('base_url = "http://[::1"', "isn't an address"),
        ('database_url = "mysql://x"', "sqlite:// or postgresql://"),
        ('data_dir = ""', "takes the path"),
        ('host = "a\\u0000b"', "NUL"),
        ("[slack]\nsockets = 11", "slack.sockets takes a whole number from 1 to 10"),
        ('[slack]\nmode = "carrier pigeon"', "slack.mode takes one of http, socket"),
        ('[slack]\napprove_emoji = "👍"', "takes names of emoji, as white_check_mark"),
        ("[discord]\nshards = 65", "discord.shards takes a whole number from 1 to 64"),
        ('[discord]\ngateway_url = "https://x.example"', "starts with ws or wss://"),
        ('[discord]\nreject_emoji = "thumbs down"', "takes emoji, as 🚀"),
        ("port = ", "isn't TOML"),
        ("x = " + "[" * 5000 + "]" * 5000, "nested too deep"),
        ("#" * 200_000, "larger than"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_may_stand_there(
    tmp_path: Path, text: str, says: str
) -> None:
    assert says in refusal(tmp_path, text)


def test_a_wrong_variable_is_named_without_a_secrets_value(tmp_path: Path) -> None:
    said = refusal(tmp_path, environment={"HOUSESTYLE_PORT": "x"})
    assert said.startswith("HOUSESTYLE_PORT takes a whole number")
    said = refusal(tmp_path, environment={"HOUSESTYLE_DISCORD_TOKEN": "can\x00ary"})
    assert "can" not in said.replace("can't", "")


def test_a_variable_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    both = {"HOUSESTYLE_DISCORD_TOKEN": "a", "HOUSESTYLE_DISCORD_TOKEN_FILE": "b"}
    assert "are both set" in refusal(tmp_path, environment=both)


def test_a_secrets_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, environment={"HOUSESTYLE_DISCORD_TOKEN_FILE": "nowhere"})
    assert str(tmp_path / "nowhere") in said


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, environment={"HOUSESTYLE_CONFIG": "nowhere.toml"})
    assert "nowhere.toml" in said


def test_variables_that_mean_nothing_are_kept_for_the_doctor(tmp_path: Path) -> None:
    settings = loaded(tmp_path, environment={"HOUSESTYLE_PROT": "1", "HOUSESTYLE_PORT": "8700"})
    assert settings.unknown_variables == ("HOUSESTYLE_PROT",)


@pytest.mark.parametrize(
    ("host", "base_url"),
    [("0.0.0.0", "http://127.0.0.1:8600"), ("::1", "http://[::1]:8600")],  # noqa: S104
)
def test_links_lead_where_a_browser_can_go(tmp_path: Path, host: str, base_url: str) -> None:
    assert loaded(tmp_path, flags={"host": host}).base_url == base_url


def test_every_setting_has_a_heading_in_the_docs() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    headings = {
        line.removeprefix("### `").removesuffix("`")
        for line in page.splitlines()
        if line.startswith("### `")
    }
    assert headings == {option.key for option in OPTIONS}


def test_every_setting_can_be_set(tmp_path: Path) -> None:
    samples = {
        "port": "8700",
        "roles": "web,bot",
        "base_url": "https://x.example",
        "log_level": "debug",
        "audit.anchor_channel": "local:ops",
        "signin.discord_address": "https://x.example",
        "signin.oidc_issuer": "https://x.example",
        "signin.slack_issuer": "https://x.example",
        "slack.mode": "socket",
        "slack.api_base_url": "https://x.example/api",
        "slack.authorize_url": "https://x.example/authorize",
        "slack.sockets": "3",
        "slack.senders": "4",
        "slack.approve_emoji": ":shipit:, our_logo",
        "discord.api_base_url": "http://127.0.0.1:9/api/v10",
        "discord.gateway_url": "ws://127.0.0.1:9",
        "discord.shards": "2",
        "discord.senders": "4",
        "discord.approve_emoji": "🚀, :shipit:",
        "stop_seconds": "5",
        "worker_jobs": "3",
        "metrics.port": "9100",
        "otel.endpoint": "http://collector:4318",
        "database_url": "sqlite:///x.db",
        "generation.engine": "drawn",
        "generation.url": "http://gpu:9000",
        "generation.threads": "3",
        "generation.dtype": "bfloat16",
        "generation.max_models": "3",
        "generation.memory_mib": "4096",
        "generation.max_rows": "8",
        "generation.quantize": "int8",
        "generation.compile": "true",
        "tariff.per_hour": "1.5",
        "tariff.currency": "CHF",
        "tariff.watts": "500",
        "tariff.per_kwh": "0.3",
        "uploads.files": "50",
        "uploads.mib": "200",
        "uploads.memory_mib": "128",
    }
    environment = {option.variable: samples.get(option.key, "text") for option in OPTIONS}
    settings = loaded(tmp_path, environment=environment)
    for option in OPTIONS:
        value: object = settings
        for part in option.key.split("."):
            value = getattr(value, part)
        wanted = option.parse(samples.get(option.key, "text"), tmp_path)
        assert value == wanted, option.key
