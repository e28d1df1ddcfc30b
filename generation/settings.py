"""The generation service's settings, and the only place that reads this process's environment."""

import os
from dataclasses import dataclass, field
from pathlib import Path

TOKEN_VARIABLE = "HOUSESTYLE_GENERATION_TOKEN"  # noqa: S105  # a name, not a token
MIN_TOKEN_CHARACTERS = 32
ENGINES = ("diffusers", "drawn")
QUANTIZE = ("none", "int8", "fp8")
SHIPPED_MODEL = Path(__file__).parent / "demo_model"
MIB = 1 << 20
_MAX_SOCKET_BYTES = 107  # sun_path of Linux, less its final zero
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
    # Loading maps files; without this cuBLAS may answer with other bits from run to run.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
# glibc gives freed tensors back to the system and asks for them again at every step, which costs a
# Stable Diffusion a tenth of its time on a CPU; GNU's OpenMP spins for so long between operations
# that other busy processes starve it.
_CPU_TUNING = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "268435456",
    "GOMP_SPINCOUNT": "30000",
}


class SettingsInvalid(Exception):
    """The generation service cannot start like this; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request, and all of them together, may take."""

    queued: int = 32
    """Renders that wait; one more is answered 429."""
    pixels: int = 2048 * 2048
    """Of the model's picture."""
    output_pixels: int = 4096 * 4096
    """Of the finished picture."""
    steps: int = 150
    request_bytes: int = 256 * 1024
    blob_bytes: int = 1024 * MIB
    """Of one uploaded file."""
    blobs_bytes: int = 8 * 1024 * MIB
    """Of all uploaded files; the least recently used give way."""
    listed_loras: int = 1000
    """Hashes on one brand's list."""
    keep_seconds: float = 600
    """How long a finished picture can be fetched again."""
    keep_bytes: int = 256 * MIB
    """Finished pictures kept in memory."""


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """How the service runs. Either `socket` or `port` is set."""

    state_dir: Path
    """Uploaded files, approved lists and the hashes of weights files."""
    engine: str = "diffusers"
    """One of ENGINES."""
    socket: Path | None = None
    """A UNIX socket; only this user may connect."""
    host: str = "127.0.0.1"
    port: int | None = None
    """TCP; 0 takes any free port. Needs a token."""
    token: str = field(default="", repr=False)
    models_dir: Path | None = None
    """Diffusers folders and safetensors files beside the shipped model."""
    model: str = "demo"
    """The model that is loaded at once."""
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    """Compute threads; 0 takes as many as the process may use, or 1 for a small model."""
    max_models: int = 2
    """Models kept in memory; the least recently used gives way."""
    memory_mib: int = 0
    """What models may take of the device's memory together; 0: most of it."""
    max_rows: int = 0
    """Rows in one call of a model at most; 0: as many as its profile finds to pay."""
    quantize: str = "none"
    """How a denoiser's weights are kept: none, int8 or fp8."""
    compile: bool = False
    """Compile the denoisers: slow to start, then faster."""
    step_seconds: float = 0.0
    """How long the drawn engine takes for each step."""
    parent: int = 0
    """Process id of who started it; when that one is gone, the service ends."""
    otel_endpoint: str = ""
    """Where traces are sent; empty: none are made."""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise SettingsInvalid(
                f"There is no engine {self.engine!r}; use {' or '.join(ENGINES)}."
            )
        if self.quantize not in QUANTIZE:
            raise SettingsInvalid(
                f"There is no quantize {self.quantize!r}; use {', '.join(QUANTIZE)}."
            )
        if min(self.memory_mib, self.max_rows, self.threads) < 0 or self.max_models < 1:
            raise SettingsInvalid(
                "memory_mib, max_rows and threads are 0 or more, max_models is 1 or more."
            )
        if self.max_rows == 1:
            raise SettingsInvalid("max_rows is 2 or more: guidance asks about two rows.")
        if (self.socket is None) == (self.port is None):
            raise SettingsInvalid("Give either --socket PATH or --port N.")
        if self.socket is not None and len(os.fsencode(self.socket)) > _MAX_SOCKET_BYTES:
            raise SettingsInvalid(
                f"The socket's path is longer than the {_MAX_SOCKET_BYTES} bytes that the system "
                "takes; choose a shorter one."
            )
        if self.port is not None and not self.token:
            raise SettingsInvalid(
                f"Over TCP the service takes work only with a token: set {TOKEN_VARIABLE} or "
                f"{TOKEN_VARIABLE}_FILE to at least {MIN_TOKEN_CHARACTERS} random characters."
            )
        if self.token and len(self.token) < MIN_TOKEN_CHARACTERS:
            raise SettingsInvalid(
                f"The token has {len(self.token)} characters; it needs {MIN_TOKEN_CHARACTERS}. One "
                "way to make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        if not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise SettingsInvalid("The token may hold printable ASCII without spaces only.")


def token_from_environment() -> str:
    """The token from HOUSESTYLE_GENERATION_TOKEN or the file that ..._FILE names; else empty."""
    if path := os.environ.get(f"{TOKEN_VARIABLE}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as exc:
            raise SettingsInvalid(f"{TOKEN_VARIABLE}_FILE cannot be read: {exc}") from exc
    return os.environ.get(TOKEN_VARIABLE, "")


def child_environment() -> dict[str, str]:
    """What a generation process started by us gets: ours, without tokens, tuned for torch's CPU."""
    tokens = {TOKEN_VARIABLE, f"{TOKEN_VARIABLE}_FILE"}
    inherited = {name: value for name, value in os.environ.items() if name not in tokens}
    return _CPU_TUNING | inherited


def go_offline() -> None:
    """Keep the model libraries from any network; to be called before they are imported."""
    os.environ.update(_OFFLINE)
    os.environ.pop(TOKEN_VARIABLE, None)  # no child process and no dump of ours has use for it
