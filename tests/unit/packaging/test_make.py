"""`make`: a missing prerequisite is named with the command that installs it, before anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Each answers the Makefile's questions the way a real machine in that state does.
WITHOUT_VENV = f"""#!/bin/sh
exec "{sys.executable}" -c 'import sys
sys.modules["ensurepip"] = None
exec(sys.argv[2])' "$@"
"""
TOO_OLD = """#!/bin/sh
if [ "$1" = -V ]; then echo "Python 3.9.2"; else exit 1; fi
"""


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A folder with a space in its name and no more than the Makefile needs."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copyfile(root / name, folder / name)
    return folder


def make(checkout: Path, *arguments: str, python3: str = "") -> subprocess.CompletedProcess[str]:
    """Run make with this script as the machine's python3."""
    tools = checkout / "tools"
    tools.mkdir()
    if python3:
        (tools / "python3").write_text(python3)
        (tools / "python3").chmod(0o755)
    return subprocess.run(
        ["make", *arguments], cwd=checkout, env={"PATH": f"{tools}:{os.defpath}"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["install", "demo", "test"])
def test_a_missing_venv_module_is_named_with_its_package(checkout: Path, command: str) -> None:
    done = make(checkout, command, python3=WITHOUT_VENV)
    assert done.returncode != 0
    assert "sudo apt install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_named_with_what_to_do(checkout: Path) -> None:
    done = make(checkout, "demo", python3=TOO_OLD)
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed; python3 is Python 3.9.2" in done.stderr
    assert "make PYTHON=python3.12 demo" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_named_with_its_package(checkout: Path) -> None:
    done = make(checkout, "install", "PYTHON=python3-that-is-not-there")
    assert done.returncode != 0
    assert "sudo apt install python3 python3-venv" in done.stderr


def test_make_alone_lists_every_command(root: Path, checkout: Path) -> None:
    done = make(checkout)
    assert done.returncode == 0
    for command in ("install", "demo", "check", "test", "test-deep"):
        assert f"  make {command} " in done.stdout


def test_the_build_machine_leaves_nothing_out(root: Path) -> None:
    script = (root / ".ci/run").read_text()
    assert "export HOUSESTYLE_REQUIRE_ALL=1" in script
    assert [ln.split()[-1] for ln in script.splitlines() if ln.startswith("make ")] == [
        "install",
        "test",
        "test-deep",
    ]
