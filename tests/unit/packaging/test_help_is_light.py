"""`housestyle --help` answers at once: none of the heavy libraries is loaded for it."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "torch", "diffusers", "transformers", "peft", "fastapi", "starlette", "uvicorn", "sqlmodel",
    "sqlalchemy", "alembic", "pydantic_settings", "scipy",
)  # fmt: skip
PROBE = """
import contextlib, io, sys
from bot.__main__ import main
sys.argv = ["housestyle", *sys.argv[1:]]
page = io.StringIO()
with contextlib.redirect_stdout(page), contextlib.suppress(SystemExit):
    main()
print(len(page.getvalue()), *sorted({name.partition(".")[0] for name in sys.modules}))
"""
COMMANDS = (
    "init", "doctor", "demo", "serve", "imagine", "brand", "template", "train", "review", "assets",
    "rerender",
)  # fmt: skip


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python away from the checkout, so that the installed packages are what is tested."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_no_heavy_library(tmp_path: Path, command: str) -> None:
    done = run("-c", PROBE, *command.split(), "--help", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    length, *loaded = done.stdout.split()
    assert int(length) > 100
    assert [name for name in HEAVY if name in loaded] == []


def test_help_names_every_command(tmp_path: Path) -> None:
    done = run("-m", "bot", "--help", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [name for name in COMMANDS if name not in done.stdout] == []
