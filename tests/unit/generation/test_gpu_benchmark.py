"""The GPU benchmark's own code, seen to run where there is no GPU."""

import json
import subprocess
import sys

import pytest
import torch

RAN = {
    "stock_per_s", "eager_one_by_one_per_s", "eager_batched_per_s", "busy_share",
    "mixed_steps_share", "lora_slowdown", "service_overhead_share",
}  # fmt: skip
COMPILED = {"compiled_batched_per_s", "not_compiled"}


def benchmark(*arguments: str) -> dict[str, object]:
    command = [sys.executable, "-m", "tests.benchmarks.engine_gpu", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.model
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to measure")
def test_without_a_gpu_it_prints_no_figure() -> None:
    assert benchmark() == {"not_measured": "no device"}


@pytest.mark.deep
@pytest.mark.model
def test_every_part_runs_on_a_tiny_model() -> None:
    found = benchmark("--tiny")
    ran = found["ran"]
    assert isinstance(ran, list)
    assert set(ran) >= RAN
    assert COMPILED & set(ran)
