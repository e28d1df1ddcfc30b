"""A command line in a folder of its own, away from this machine's settings."""

import os
from pathlib import Path

import pytest

from bot.cli.app import run
from tests.fakes.command_line import Done, Housestyle


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory and the home; no HOUSESTYLE_ variable of this machine is seen."""
    clear_environment(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting comes from outside the test."""
    for name in [name for name in os.environ if name.startswith("HOUSESTYLE_")]:  # noqa: TID251
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


@pytest.fixture
def housestyle(capsys: pytest.CaptureFixture[str]) -> Housestyle:
    """Run one command in this process."""

    def call(*arguments: str | Path) -> Done:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Done(code=code, out=said.out, err=said.err)

    return call
