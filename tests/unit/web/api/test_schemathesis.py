"""The OpenAPI document against the running API, by schemathesis with all of its checks.

What a kit refuses is no schema's business: a valid body may be answered by 422 with the kit's
reason, so that status is among the expected ones of valid data.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.api import served

CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "413", "415", "422", "429"]
"""
ALL_CASES = 800


def run(folder: Path, *, phases: str, examples: int) -> tuple[int, str]:
    """How many cases were sent, and what schemathesis says. Fails on any finding."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    with served(who="ana") as api:
        program = Path(sys.executable).with_name("schemathesis")
        done = subprocess.run(
            [
                str(program),
                "--config-file",
                str(config),
                "run",
                f"{api.url}/v1/openapi.json",
                "--header",
                f"Authorization: Bearer {api.key}",
                "--checks",
                "all",
                "--phases",
                phases,
                "--max-examples",
                str(examples),
                "--seed",
                "1",
                "--generation-database",
                "none",
            ],
            text=True,
            capture_output=True,
            cwd=folder,
            check=False,
        )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "unresolvable" not in said.lower(), said
    found = re.search(r"^\s*(\d+) generated, (\d+) passed", said, re.MULTILINE)
    assert found is not None, said
    assert found[1] == found[2], said
    return int(found[1]), said


def test_the_document_and_the_api_agree(tmp_path: Path) -> None:
    cases, said = run(tmp_path, phases="examples,fuzzing", examples=3)
    assert cases >= 100, said


@pytest.mark.deep
def test_the_document_and_the_api_agree_over_all_phases(tmp_path: Path) -> None:
    cases, said = run(tmp_path, phases="examples,coverage,fuzzing,stateful", examples=25)
    assert cases >= ALL_CASES, said
