"""A test that lacks its program skips with the reason, or fails where everything is required."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = '''"""A planted test."""
import pytest
from tests import needs

def test_needs_a_program() -> None:
    needs.program("a-program-nobody-has", package="its-package")

def test_has_another_reason() -> None:
    pytest.skip("no GPU here")
'''


@pytest.fixture
def planted(root: Path, tmp_path: Path) -> Path:
    """A checkout with nothing but the tests' common ground and the planted tests."""
    (tmp_path / "tests").mkdir()
    for name in ("__init__.py", "conftest.py", "needs.py"):
        shutil.copyfile(root / "tests" / name, tmp_path / "tests" / name)
    shutil.copyfile(root / "pyproject.toml", tmp_path / "pyproject.toml")
    (tmp_path / "tests/test_planted.py").write_text(MODULE)
    return tmp_path


def pytest_in(folder: Path, *, require_all: bool) -> subprocess.CompletedProcess[str]:
    """Run the planted tests."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=folder, env={"PATH": os.defpath, "HOUSESTYLE_REQUIRE_ALL": str(int(require_all))},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_missing_program_skips_with_the_command_that_installs_it(planted: Path) -> None:
    done = pytest_in(planted, require_all=False)
    assert done.returncode == 0
    assert "2 skipped" in done.stdout
    assert "not installed: a-program-nobody-has (sudo apt install its-package)" in done.stdout


def test_where_everything_is_required_a_missing_program_fails(planted: Path) -> None:
    done = pytest_in(planted, require_all=True)
    assert done.returncode == 1
    assert "1 failed, 1 skipped" in done.stdout
    assert "HOUSESTYLE_REQUIRE_ALL=1 and not installed: a-program-nobody-has" in done.stdout


def test_a_module_that_skips_itself_fails_there_too(planted: Path) -> None:
    lines = ['"""A planted module."""', "import pytest", "pytest.importorskip('nobody_has_this')"]
    (planted / "tests/test_planted.py").write_text("\n".join(lines))
    assert pytest_in(planted, require_all=False).returncode == 5  # nothing left to run
    done = pytest_in(planted, require_all=True)
    assert done.returncode == 2
    assert "nobody_has_this" in done.stdout
