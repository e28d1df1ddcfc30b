"""Each import contract is shown to fail on a planted violation; unplanted, all of them hold."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGES = ("brand", "bot", "generation", "storage")
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"

# contract, the module that breaks it, the import that does
VIOLATIONS = [
    ("Imports go down only", "brand/planted.py", "import bot.core"),
    ("Imports go down only", "bot/core/planted.py", "import storage"),
    ("Imports go down only", "bot/core/planted.py", "import bot.chat"),
    ("Imports go down only", "bot/web/planted.py", "import storage"),
    ("Imports go down only", "bot/chat/planted.py", "import bot.web"),
    ("Imports go down only", "storage/planted.py", "import generation"),
    ("Imports go down only", "bot/web/planted.py", "import bot.app"),
    ("Imports go down only", "bot/app.py", "import bot.cli"),
    ("Generation knows only the brand", "generation/planted.py", "import bot.core"),
    ("Generation knows only the brand", "generation/planted.py", "import storage"),
    ("Chat adapters do not know each other", "bot/chat/one/planted.py", "import bot.chat.two"),
    ("SQL lives in storage", "bot/web/planted.py", "import sqlmodel"),
    ("SQL lives in storage", "generation/planted.py", "import sqlite3"),
    ("Model libraries live in generation", "bot/web/planted.py", "import torch"),
    ("Model libraries live in generation", "storage/planted.py", "import diffusers"),
    ("The core knows no platform", "bot/core/planted.py", "import fastapi"),
    ("The core knows no platform", "bot/core/planted.py", "import httpx"),
    ("The core knows no platform", "bot/core/planted.py", "import slack_sdk"),
    ("The brand needs no network, SQL or torch", "brand/planted.py", "import socket"),
    ("The brand needs no network, SQL or torch", "brand/planted.py", "import torch"),
    ("Settings are read at the top only", "bot/web/planted.py", "import bot.settings"),
    ("Settings are read at the top only", "generation/planted.py", "import bot.settings"),
    ("Slack's libraries live in its adapter", "bot/web/planted.py", "import slack_sdk"),
    ("Slack's libraries live in its adapter", "bot/chats.py", "import slack_bolt"),
    ("Discord's library lives in its adapter", "bot/cli/planted.py", "import discord"),
    ("Discord's library lives in its adapter", "bot/chats.py", "import discord"),
    ("A client starts no engine", "generation/client.py", "import generation.engine"),
]  # fmt: skip


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    """A copy of the packages' code and of the contracts."""
    for package in PACKAGES:
        for source in (root / package).rglob("*.py"):
            copy = tmp_path / source.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    shutil.copyfile(root / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def lint(tree: Path) -> dict[str, str]:
    """Contract -> KEPT or BROKEN."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=tree, env={"COLUMNS": "200"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    outcome = dict(re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))
    assert outcome, done.stdout + done.stderr
    assert (done.returncode == 0) == ("BROKEN" not in outcome.values())
    return outcome


def contracts(root: Path) -> set[str]:
    """The names of all contracts."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    return {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}


def test_the_code_keeps_every_contract(root: Path, tree: Path) -> None:
    assert lint(tree) == dict.fromkeys(contracts(root), "KEPT")


@pytest.mark.parametrize(("contract", "module", "statement"), VIOLATIONS)
def test_a_planted_import_breaks_its_contract(
    tree: Path, contract: str, module: str, statement: str
) -> None:
    path = tree / module
    for package in ("one", "two") if path.match("bot/chat/*/*") else ():
        (tree / "bot/chat" / package).mkdir()
        (tree / "bot/chat" / package / "__init__.py").touch()
    path.write_text((path.read_text() if path.exists() else "") + f"\n{statement}\n")
    assert lint(tree)[contract] == "BROKEN"


def test_every_contract_has_a_violation_that_was_tried(root: Path) -> None:
    assert contracts(root) == {contract for contract, _, _ in VIOLATIONS}


def test_no_layer_is_left_out_because_it_was_renamed(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    (layers,) = [
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    for module in re.split(r" \| ", " | ".join(layers)):
        assert "(" not in module, f"{module} is optional: it could vanish unseen"
        path = root / module.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), f"{module} is gone"
