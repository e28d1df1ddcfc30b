"""The pages of freed tensors: kept while there is work, and given back when asked."""

import platform
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's"),
]

_PROGRAM = """
import resource, sys, threading
from pathlib import Path
from generation.host_memory import keep_freed_memory, return_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
import torch

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def held_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20

def work():
    # As in a model's call: several tensors of some MiB live at once and go in any order.
    for _ in range(20):
        held = [torch.ones(mib << 18) for mib in (40, 8, 100, 3, 64)]
        held.append(held[0] + held[0])

before = faults()
worker = threading.Thread(target=work)
worker.start()
worker.join()
spent, full = faults() - before, held_mib()
return_freed_memory()
print(spent, full, held_mib())
"""


def _run(way: str) -> tuple[int, int, int]:
    """Page faults of the work, and MiB in memory after it, before and after returning them."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, way], capture_output=True, text=True, check=True
    )
    spent, full, returned = map(int, done.stdout.split())
    return spent, full, returned


def test_freed_pages_serve_the_next_tensors_and_are_given_back_when_asked() -> None:
    fresh, _, _ = _run("fresh")
    kept, full, returned = _run("kept")
    assert kept < fresh / 2
    assert full - returned > 200
