"""Every setting once: its name, how its text is read, what it means. `settings.py` fills them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.core.messages import ChannelRef

ROLES = ("bot", "web", "worker", "scheduler", "sequencer")
ENGINES = ("diffusers", "drawn")
LOG_LEVELS = ("debug", "info", "warning", "error")
SLACK_MODES = ("http", "socket")
PREFIX = "HOUSESTYLE_"
EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}")
LONGEST_EMOJI = 32
"""Characters in the name of a guild's own emoji; one of Unicode's has fewer."""


class Unreadable(ValueError):
    """A value that does not fit its setting; the text says what does."""


Parse = Callable[[object, Path], object]
"""From what the file or the environment holds, and the folder that relative paths start at."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One setting. `key` is its dotted name in the file."""

    key: str
    parse: Parse
    about: str
    secret: bool = False
    """Only from the environment or a file that HOUSESTYLE_..._FILE names."""

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.key.upper().replace(".", "_")


def _text(value: object, _folder: Path) -> str:
    if not isinstance(value, str):
        raise Unreadable("takes a text in quotation marks")
    if "\x00" in value:
        raise Unreadable("may not hold a NUL character")
    return value.strip()


def _path(value: object, folder: Path) -> Path:
    text = _text(value, folder)
    if not text:
        raise Unreadable("takes the path of a folder or file")
    return (folder / Path(text).expanduser()).resolve()


def _whole(low: int, high: int) -> Parse:
    def parse(value: object, _folder: Path) -> int:
        wrong = Unreadable(f"takes a whole number from {low:,} to {high:,}")
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value) if len(value) < 10 else high + 1
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise wrong
        return value

    return parse


def _switch(value: object, _folder: Path) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise Unreadable("takes true or false")


def _amount(most: float) -> Parse:
    def parse(value: object, _folder: Path) -> float:
        wrong = Unreadable(f"takes a number from 0 to {most:,.0f}, as 1.50")
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise wrong
        try:
            number = float(value)
        except ValueError as exc:
            raise wrong from exc
        if not 0 <= number <= most:  # NaN is not either
            raise wrong
        return number

    return parse


def _currency(value: object, folder: Path) -> str:
    text = _text(value, folder).upper()
    if len(text) != 3 or not (text.isascii() and text.isalpha()):
        raise Unreadable("takes the three letters of a currency, as EUR")
    return text


def _one_of(*choices: str) -> Parse:
    def parse(value: object, folder: Path) -> str:
        text = _text(value, folder).lower()
        if text not in choices:
            raise Unreadable(f"takes one of {', '.join(choices)}")
        return text

    return parse


