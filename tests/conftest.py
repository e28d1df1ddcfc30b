"""What every test shares: where the checkout is, which programs are here, what a skip means.

A test that needs a program takes it from `tests.needs`, which skips with a reason that starts with
"not installed". With HOUSESTYLE_REQUIRE_ALL=1, as on the build machine, such a skip is a failure:
there, a check that silently did not run would be worth nothing.
"""

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.needs import NOT_INSTALLED, ROOT, program

REQUIRE_ALL = os.environ.get("HOUSESTYLE_REQUIRE_ALL") == "1"

# A shell's background job ignores Ctrl-C, and so would the processes that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder in it that is the user's alone
ROOM = 4 << 30
"""Bytes: some times what all tests that run at once have in their folders."""


def _waits_for_no_disk(folder: Path) -> bool:
    """Whether the tests' folders fit there, and their scripts may be run from there."""
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC


# The tests end processes, never the machine: that each commit of SQLite's and each file of the
# archive waits for the disk would prove nothing here.
if "PYTEST_DEBUG_TEMPROOT" not in os.environ and _waits_for_no_disk(IN_MEMORY):
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(IN_MEMORY)


def _refuse_missing(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (REQUIRE_ALL and report.skipped and isinstance(report.longrepr, tuple)):
        return
    path, line, reason = report.longrepr
    reason = reason.removeprefix("Skipped: ")
    # importorskip says "could not import"; it is the same thing.
    if reason.startswith((NOT_INSTALLED, "could not import")):
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: HOUSESTYLE_REQUIRE_ALL=1 and {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a "not installed" skip into a failure where everything must be there."""
    report = yield
    _refuse_missing(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is collected."""
    report = yield
    _refuse_missing(report)
    return report


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The system's browser, for playwright's `executable_path`."""
    return program("chromium", "chromium-browser", "google-chrome", package="chromium")
