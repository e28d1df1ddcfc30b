"""Run a training by hand: `python -m generation.train demo-model --out DIR --hours H`."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from generation.train.options import DemoModelOptions, TrainingError, TrainProgress

# glibc gives large tensors back to the system after every step and faults them in again; kept
# memory made a step twice as fast. GOMP threads that wait a short while spare the wake-up.
FAST_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_ARENA_MAX": "1",
    "GOMP_SPINCOUNT": "30000",
}


def main(arguments: list[str]) -> None:
    """Parse the arguments and train."""
    _with_fast_environment()
    parser = argparse.ArgumentParser(prog="python -m generation.train", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _demo_model_command(commands)
    _brand_lora_command(commands)
    _control_command(commands)
    _judge_command(commands)
    chosen = parser.parse_args(arguments)
    try:
        done = chosen.run(chosen)
    except TrainingError as exc:
        sys.exit(f"The training stopped. {exc}")
    sys.stderr.write(f"{done}\n")


def _demo_model_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo-model", help="train the shipped tiny model")
    demo.add_argument("--out", type=Path, required=True, help="folder for the finished model")
    demo.add_argument("--work", type=Path, help="folder for checkpoints (default: OUT.work)")
    demo.add_argument("--hours", type=float, default=2.0)
    demo.add_argument("--seed", type=int, default=2)
    demo.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="0: as is fastest")
    demo.add_argument("--resume-from", type=Path, help="start from this finished model")
    demo.set_defaults(run=_train_demo_model)


def _brand_lora_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    lora = commands.add_parser("brand-lora", help="train the demo brand's LoRA")
    _beside_a_model(lora, out="the safetensors file to write", steps=500, rate=3e-3, seed=3)
    lora.add_argument("--rank", type=int, default=32)
    lora.set_defaults(run=_train_brand_lora)


def _control_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    control = commands.add_parser("control", help="train the demo model's ControlNet for edges")
    _beside_a_model(control, out="the folder to write", steps=2500, rate=1e-3, seed=4)
    control.add_argument("--pictures", type=int, default=8000)
    control.set_defaults(run=_train_control)


def _beside_a_model(
    parser: argparse.ArgumentParser, *, out: str, steps: int, rate: float, seed: int
) -> None:
    """What every training beside a finished, frozen model is told."""
    parser.add_argument("--model", type=Path, required=True, help="the finished demo model")
    parser.add_argument("--out", type=Path, required=True, help=out)
    parser.add_argument("--work", type=Path, help="folder for checkpoints (default: OUT.work)")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--threads", type=int, default=1)


def _told_beside_a_model(chosen: argparse.Namespace) -> dict[str, Any]:
    names = ("model", "out", "steps", "rate", "seed", "threads")
    return {name: getattr(chosen, name) for name in names} | {"work": _work_folder(chosen)}


def _judge_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    judge = commands.add_parser("judge", help="train the classifier of the benchmarks")
    judge.add_argument("--out", type=Path, required=True, help="the model's folder it goes into")
    judge.add_argument("--work", type=Path, help="folder for checkpoints (default: OUT.work)")
    judge.set_defaults(run=_train_judge)


def _work_folder(chosen: argparse.Namespace) -> Path:
    work: Path | None = chosen.work
    out: Path = chosen.out
    return work or out.with_name(f"{out.name}.work")


def _train_demo_model(chosen: argparse.Namespace) -> Path:
    from generation.train.demo_model import train_demo_model

    options = DemoModelOptions(
        out=chosen.out,
        work=_work_folder(chosen),
        hours=chosen.hours,
        seed=chosen.seed,
        threads=chosen.threads,
        resume_from=chosen.resume_from,
    )
    return train_demo_model(options, show)


def _train_brand_lora(chosen: argparse.Namespace) -> Path:
    from generation.train.demo_lora import train_demo_lora
    from generation.train.lora import LoraOptions

    options = LoraOptions(rank=chosen.rank, **_told_beside_a_model(chosen))
    return train_demo_lora(options, show)


def _train_control(chosen: argparse.Namespace) -> Path:
    from generation.train.control import ControlOptions, train_control

    options = ControlOptions(pictures=chosen.pictures, **_told_beside_a_model(chosen))
    return train_control(options, show)


def _train_judge(chosen: argparse.Namespace) -> Path:
    from generation.train.judge import save_judge, train_judge

    return save_judge(train_judge(_work_folder(chosen), show), chosen.out)


def show(progress: TrainProgress) -> None:
    """One line per report on standard error."""
    line = f"{progress.stage} {progress.step}/{progress.steps}"
    if progress.loss is not None:
        line += f" loss {progress.loss:.4f}"
    if progress.seconds_left is not None:
        line += f", {progress.seconds_left / 60:.0f} min left"
    sys.stderr.write(line + "\n")


def _with_fast_environment() -> None:
    """Start this very command again where the allocator is not yet set: it reads its settings
    only at the start of a process."""
    given = os.environ  # noqa: TID251  the allocator's own settings, none of ours
    if any(given.get(name) != value for name, value in FAST_ENVIRONMENT.items()):
        command = [sys.executable, "-m", "generation.train", *sys.argv[1:]]
        os.execve(sys.executable, command, {**given, **FAST_ENVIRONMENT})  # noqa: S606


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except TrainingError as exc:
        sys.exit(str(exc))