def _roles(value: object, folder: Path) -> tuple[str, ...]:
    """`all`, one role, or several: a list in the file, commas elsewhere."""
    parts = value if isinstance(value, list) else _text(value, folder).split(",")
    names = [_text(part, folder).lower() for part in parts]
    if names == ["all"]:
        return ROLES
    if not names or any(name not in ROLES for name in names):
        raise Unreadable(f"takes all, or some of {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in names)


def _names(value: object, folder: Path) -> tuple[str, ...]:
    """Several words: a list in the file, commas elsewhere."""
    parts = value if isinstance(value, list) else _text(value, folder).split(",")
    return tuple(name for part in parts if (name := _text(part, folder)))


def _emoji(value: object, folder: Path) -> tuple[str, ...]:
    """Names of emoji, with or without their colons."""
    names = tuple(name.strip(":").lower() for name in _names(value, folder))
    if not all(EMOJI.fullmatch(name) for name in names):
        raise Unreadable("takes names of emoji, as white_check_mark")
    return names


def _any_emoji(value: object, folder: Path) -> tuple[str, ...]:
    """Emoji themselves, or names of a guild's own, with or without their colons."""
    names = tuple(name.strip(":") for name in _names(value, folder))
    if not all(name and len(name) <= LONGEST_EMOJI and name.split() == [name] for name in names):
        raise Unreadable("takes emoji, as 🚀, or names of a guild's own, as shipit")
    return names


def _address(*schemes: str) -> Parse:
    def parse(value: object, folder: Path) -> str:
        text = _text(value, folder)
        try:
            parts = urlsplit(text)
            parts.port  # noqa: B018  reading it checks it
        except ValueError as exc:
            raise Unreadable(f"isn't an address: {exc}") from exc
        if text and (parts.scheme not in schemes or not parts.hostname):
            raise Unreadable(f"takes an address that starts with {' or '.join(schemes)}://")
        return text.rstrip("/")

    return parse


def _issuer(value: object, folder: Path) -> str:
    """An address that is compared letter by letter: some end with a slash, some do not."""
    _address("http", "https")(value, folder)
    return _text(value, folder)


def _database(value: object, folder: Path) -> str:
    text = _text(value, folder)
    scheme = text.partition(":")[0].partition("+")[0]
    if text and scheme not in ("sqlite", "postgresql", "memory"):
        raise Unreadable("takes an address that starts with sqlite:// or postgresql://")
    return text


def _place(value: object, folder: Path) -> ChannelRef | None:
    """A channel as `PLATFORM:ID`."""
    platform, _, channel = _text(value, folder).partition(":")
    if not platform and not channel:
        return None
    if not platform.isalnum() or not channel.strip():
        raise Unreadable("takes a channel as PLATFORM:ID, for instance slack:C0123456789")
    return ChannelRef(platform=platform, channel=channel.strip())


def has_password(address: str) -> bool:
    """Whether a database's address carries a password."""
    try:
        return bool(urlsplit(address).password)
    except ValueError:
        return True  # unreadable, so not shown either


OPTIONS = (
    Option(key="data_dir", parse=_path, about="where everything is kept"),
    Option(key="database_url", parse=_database, about="the database; a SQLite file by default"),
    Option(key="blobs", parse=_path, about="the folder of the pictures' files"),
    Option(key="brands_dir", parse=_path, about="the folder of the brand kits"),
    Option(key="host", parse=_text, about="the address to listen on"),
    Option(key="port", parse=_whole(1, 65535), about="the port to listen on"),
    Option(key="base_url", parse=_address("http", "https"), about="where people reach the portal"),
    Option(key="roles", parse=_roles, about="what this process does"),
    Option(key="log_level", parse=_one_of(*LOG_LEVELS), about="how much is logged"),
    Option(
        key="stop_seconds",
        parse=_whole(0, 3600),
        about="how long running work may take to end when the process is told to stop",
    ),
    Option(
        key="worker_jobs",
        parse=_whole(1, 64),
        about="how many jobs a worker has in hand at once",
    ),
    Option(
        key="metrics.token",
        parse=_text,
        about="the bearer token by which /metrics may be read",
        secret=True,
    ),
    Option(
        key="metrics.port",
        parse=_whole(0, 65535),
        about="a port of its own for metrics and health; 0 for none",
    ),
    Option(key="metrics.host", parse=_text, about="the address that port listens on"),
    Option(
        key="otel.endpoint",
        parse=_address("http", "https"),
        about="where traces are sent (OTLP over HTTP)",
    ),
    Option(key="generation.engine", parse=_one_of(*ENGINES), about="what renders"),
    Option(
        key="generation.socket",
        parse=_path,
        about="the UNIX socket of a generation service that runs apart",
    ),
    Option(
        key="generation.url",
        parse=_address("http", "https"),
        about="the address of a generation service elsewhere",
    ),
    Option(
        key="generation.token",
        parse=_text,
        about="the bearer token of that service",
        secret=True,
    ),
    Option(key="generation.models_dir", parse=_path, about="the folder of the models"),
    Option(
        key="generation.threads",
        parse=_whole(0, 1024),
        about="CPU threads of the engine; 0 for all cores",
    ),
    Option(key="generation.device", parse=_text, about="auto, cpu, cuda or cuda:N"),
    Option(
        key="generation.dtype",
        parse=_one_of("auto", "float32", "bfloat16", "float16"),
        about="the number format of the models",
    ),
    Option(
        key="generation.max_models",
        parse=_whole(1, 1000),
        about="how many models are kept in memory",
    ),
    Option(
        key="generation.memory_mib",
        parse=_whole(0, 1 << 24),
        about="what models may take of the device's memory; 0 for most of it",
    ),
    Option(
        key="generation.max_rows",
        parse=_whole(0, 1024),
        about="how many rows a model computes at once; 0 for what pays",
    ),
    Option(
        key="generation.quantize",
        parse=_one_of("none", "int8", "fp8"),
        about="keep the models' weights in eight bits",
    ),
    Option(key="generation.compile", parse=_switch, about="compile the models"),
    Option(key="tariff.per_hour", parse=_amount(1e6), about="what an hour of the device costs"),
    Option(key="tariff.currency", parse=_currency, about="the currency of all prices"),
    Option(key="tariff.watts", parse=_amount(1e6), about="what the device draws while it renders"),
    Option(key="tariff.per_kwh", parse=_amount(1e6), about="what a kilowatt hour costs"),
    Option(
        key="uploads.files",
        parse=_whole(1, 1_000_000),
        about="how many pictures that somebody brought may wait for their jobs",
    ),
    Option(
        key="uploads.mib",
        parse=_whole(100, 1 << 24),
        about="how many MiB those may have in all",
    ),
    Option(
        key="uploads.memory_mib",
        parse=_whole(64, 1 << 20),
        about="how many MiB of requests with pictures are in memory at once",
    ),
    Option(key="audit.anchor_file", parse=_path, about="the file of the ledger's anchors"),
    Option(
        key="audit.anchor_channel",
        parse=_place,
        about="the channel where the ledger's anchors are posted",
    ),
    Option(key="slack.mode", parse=_one_of(*SLACK_MODES), about="how Slack's deliveries come in"),
    Option(key="slack.bot_token", parse=_text, about="xoxb-…", secret=True),
    Option(key="slack.app_token", parse=_text, about="xapp-…, for socket mode", secret=True),
    Option(key="slack.signing_secret", parse=_text, about="for HTTP mode", secret=True),
    Option(
        key="slack.api_base_url",
        parse=_address("http", "https"),
        about="where Slack's Web API is",
    ),
    Option(
        key="slack.authorize_url",
        parse=_address("http", "https"),
        about="where Slack asks whether a workspace wants the app",
    ),
    Option(key="slack.sockets", parse=_whole(1, 10), about="sockets held open in socket mode"),
    Option(
        key="slack.senders",
        parse=_whole(1, 16),
        about="how many messages this process sends at the same time",
    ),
    Option(
        key="slack.client_id",
        parse=_text,
        about="the app's client id, where several workspaces install it",
    ),
    Option(key="slack.client_secret", parse=_text, about="the secret of that id", secret=True),
    Option(
        key="slack.token_key",
        parse=_names,
        about="the keys that seal the workspaces' tokens",
        secret=True,
    ),
    Option(
        key="slack.allowed_teams",
        parse=_names,
        about="the workspaces or organisations that may install it",
    ),
    Option(key="slack.approve_emoji", parse=_emoji, about="emoji that approve"),
    Option(key="slack.reject_emoji", parse=_emoji, about="emoji that reject"),
    Option(key="discord.token", parse=_text, about="the bot's token", secret=True),
    Option(
        key="discord.api_base_url",
        parse=_address("http", "https"),
        about="where Discord's REST API is",
    ),
    Option(key="discord.gateway_url", parse=_address("ws", "wss"), about="where its gateway is"),
    Option(
        key="discord.shards",
        parse=_whole(1, 64),
        about="gateway connections among which the guilds are shared",
    ),
    Option(
        key="discord.senders",
        parse=_whole(1, 16),
        about="how many messages this process sends at the same time",
    ),
    Option(key="discord.guilds", parse=_names, about="the guilds in which it answers"),
    Option(key="discord.approve_emoji", parse=_any_emoji, about="emoji that approve"),
    Option(key="discord.reject_emoji", parse=_any_emoji, about="emoji that reject"),
    Option(
        key="signin.oidc_issuer",
        parse=_issuer,
        about="the issuer of the OpenID Connect provider that people sign in with",
    ),
    Option(key="signin.oidc_client_id", parse=_text, about="this portal's name there"),
    Option(
        key="signin.oidc_client_secret", parse=_text, about="the secret of that name", secret=True
    ),
    Option(key="signin.oidc_label", parse=_text, about="what the button says"),
    Option(key="signin.oidc_hosts", parse=_names, about="other hosts of that provider"),
    Option(key="signin.slack_client_id", parse=_text, about="the Slack app's client id"),
    Option(
        key="signin.slack_client_secret", parse=_text, about="the Slack app's secret", secret=True
    ),
    Option(
        key="signin.slack_issuer",
        parse=_issuer,
        about="Slack's issuer; another for GovSlack",
    ),
    Option(key="signin.discord_client_id", parse=_text, about="the Discord application's id"),
    Option(
        key="signin.discord_client_secret",
        parse=_text,
        about="the Discord application's secret",
        secret=True,
    ),
    Option(
        key="signin.discord_address",
        parse=_address("http", "https"),
        about="where Discord is",
    ),
)
BY_KEY = {option.key: option for option in OPTIONS}
TABLES = frozenset(option.key.partition(".")[0] for option in OPTIONS if "." in option.key)
