"""Settings: `housestyle.toml`, then the environment, then flags; one frozen value for all.

The only module that reads the environment. Secrets come from the environment or from a file that
a HOUSESTYLE_..._FILE variable names, never from `housestyle.toml`, which people commit.
docs/settings.md explains every setting.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.core.errors import HousestyleError
from bot.core.limits import UploadLimits
from bot.core.messages import ChannelRef
from bot.core.tariff import Tariff
from bot.settings_options import (
    BY_KEY,
    OPTIONS,
    PREFIX,
    ROLES,
    TABLES,
    Option,
    Unreadable,
    has_password,
)
from brand.toml_lines import Positions

FILE_NAME = "housestyle.toml"
DEMO_FOLDER = ".housestyle"
"""Where `housestyle demo` keeps everything, in the working directory."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MAX_BYTES = 100_000
MAX_SECRET_BYTES = 10_000
OTHER_VARIABLES = frozenset({"HOUSESTYLE_CONFIG", "HOUSESTYLE_REQUIRE_ALL"})


class SettingsInvalid(HousestyleError):
    """A setting is wrong; the message names the file and line, or the variable."""

    title = "Please check the settings"


@dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """How the generation service is run or reached."""

    engine: str = "diffusers"
    socket: Path | None = None
    """Of a service that runs apart."""
    url: str = ""
    """Of a service that runs apart. With neither, it is a child process."""
    token: str = field(default="", repr=False)
    models_dir: Path
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    max_models: int = 2
    memory_mib: int = 0
    max_rows: int = 0
    quantize: str = "none"
    compile: bool = False

    def process(self) -> dict[str, Any]:
        """What a child process of ours is told of the engine."""
        elsewhere = {"socket", "url", "token"}
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in elsewhere}


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """Where the ledger's anchors go."""

    anchor_file: Path | None = None
    anchor_channel: ChannelRef | None = None


@dataclass(frozen=True, kw_only=True)
class SlackSettings:
    """Empty texts: not connected. `bot/chats.py` makes the adapter's options of it."""

    mode: str = ""
    """`http` or `socket`; empty: socket where there is an app token, else http."""
    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    api_base_url: str = ""
    authorize_url: str = ""
    """Empty: Slack's own."""
    sockets: int = 2
    senders: int = 3
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    token_key: tuple[str, ...] = field(default=(), repr=False)
    """The first one seals, all of them open."""
    allowed_teams: tuple[str, ...] = ()
    """Empty: any that its people install it in."""
    approve_emoji: tuple[str, ...] = ()
    reject_emoji: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DiscordSettings:
    """Without a token: not connected. `bot/chats.py` makes the adapter's options of it."""

    token: str = field(default="", repr=False)
    api_base_url: str = ""
    gateway_url: str = ""
    """Empty: Discord's own."""
    shards: int = 1
    senders: int = 3
    guilds: tuple[str, ...] = ()
    """Empty: any that it was invited to."""
    approve_emoji: tuple[str, ...] = ()
    reject_emoji: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SigninSettings:
    """Providers that people may sign in with; empty client ids: not offered."""

    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    oidc_label: str = "your company account"
    oidc_hosts: tuple[str, ...] = ()
    slack_client_id: str = ""
    slack_client_secret: str = field(default="", repr=False)
    slack_issuer: str = "https://slack.com"
    discord_client_id: str = ""
    discord_client_secret: str = field(default="", repr=False)
    discord_address: str = "https://discord.com"


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """Who may read the metrics. Without a token the portal's own port does not show them."""

    token: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    """Of a server for metrics and health alone; 0: none."""


