"""The units for systemd: read by systemd itself, and shut in as far as they can be."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings_options import OPTIONS, ROLES

UNITS = Path(__file__).parents[3] / "deploy" / "systemd"
NAMES = sorted(path.name for path in UNITS.glob("*.service"))
MOST_EXPOSED = 2.0
"""Of 10; systemd calls everything up to 4 OK."""


@pytest.fixture
def analyze() -> str:
    """systemd's own reader of units."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed")
    return found


def unit(name: str, folder: Path) -> Path:
    """The unit as it stands on this machine: with a program that is here, and a role."""
    text = (UNITS / name).read_text()
    here = folder / name.replace("@.", "@web.")
    here.write_text(re.sub(r"/opt/housestyle/\.venv/bin/\w+", sys.executable, text))
    return here


@pytest.mark.parametrize("name", NAMES)
def test_systemd_understands_every_line_of_a_unit(name: str, analyze: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [analyze, "verify", unit(name, tmp_path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_leaves_little_open(name: str, analyze: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [analyze, "security", "--offline=true", unit(name, tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for \S+: ([\d.]+)", run.stdout)
    assert found is not None, run.stdout + run.stderr
    assert float(found.group(1)) <= MOST_EXPOSED


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_sets_only_what_is_a_setting(name: str) -> None:
    known = {option.variable for option in OPTIONS}
    named = re.findall(r"(HOUSESTYLE_[A-Z_]+?)(?:_FILE)?=", (UNITS / name).read_text())
    assert set(named) <= known


@pytest.mark.parametrize("name", NAMES)
def test_stopping_has_more_time_than_running_work_may_take(name: str) -> None:
    text = (UNITS / name).read_text()
    found = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert found is not None
    serves = "housestyle/.venv/bin/housestyle" in text
    assert int(found.group(1)) >= (20 + 15 if serves else 5)


def test_the_unit_for_one_part_names_all_of_them() -> None:
    text = (UNITS / "housestyle@.service").read_text()
    assert all(role in text.partition("\n[Service]")[0] for role in ROLES)
