"""What gets installed: exactly four importable names, and the files that the product needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

IMPORT_NAMES = {"bot", "brand", "generation", "storage"}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built without network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_brings_exactly_four_import_names(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == IMPORT_NAMES


def test_each_package_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert {f"{name}/py.typed" for name in IMPORT_NAMES} <= set(wheel.namelist())


def test_the_wheel_brings_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    (entry_points,) = [n for n in names if n.endswith("entry_points.txt")]
    assert "housestyle = bot.__main__:main" in wheel.read(entry_points).decode()
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_no_cache_or_database_slips_into_the_wheel(wheel: zipfile.ZipFile) -> None:
    unwanted = (".pyc", ".sqlite3", ".log", ".tmp", ".env")
    assert [name for name in wheel.namelist() if name.endswith(unwanted)] == []


def test_every_page_style_kit_and_weight_beside_the_code_is_in_the_wheel(
    root: Path, wheel: zipfile.ZipFile
) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--", *IMPORT_NAMES],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(listed.stdout.split()) - set(wheel.namelist()) == set()


def test_an_installed_checkout_exposes_only_the_four_names(root: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util as u;"
        "print([n for n in ('bot', 'brand', 'generation', 'storage', 'tests', 'docs')"
        " if u.find_spec(n) and any(str(p).startswith(__import__('sys').argv[1])"
        " for p in [u.find_spec(n).origin or ''])])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == "['bot', 'brand', 'generation', 'storage']"
