"""A real PostgreSQL of the tests' own, in a folder of its own, on a UNIX socket alone."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.needs import postgres_program

_ACCOUNT = "postgres"
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100")
"""The tests end processes, never the machine: waiting for the disk would prove nothing here."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server for the block; the address of its `postgres` database."""
    initdb, server = postgres_program("initdb"), postgres_program("postgres")
    # The server refuses to run as root, and its account could not enter pytest's own folders.
    who: dict[str, Any] = {"user": _ACCOUNT} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        if who:
            shutil.chown(folder, _ACCOUNT)
        data = folder / "data"
        subprocess.run(
            [
                initdb,
                "-D",
                data,
                "-U",
                "tests",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **who,
        )
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
        for setting in _FAST:
            options += ["-c", setting]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [server, "-D", data, *options], stdout=log, stderr=log, cwd=folder, **who
            )
        try:
            _wait(folder)
            yield f"postgresql://tests@/postgres?host={folder}"
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing in it is kept
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(folder: Path) -> None:
    ready = postgres_program("pg_isready")
    for _ in range(100):
        done = subprocess.run([ready, "-h", folder, "-t", "1"], capture_output=True, check=False)
        if done.returncode == 0:
            return
    raise RuntimeError((folder / "log").read_text())
