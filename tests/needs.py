"""Programs of the system that some tests need, found or skipped with the command to install them.

chromium = needs.program("chromium", package="chromium")
initdb = needs.postgres_program("initdb")
"""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_INSTALLED = "not installed"

_DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


def program(*names: str, package: str) -> Path:
    """Return the first of `names` on the PATH, or skip the test naming the Debian `package`."""
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    return _missing(names[0], package)


def postgres_program(name: str) -> Path:
    """Return a server program such as `initdb`; Debian keeps these off the PATH, by version."""
    if found := shutil.which(name):
        return Path(found)
    versions = sorted(_DEBIAN_POSTGRES.glob(f"*/bin/{name}"), key=lambda p: float(p.parts[-3]))
    return versions[-1] if versions else _missing(name, "postgresql")


def _missing(name: str, package: str) -> Path:
    pytest.skip(f"{NOT_INSTALLED}: {name} (sudo apt install {package})")
