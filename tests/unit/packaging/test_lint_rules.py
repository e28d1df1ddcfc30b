"""The lint rules are shown to catch what they are there for, each where it counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = '"""A planted module."""\n\n'
CORE = "bot/core/planted.py"

# rule, file it is planted in, code
VIOLATIONS = [
    ("D100", CORE, "x = 1\n"),
    ("D101", CORE, "class Thing:\n    x = 1\n"),
    ("ANN001", CORE, "def double(x) -> int:\n    return 2 * x\n"),
    ("ANN201", CORE, "def two():\n    return 2\n"),
    ("T201", CORE, "print('hello')\n"),
    ("BLE001", CORE, "try:\n    x = 1\nexcept Exception:\n    x = 2\n"),
    ("S110", CORE, "try:\n    x = 1\nexcept Exception:\n    pass\n"),
    ("S101", CORE, "assert 1 < 2\n"),
    ("S301", CORE, "import pickle\n\nx = pickle.loads(b'')\n"),
    ("S602", CORE, "import subprocess\n\nsubprocess.run('ls *', shell=True, check=True)\n"),
    ("DTZ005", CORE, "from datetime import datetime\n\nx = datetime.now()\n"),
    ("TID251", CORE, "from datetime import UTC, datetime\n\nx = datetime.now(UTC)\n"),
    ("TID251", CORE, "import os\n\nx = os.environ['HOME']\n"),
    ("TID251", CORE, "import os\n\nx = os.getenv('HOME')\n"),
    ("TID251", "tests/unit/planted.py", "from unittest.mock import patch\n\nx = patch\n"),
    ("TID251", CORE, "import requests\n\nx = requests\n"),
    ("TID253", "generation/planted.py", "import torch\n\nx = torch\n"),
    ("TID253", "generation/planted.py", "from diffusers import UNet2DModel\n\nx = UNet2DModel\n"),
    ("TID253", CORE, "import ray\n\nx = ray\n"),
    ("TID252", CORE, "from . import jobs\n\nx = jobs\n"),
    ("ERA001", CORE, "# x = compute(1)\n"),
    ("G004", CORE, "import logging\n\nx = 1\nlogging.getLogger(__name__).info(f'{x}')\n"),
    ("ASYNC251", CORE, "import time\n\n\nasync def nap() -> None:\n    time.sleep(1)\n"),
    ("PTH123", CORE, "with open('x') as file:\n    x = file.read()\n"),
    ("RUF006", CORE, "import asyncio\n\n\nasync def go() -> None:\n"
                     "    asyncio.create_task(asyncio.sleep(1))\n"),
    ("PT009", "tests/unit/planted.py", "import unittest\n\n\nclass TestX(unittest.TestCase):\n"
              "    def test_x(self) -> None:\n        self.assertEqual(1, 1)\n"),
    ("C901", CORE, "def f(x: int) -> int:\n" + "".join(
        f"    if x == {n}:\n        x += {n}\n" for n in range(12)) + "    return x\n"),
    ("PLR0915", CORE, "def f(x: int) -> int:\n" + "    x += 1\n" * 60 + "    return x\n"),
]  # fmt: skip

# what the same rules allow in its one home
ALLOWED = [
    ("generation/engine/planted.py", "import torch\n\nx = torch\n"),
    ("generation/train/planted.py", "import torch\n\nx = torch\n"),
    ("bot/settings.py", "import os\n\nx = os.environ\n"),
    ("bot/cli/planted.py", "print('hello')\n"),
    ("tests/benchmarks/planted.py", "print('{}')\n"),
    (CORE, "def load() -> None:\n    import torch\n\n    torch.set_num_threads(1)\n"),
]


def broken_rules(root: Path, file: str, code: str) -> set[str]:
    """The codes that ruff reports for `code` as if it stood in `file`."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json",
         f"--stdin-filename={file}", "-"],
        cwd=root, input=code, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return {finding["code"] for finding in json.loads(done.stdout)}


@pytest.mark.parametrize(("rule", "file", "code"), VIOLATIONS)
def test_a_planted_fault_is_caught_by_its_rule(root: Path, rule: str, file: str, code: str) -> None:
    assert rule in broken_rules(root, file, code if rule == "D100" else HEAD + code)


@pytest.mark.parametrize(("file", "code"), ALLOWED)
def test_what_a_rule_forbids_is_allowed_in_its_one_home(root: Path, file: str, code: str) -> None:
    assert broken_rules(root, file, HEAD + code) == set()


def test_types_are_checked_strictly_in_all_four_packages(root: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text('"""Planted."""\n\n\ndef double(x):\n    return 2 * x\n')
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(root / "pyproject.toml"),
         "--cache-dir", str(tmp_path / "cache"), str(planted)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert "Function is missing a type annotation" in done.stdout
