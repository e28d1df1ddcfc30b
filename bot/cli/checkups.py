"""What `housestyle doctor` looks at. Each check says what is, why it matters, and the fix."""

import asyncio
import json
import socket
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from bot.cli.checkups_beside import beside_models, left_out_lines
from bot.cli.checkups_discord import discord
from bot.cli.checkups_outside import fonts
from bot.cli.checkups_slack import slack
from bot.cli.findings import Check, Line, State, missing, ok, problem
from bot.cli.kits import kit_files
from bot.cli.options import shipped_brands
from bot.core.errors import HousestyleError
from bot.core.health import Condition, Finding, can_be_written, look_at_records, room_on_disk
from bot.settings import Settings
from brand.errors import KitInvalid
from brand.kit_loader import load_kit

GIGABYTE = 1_000_000_000
PROBE_S = 120.0
"""How long a cold import of torch may take on a slow disk."""
ANSWER_S = 1.0
MIB = 1 << 20
LOAD_S = 300.0


async def python(_settings: Settings) -> Iterable[Line]:
    """Which Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    return [ok("python", f"{version} in {sys.prefix}")]


async def settings_file(settings: Settings) -> Iterable[Line]:
    """Which file, and variables that mean nothing."""
    return [
        ok("settings", str(settings.source or "no housestyle.toml: defaults")),
        *(
            problem("settings", f"{name} isn't a setting", "docs/settings.md lists them all.")
            for name in settings.unknown_variables
        ),
    ]


_PROBE = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "torch": torch.__version__,
    "threads": torch.get_num_threads(),
    "gpu": torch.cuda.get_device_name(0) if cuda else "",
    "memory": torch.cuda.get_device_properties(0).total_memory if cuda else 0,
    "built_for": torch.version.cuda or "",
}))
"""


async def torch(settings: Settings) -> Iterable[Line]:
    """torch, and a GPU for it: asked in a process of its own, as no torch is loaded here."""
    found = await _probe()
    needed = settings.generation.engine == "diffusers" and not settings.generation.url
    if found is None:
        say = problem if needed else missing
        return [say("torch", "can't be loaded", "make install, or: pip install torch==2.13.0")]
    lines = [ok("torch", f"{found['torch']}, {found['threads']} threads")]
    if find_spec("torchvision") is not None:
        lines.append(
            problem(
                "torchvision",
                "is installed; beside a CPU torch it breaks every model import",
                "pip uninstall torchvision",
            )
        )
    return [*lines, _gpu_line(found)]


def _gpu_line(found: dict[str, str | int]) -> Line:
    if found["gpu"]:
        return ok("gpu", f"{found['gpu']}, {int(found['memory']) / GIGABYTE:.0f} GB")
    if found["built_for"]:
        return missing(
            "gpu",
            f"torch is built for CUDA {found['built_for']}, but sees no GPU; pictures are rendered "
            "on the CPU",
            "Check that nvidia-smi lists one; a container needs --gpus all.",
        )
    return missing(
        "gpu",
        "this torch is a CPU build; pictures are rendered on the CPU",
        "On a machine with a GPU: pip install torch==2.13.0 from an index with CUDA builds.",
    )


async def _probe() -> dict[str, str | int] | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROBE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), PROBE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    if process.returncode:
        return None
    found: dict[str, str | int] = json.loads(out)
    return found


async def data_folder(settings: Settings) -> Iterable[Line]:
    """Writable, and room on its disk."""
    folder = settings.data_dir
    written = await asyncio.to_thread(can_be_written, folder, name="data", label="Data")
    if written.condition is not Condition.OK:
        return [line_of(written)]
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return [ok("data", str(folder)), line_of(await asyncio.to_thread(room_on_disk, there))]


async def database(settings: Settings) -> Iterable[Line]:
    """Reachable, of this version, and what the records tell."""
    from bot.clock import SystemClock
    from storage.database import open_store

    where = settings.database_url.partition("://")[0]
    if where == "sqlite" and not _sqlite_path(settings).exists():
        return [ok("database", "SQLite; the file is made at the first start")]
    try:
        store = await open_store(settings.database_url)
        async with store.read() as tx:
            people = len(await tx.people.all())
        findings = await look_at_records(store, SystemClock())
        await store.close()
    except HousestyleError as exc:
        return [problem("database", exc.message, exc.fix)]
    said = ok("database", f"{where}, migrated, {people} people")
    return [said, *(line_of(each) for each in findings if each.condition is not Condition.OK)]


def line_of(finding: Finding) -> Line:
    """What the health page says, as a line of the doctor's."""
    make = {
        Condition.OK: State.OK,
        Condition.DEGRADED: State.MISSING,
        Condition.FAILED: State.PROBLEM,
    }
    state = make[finding.condition]
    return Line(name=finding.name, state=state, says=finding.says, fix=finding.fix)