@dataclass(frozen=True, kw_only=True)
class OtelSettings:
    """Where traces go; empty: nowhere, and none are made."""

    endpoint: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of this process. Paths are absolute."""

    data_dir: Path
    database_url: str = field(repr=False)
    blobs: Path
    brands_dir: Path
    generation: GenerationSettings
    host: str = "127.0.0.1"
    port: int = 8600
    base_url: str = ""
    """Never empty once loaded; without a trailing slash."""
    roles: tuple[str, ...] = ROLES
    log_level: str = "info"
    stop_seconds: int = 20
    """How long running work may take to end when the process is told to stop."""
    worker_jobs: int = 6
    """How many jobs a worker has in hand at once; a third of them is for interactive work only."""
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    otel: OtelSettings = field(default_factory=OtelSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    uploads: UploadLimits = field(default_factory=UploadLimits)
    tariff: Tariff | None = None
    """What device time costs; None: no tariff set."""
    slack: SlackSettings = field(default_factory=SlackSettings)
    discord: DiscordSettings = field(default_factory=DiscordSettings)
    signin: SigninSettings = field(default_factory=SigninSettings)
    source: Path | None = None
    """The file that was read, if there was one."""
    unknown_variables: tuple[str, ...] = ()
    """HOUSESTYLE_ variables that mean nothing: typing slips, told by `doctor`."""
    demo: bool = False
    """Set by `housestyle demo` alone: one person may request and approve, marked as such."""


def load_settings(
    *,
    config: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Read file, environment and flags. Raises SettingsInvalid.

    `flags` are (dotted key, value) pairs, None for those not given. `config` wins over
    HOUSESTYLE_CONFIG, which wins over `housestyle.toml` in `folder` (the working directory).
    """
    env = os.environ if environment is None else environment
    here = (folder or Path.cwd()).resolve()
    path = _config_path(config, env, here)
    values = _from_file(path) if path else {}
    values |= _from_environment(env, here)
    for key, value in (flags or {}).items():
        if value is not None:
            shown = f"--{key.rpartition('.')[2].replace('_', '-')}"
            values[key] = _parsed(BY_KEY[key], value, here, shown)
    return _filled(values, env, here, path)


def terminal_environment() -> Mapping[str, str]:
    """The variables by which a terminal says what it can show."""
    names = ("TERM", "TERM_PROGRAM", "KITTY_WINDOW_ID", "NO_COLOR", "COLUMNS", "TMUX", "DISPLAY",
             "WAYLAND_DISPLAY", "LC_TERMINAL")  # fmt: skip
    return {name: os.environ[name] for name in names if name in os.environ}


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """The values that no log, page or metric may show."""
    values: list[str] = []
    for option in OPTIONS:
        if option.secret:
            holder: Any = settings
            for name in option.key.split("."):
                holder = getattr(holder, name)
            values += holder if isinstance(holder, tuple) else [str(holder)]
    if has_password(settings.database_url):
        values += [settings.database_url, urlsplit(settings.database_url).password or ""]
    return tuple(value for value in values if value)


def _config_path(config: Path | None, env: Mapping[str, str], here: Path) -> Path | None:
    named = config or (Path(env["HOUSESTYLE_CONFIG"]) if env.get("HOUSESTYLE_CONFIG") else None)
    if named is not None:
        path = (here / named.expanduser()).resolve()
        if not path.is_file():
            raise SettingsInvalid(
                f"There is no settings file {path}.", fix="`housestyle init` writes one."
            )
        return path
    path = here / FILE_NAME
    return path if path.is_file() else None


def _from_file(path: Path) -> dict[str, object]:
    text = _read(path, MAX_BYTES)
    try:
        raw = tomllib.loads(text)
        positions = Positions(text)
    except tomllib.TOMLDecodeError as exc:
        raise SettingsInvalid(f"{path} isn't TOML: {exc}.", fix="Correct that line.") from exc
    except RecursionError as exc:
        raise SettingsInvalid(
            f"{path}: values are nested too deep.", fix="Take the brackets apart."
        ) from exc
    values: dict[str, object] = {}
    for key, value in _flat(raw).items():
        where = f"{path}:{positions.of(tuple(key.split('.'))).line}: {key}"
        option = BY_KEY.get(key)
        if option is None:
            raise _unknown(key, where)
        if option.secret or (key == "database_url" and has_password(str(value))):
            raise SettingsInvalid(
                f"{where} is a secret and doesn't belong into a file that people share.",
                fix=f"Set {option.variable}, or {option.variable}_FILE to a file that holds it.",
            )
        values[key] = _parsed(option, value, path.parent, where)
    return values


def _flat(raw: Mapping[str, Any]) -> dict[str, object]:
    """Dotted keys of one level of tables; deeper ones are no settings and fail as unknown."""
    flat: dict[str, object] = {}
    for key, value in raw.items():
        if isinstance(value, dict) and key in TABLES:
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat


def _unknown(key: str, where: str) -> SettingsInvalid:
    from brand.words import nearest  # with numpy behind it, too slow for every start

    meant = nearest(key, BY_KEY)
    fix = f"Did you mean `{meant}`?" if meant else "docs/settings.md lists all settings."
    return SettingsInvalid(f"{where} isn't a setting.", fix=fix)


def _from_environment(env: Mapping[str, str], here: Path) -> dict[str, object]:
    values: dict[str, object] = {}
    for option in OPTIONS:
        plain, file = env.get(option.variable), env.get(f"{option.variable}_FILE")
        name = option.variable
        if plain and file:
            raise SettingsInvalid(f"{name} and {name}_FILE are both set.", fix="Unset one.")
        if file:
            path, name = (here / file).resolve(), f"{name}_FILE"
            plain = _read(path, MAX_SECRET_BYTES).strip()
        if plain:
            values[option.key] = _parsed(option, plain, here, name)
    return values


