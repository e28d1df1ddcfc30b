"""The page about the API says what is so: its commands run, its routes exist."""

import os
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from bot.web.api.app import openapi_of
from bot.web.api.failures import WEBUI_PATHS
from tests.fakes.api import EVERY, Served, make_api

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")


@pytest.mark.skipif(not shutil.which("jq") or not shutil.which("curl"), reason="needs curl and jq")
def test_the_commands_of_the_page_run_one_after_the_other(api: Served, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) > 4
    script = "set -euo pipefail\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOUSE": api.url, "KEY": api.key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "event: done" in done.stdout
    assert "Sampler: DPM++ 2M Karras" in done.stdout
    assert (tmp_path / "mug.png").read_bytes().startswith(b"\x89PNG")


async def test_the_routes_that_the_page_names_exist() -> None:
    api = await make_api()
    routes = set(openapi_of(api.app)["paths"]) | {"/v1/openapi.json"}
    named = {
        path.rstrip("/")
        for path in re.findall(r"`(?:[A-Z]+ )?(/(?:v1|sdapi|controlnet)/[a-z0-9/._-]+)`", PAGE)
    }
    assert named
    assert named <= routes, named - routes


async def test_every_route_of_automatic1111s_face_stands_in_its_table_once() -> None:
    api = await make_api()
    there = sorted(
        f"{method.upper()} {path}"
        for path, methods in openapi_of(api.app)["paths"].items()
        if path.startswith(WEBUI_PATHS)
        for method in methods
    )
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    table = [name for cell in cells for name in re.findall(r"`([A-Z]+ /[a-z0-9/._-]+)`", cell)]
    assert sorted(table) == there


def test_the_client_that_the_page_names_is_the_one_that_is_tested() -> None:
    assert set(re.findall(r"`webuiapi` ([0-9.]+[0-9])", PAGE)) == {version("webuiapi")}


def test_the_scopes_that_the_page_asks_for_are_those_that_there_are() -> None:
    for scope in EVERY:
        assert f"`{scope}`" in PAGE