def _sqlite_path(settings: Settings) -> Path:
    return Path(settings.database_url.partition(":///")[2])


async def brands(settings: Settings) -> Iterable[Line]:
    """The kits load, and their models and LoRA files are there."""
    files = kit_files(settings.brands_dir)
    if not files:
        says = f"no kit in {settings.brands_dir}; the demo brand stands in"
        return [missing("brands", says, "housestyle init writes a first one.")]
    return [_kit_line(path) for path in files]


def _kit_line(path: Path) -> Line:
    try:
        kit = load_kit(path)
    except KitInvalid as exc:
        many = len(exc.problems)
        return problem("brands", f"{path}: {many} mistakes", f"housestyle brand lint {path}")
    there = {file.name for file in (path.parent / "lora").glob("*.safetensors")}
    wanted = len(kit.lora.approved)
    if wanted > len(there):
        return problem(
            "brands",
            f"{kit.name} lists {wanted} LoRAs, but {path.parent / 'lora'} holds {len(there)} files",
            "Put the listed files there.",
        )
    return ok("brands", f"{kit.name} {kit.version}, {len(kit.templates)} templates")


async def models(settings: Settings) -> Iterable[Line]:
    """The models that the kits name are there."""
    if settings.generation.url or settings.generation.engine == "drawn":
        return [ok("models", f"not needed here: {settings.generation.url or 'the drawn engine'}")]
    from generation.engine.library.extras import look_at_models
    from generation.settings import SHIPPED_MODEL

    looked = await asyncio.to_thread(look_at_models, settings.generation.models_dir, SHIPPED_MODEL)
    names = ", ".join(looked.found) or "none"
    lacking = [name for name in _wanted_models(settings) if name not in looked.found]
    left_out = left_out_lines("models", looked)
    if lacking:
        return [
            problem(
                "models",
                f"{', '.join(lacking)} isn't among the models ({names})",
                f"Put a diffusers folder or a safetensors file of that name into "
                f"{settings.generation.models_dir}.",
            ),
            *left_out,
        ]
    return [ok("models", names), *left_out]


def _wanted_models(settings: Settings) -> list[str]:
    files = kit_files(settings.brands_dir) or kit_files(shipped_brands())
    names = []
    for path in files:
        try:
            names.append(load_kit(path).generation.model)
        except KitInvalid:
            continue  # the line about brands has said so
    return sorted(set(names))


async def rendering(settings: Settings) -> Iterable[Line]:
    """The generation service starts and loads its model."""
    from brand.spec import RendererHealth, RenderError
    from generation.client import RendererClient
    from generation.supervisor import GenerationProcess, GenerationUnstartable, ProcessOptions

    chosen = settings.generation
    health: RendererHealth
    try:
        if chosen.url or chosen.socket:
            async with RendererClient(
                url=chosen.url, socket=None if chosen.url else chosen.socket, token=chosen.token
            ) as client:
                health = await client.health()
        else:
            options = ProcessOptions(
                state_dir=settings.data_dir / "generation",
                **chosen.process(),
            )
            async with GenerationProcess(options) as process:
                health = await process.wait_ready(LOAD_S)
    except (RenderError, GenerationUnstartable) as exc:
        return [problem("rendering", str(exc), "The log of the generation service says more.")]
    numbers = ", ".join(sorted({model.dtype for model in health.models if model.dtype}))
    where = f"{health.device}, {numbers}" if numbers else health.device
    held = sum(model.bytes for model in health.models)
    memory = f", {held / MIB:,.0f} MiB in memory" if held else ""
    return [ok("rendering", f"{health.engine} on {where}, model loaded{memory}")]


async def port(settings: Settings) -> Iterable[Line]:
    """Free to listen on, or Housestyle itself listens there."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    where = f"{settings.host} port {settings.port}"
    try:
        with socket.create_server((settings.host, settings.port), family=family):
            return [ok("port", f"{where} is free")]
    except OSError as exc:
        if await _serves_here(settings):
            return [ok("port", f"Housestyle runs on {where}")]
        return [
            problem(
                "port",
                f"nothing can listen on {where}: {exc.strerror}",
                f"Stop what uses it, or set port = {settings.port + 1}.",
            )
        ]


async def _serves_here(settings: Settings) -> bool:
    """Whether what listens there answers as a running Housestyle does."""
    import httpx

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/readyz"
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as client:
            answer = (await client.get(address)).json()
    except (httpx.HTTPError, ValueError):
        return False
    return isinstance(answer, dict) and "records" in answer.get("parts", ())


QUICK: tuple[Check, ...] = (
    python, settings_file, data_folder, database, brands, models, beside_models, port, fonts, slack,
    discord,
)  # fmt: skip
SLOW: tuple[Check, ...] = (torch, rendering)
