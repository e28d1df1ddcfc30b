"""`housestyle train`: runs the training room as a process of its own, since it loads torch."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import CommandFailed, Failure, Terminal
from bot.cli.exits import ExitCode
from bot.cli.options import Json
from bot.cli.owner import run_async
from bot.core.errors import NotFound

group = typer.Typer(help="Training: demo-model, lora, control.", no_args_is_help=True)
STDERR = 2  # its stdout is for people too: ours is for the result
STOP_GRACE_S = 20.0

Work = Annotated[Path | None, typer.Option(help="Where checkpoints lie; the same folder resumes.")]
Threads = Annotated[int, typer.Option(min=0, help="Compute threads; equal ones, equal weights.")]
Model = Annotated[
    Path | None, typer.Option(help="The demo model it is for; default: the shipped one.")
]
Steps = Annotated[int, typer.Option(min=1, help="Training steps.")]
Seed = Annotated[int, typer.Option(min=0, help="Everything random follows from it.")]


@group.command("demo-model")
def demo_model(
    out: Annotated[Path, typer.Option(help="The folder of the finished model.")],
    work: Work = None,
    hours: Annotated[float, typer.Option(min=0.001, help="How long it may take.")] = 2.0,
    seed: Seed = 2,
    threads: Threads = 2,
    resume_from: Annotated[
        Path | None, typer.Option(help="A finished model to start from.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the small model that comes with Housestyle, from drawn pictures. Can be stopped and
    resumed."""
    flags = {"out": out, "work": work, "hours": hours, "seed": seed, "threads": threads}
    _train("demo-model", flags | {"resume-from": resume_from}, out, as_json=as_json)


@group.command()
def lora(
    out: Annotated[Path, typer.Option(help="The safetensors file to write.")],
    model: Model = None,
    work: Work = None,
    steps: Steps = 600,
    rank: Annotated[int, typer.Option(min=1, max=256, help="Its size.")] = 32,
    seed: Seed = 3,
    threads: Threads = 1,
    as_json: Json = False,
) -> None:
    """Train the demo brand's LoRA from drawn brand pictures; prints the hash that its kit lists."""
    flags = {
        "model": _model_folder(model),
        "out": out,
        "work": work,
        "steps": steps,
        "rank": rank,
        "seed": seed,
        "threads": threads,
    }
    _train("brand-lora", flags, out, as_json=as_json)


@group.command()
def control(
    out: Annotated[Path, typer.Option(help="The folder to write, in diffusers' layout.")],
    model: Model = None,
    work: Work = None,
    steps: Steps = 2500,
    pictures: Annotated[int, typer.Option(min=1, help="Pictures that are drawn for it.")] = 8000,
    seed: Seed = 4,
    threads: Threads = 1,
    as_json: Json = False,
) -> None:
    """Train a ControlNet that leads the demo model by edges, from drawn pictures."""
    flags = {
        "model": _model_folder(model),
        "out": out,
        "work": work,
        "steps": steps,
        "pictures": pictures,
        "seed": seed,
        "threads": threads,
    }
    _train("control", flags, out, as_json=as_json)


def _model_folder(model: Path | None) -> Path:
    """The model to train beside: the shipped one unless another is named. Raises NotFound."""
    from generation.settings import SHIPPED_MODEL

    model = model or SHIPPED_MODEL
    if not (model / "model_index.json").is_file():
        raise NotFound(
            f"{model} isn't a diffusers folder.",
            fix="Name the demo model's folder; `housestyle train demo-model` makes one.",
        )
    return model


def _train(name: str, flags: Mapping[str, object], out: Path, *, as_json: bool) -> None:
    pairs = [(f"--{key}", str(value)) for key, value in flags.items() if value is not None]
    arguments = [name, *(part for pair in pairs for part in pair)]
    code = run_async(lambda: _run(arguments))
    if code:
        raise CommandFailed(
            Failure(
                code=ExitCode.USAGE if code == ExitCode.USAGE else ExitCode.FAILED,
                error="training_failed",
                message=f"The training ended with {code}; its last lines say why.",
                fix="The same command resumes it from its last checkpoint.",
            )
        )
    sha256 = _sha256(out) if out.is_file() else ""
    facts = {"out": str(out)} | ({"sha256": sha256} if sha256 else {})
    Terminal(as_json=as_json).result(f"{out}\t{sha256}".strip(), facts)


async def _run(arguments: list[str]) -> int:
    """Run it to its end; it is stopped with us, and resumes from its last checkpoint."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "generation.train", *arguments, stdout=STDERR
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), STOP_GRACE_S)
        raise


def _sha256(path: Path) -> str:
    from brand.spec import sha256_hex

    return sha256_hex(path.read_bytes())
