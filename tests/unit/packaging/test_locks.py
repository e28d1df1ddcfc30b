"""The locks: whole, portable, and without what must never come in."""

import re
import tomllib
from pathlib import Path

import pytest

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(lock: Path) -> dict[str, str]:
    """Package -> version."""
    matches = (PIN.match(line) for line in lock.read_text().splitlines())
    return {match[1]: match[2] for match in matches if match}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_version_and_its_hashes(root: Path, name: str) -> None:
    lines = [ln for ln in (root / name).read_text().splitlines() if not ln.startswith("#")]
    seen: set[str] = set()
    expecting_hash = False
    for line in lines:
        if pin := PIN.match(line):
            assert not expecting_hash, f"no hash before {line}"
            assert pin[1] not in seen, f"{pin[1]} is pinned twice"
            seen.add(pin[1])
            expecting_hash = True
        else:
            hashed = HASH.match(line)
            assert hashed, f"neither a pin nor a hash: {line!r}"
            expecting_hash = bool(hashed[1])
    assert not expecting_hash
    assert len(seen) > 50


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_path(root: Path, name: str) -> None:
    text = (root / name).read_text()
    for trace in (
        "://",
        "--index-url",
        "--extra-index-url",
        "--find-links",
        " @ ",
        "file:",
        "/opt",
    ):
        assert trace not in text


@pytest.mark.parametrize("name", LOCKS)
def test_torch_and_its_accelerator_libraries_are_not_locked(root: Path, name: str) -> None:
    kept_out = ("torch", "nvidia-", "cuda-", "triton", "torchaudio", "torchvision")
    assert [p for p in pins(root / name) if p.startswith(kept_out)] == []


def test_the_development_lock_holds_the_runtime_lock(root: Path) -> None:
    runtime, development = (pins(root / name) for name in LOCKS)
    assert runtime.items() <= development.items()
    assert "pytest" in development
    assert "pytest" not in runtime


def test_every_direct_dependency_is_locked(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    direct = {
        re.split(r"[\[<>=~! ;]", requirement)[0].lower().replace(".", "-")
        for requirement in project["project"]["dependencies"]
    }
    assert direct - {"torch"} <= pins(root / "requirements.lock").keys()


def test_the_makefile_installs_the_torch_that_the_project_asks_for(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    (torch,) = [d for d in project["project"]["dependencies"] if d.startswith("torch")]
    assert f"TORCH := {torch}\n" in (root / "Makefile").read_text()