def _parsed(option: Option, value: object, folder: Path, where: str) -> object:
    try:
        return option.parse(value, folder)
    except Unreadable as exc:
        shown = "" if option.secret else f", not {value!r}"
        raise SettingsInvalid(f"{where} {exc}{shown}."[:500]) from exc


def _read(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise SettingsInvalid(f"{path} is larger than {limit:,} bytes.")
        return data.decode("utf-8-sig")
    except OSError as exc:
        why = exc.strerror or type(exc).__name__
        raise SettingsInvalid(f"{path} can't be read: {why}.", fix="Check the path.") from exc
    except UnicodeDecodeError as exc:
        raise SettingsInvalid(f"{path} isn't UTF-8 text.", fix="Save it as UTF-8.") from exc


def _data_home(env: Mapping[str, str], here: Path) -> Path:
    """The demo's folder if it lies here, else where the XDG base directory specification puts an
    application's data."""
    if (here / DEMO_FOLDER).is_dir():
        return here / DEMO_FOLDER
    home = Path(env.get("HOME") or Path.home())
    named = Path(env.get("XDG_DATA_HOME", ""))
    return (named if named.is_absolute() else home / ".local" / "share") / "housestyle"


def _filled(
    values: Mapping[str, object], env: Mapping[str, str], here: Path, source: Path | None
) -> Settings:
    """The frozen value, defaults filled in."""
    given: dict[str, Any] = dict(values)

    def table(name: str) -> dict[str, Any]:
        found = {key: given.pop(key) for key in list(given) if key.startswith(f"{name}.")}
        return {key.partition(".")[2]: value for key, value in found.items()}

    data_dir: Path = given.pop("data_dir", None) or _data_home(env, here).resolve()
    host, port = given.pop("host", "127.0.0.1"), given.pop("port", 8600)
    reached = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  compared only
    shown = f"[{reached}]" if ":" in reached else reached
    return Settings(
        data_dir=data_dir,
        database_url=given.pop("database_url", "") or f"sqlite:///{data_dir / 'housestyle.db'}",
        blobs=given.pop("blobs", data_dir / "blobs"),
        brands_dir=given.pop("brands_dir", data_dir / "brands"),
        generation=GenerationSettings(**{"models_dir": data_dir / "models"} | table("generation")),
        host=host,
        port=port,
        base_url=given.pop("base_url", "") or f"http://{shown}:{port}",
        audit=AuditSettings(**table("audit")),
        uploads=UploadLimits(**table("uploads")),
        tariff=_tariff(table("tariff")),
        metrics=_metrics(table("metrics")),
        otel=OtelSettings(**table("otel")),
        slack=SlackSettings(**table("slack")),
        discord=DiscordSettings(**table("discord")),
        signin=SigninSettings(**table("signin")),
        source=source,
        unknown_variables=_unknown_variables(env),
        **given,
    )


def _tariff(given: dict[str, Any]) -> Tariff | None:
    """None where nothing says what an hour costs."""
    if ("watts" in given) != ("per_kwh" in given):
        missing = "per_kwh" if "watts" in given else "watts"
        raise SettingsInvalid(
            f"tariff.{missing} is missing: electricity is priced by both.",
            fix=f"Set tariff.{missing} too, or leave both out.",
        )
    if "per_hour" not in given and "watts" not in given:
        if given:
            raise SettingsInvalid(
                "tariff.currency is set, but nothing says what an hour costs.",
                fix="Set tariff.per_hour, or tariff.watts and tariff.per_kwh.",
            )
        return None
    return Tariff(**given)


def _metrics(given: dict[str, Any]) -> MetricsSettings:
    chosen = MetricsSettings(**given)
    if chosen.port and not chosen.token and chosen.host not in LOOPBACK:
        raise SettingsInvalid(
            f"metrics.host {chosen.host} can be reached by other machines, and there is no token.",
            fix="Set HOUSESTYLE_METRICS_TOKEN, or leave metrics.host at 127.0.0.1.",
        )
    return chosen


def _unknown_variables(env: Mapping[str, str]) -> tuple[str, ...]:
    known = {option.variable for option in OPTIONS}
    known |= {f"{name}_FILE" for name in known} | OTHER_VARIABLES
    return tuple(sorted(name for name in env if name.startswith(PREFIX) and name not in known))
