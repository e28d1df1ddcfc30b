"""`imagine` without a server, with the drawn engine, and what the archive then says of it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli.console import Terminal
from bot.cli.exits import ExitCode
from bot.cli.following import followed
from bot.cli.owner import AtTerminal, at_terminal, run_async
from bot.cli.progress import Bar
from bot.core.commands import Imagine, SendToApproval
from bot.core.lives import JobState
from bot.settings import load_settings
from brand.templates import Brief
from tests.fakes.command_line import Housestyle
from tests.fakes.town import make_town
from tests.fakes.waiting import ENOUGH_S

WORDS = "a red mug on a wooden table"


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A folder in which one picture was rendered, and what the command said."""

    folder: Path
    path: Path
    id: str
    err: str


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOUSESTYLE_")}  # noqa: TID251
    return kept | {"HOUSESTYLE_GENERATION_ENGINE": "drawn", "OMP_NUM_THREADS": "1"}


def start(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """One picture, made by the real command in a process of its own."""
    folder = tmp_path_factory.mktemp("house")
    start("init", "--brand", "Acme", folder=folder).wait(60)
    process = start("imagine", WORDS, "--seed", "7", folder=folder)
    out, err = process.communicate(timeout=120)
    assert process.returncode == ExitCode.OK, err
    path, key = out.split()
    return Rendered(folder=folder, path=folder / path, id=key, err=err)


@pytest.fixture
def here(rendered: Rendered, monkeypatch: pytest.MonkeyPatch) -> Rendered:
    """The same folder as the working directory of a test."""
    monkeypatch.chdir(rendered.folder)
    monkeypatch.setenv("HOUSESTYLE_GENERATION_ENGINE", "drawn")
    return rendered


def test_the_picture_lies_where_the_command_says(rendered: Rendered) -> None:
    assert rendered.path.read_bytes().startswith(b"\x89PNG")
    assert rendered.path.stem == rendered.id, "no person's text is in a file's name"


def test_progress_and_facts_go_to_stderr_without_colours_in_a_pipe(rendered: Rendered) -> None:
    assert "seed 7" in rendered.err
    assert "moderation: not installed" in rendered.err
    assert "\x1b" not in rendered.err


def test_a_picture_starts_from_another_by_its_id_or_from_a_file(
    here: Rendered, housestyle: Housestyle
) -> None:
    for reference in (here.id, str(here.path)):
        done = housestyle(
            "imagine",
            "a red mug",
            "--ref",
            reference,
            "--strength",
            "0.3",
            "--out",
            "out",
            "--json",
        )
        assert done.code == ExitCode.OK, done.out
        (picture,) = done.json["pictures"]
        assert Path(picture["path"]).parent == Path("out")
        proof = housestyle("assets", "show", picture["id"], "--json").json
        assert proof["spec"]["init"]["strength"] == 0.3


def test_the_picture_is_found_by_its_words(here: Rendered, housestyle: Housestyle) -> None:
    assert here.id in housestyle("assets", "find", "wooden").out
    found = housestyle("assets", "find", "mug", "--json").json
    assert here.id in [asset["id"] for asset in found]
    nothing = housestyle("assets", "find", "submarine")
    assert (nothing.code, nothing.out) == (ExitCode.OK, "")
    assert "Nothing found" in nothing.err


def test_show_tells_the_whole_story(here: Rendered, housestyle: Housestyle) -> None:
    assert WORDS in housestyle("assets", "show", here.id).out
    proof = housestyle("assets", "show", here.id, "--json").json
    assert proof["spec"]["seed"] == 7
    assert [event["action"] for event in proof["ledger"]][:2] == ["job.queued", "asset.rendered"]


def test_an_export_holds_every_file_and_the_proof(
    here: Rendered, housestyle: Housestyle, tmp_path: Path
) -> None:
    paths = housestyle("assets", "export", here.id, "--out", tmp_path / "x", "--json").json
    assert all(Path(path).is_file() for path in paths)
    proof = next(Path(path) for path in paths if path.endswith("proof.json"))
    assert json.loads(proof.read_text("utf-8"))["asset"] == here.id


def test_the_archive_is_as_recorded_until_a_bit_is_flipped(
    here: Rendered, housestyle: Housestyle
) -> None:
    assert housestyle("assets", "verify", here.id).code == ExitCode.OK
    assert housestyle("assets", "check").code == ExitCode.OK
    file_hash = housestyle("assets", "verify", here.id, "--json").json[0]["file_hash"]
    (blob,) = (here.folder / "data/blobs").rglob(file_hash)
    good = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    try:
        assert housestyle("assets", "verify", here.id).code == ExitCode.FAILED
        damaged = housestyle("assets", "check", "--json")
        assert damaged.code == ExitCode.FAILED
        assert [bad["file_hash"] for bad in damaged.json["damaged"]] == [file_hash]
    finally:
        blob.write_bytes(good)


def test_a_rerender_gives_the_same_pixels(here: Rendered, housestyle: Housestyle) -> None:
    done = housestyle("rerender", here.id, "--verify", "--json")
    assert done.code == ExitCode.OK
    assert done.json["same_pixels"]
    assert done.json["same_class"]


def test_an_id_that_names_nothing_is_not_found(here: Rendered, housestyle: Housestyle) -> None:
    for arguments in (("assets", "show"), ("assets", "export"), ("assets", "verify"),
                      ("review", "approve"), ("review", "show")):  # fmt: skip
        done = housestyle(*arguments, "0" * 22)
        assert done.code == ExitCode.NOT_FOUND, arguments
        assert done.out == ""


def test_the_owner_decides_from_the_terminal_but_not_about_their_own(
    here: Rendered, housestyle: Housestyle
) -> None:
    settings = load_settings(environment={"HOME": str(here.folder)})

    async def send() -> None:
        async with at_terminal(settings) as terminal:
            await terminal.say(SendToApproval(asset=here.id, channel="#social"))

    run_async(send)
    (review,) = housestyle("review", "list", "--json").json
    assert review["asset"] == here.id
    assert "Brand check" in housestyle("review", "show", review["id"]).out
    refused = housestyle("review", "approve", review["id"])
    assert refused.code == ExitCode.REFUSED
    assert "own request" in refused.err
    kit = here.folder / "brands/acme.toml"
    kit.write_text(kit.read_text("utf-8").replace("four_eyes = true ", "four_eyes = false"))
    assert housestyle("review", "approve", review["id"]).code == ExitCode.OK
    assert housestyle("review", "list").out == ""
    (asset,) = housestyle("assets", "find", "--state", "approved", "--json").json
    assert asset["id"] == here.id


def test_ctrl_c_ends_the_command_at_once(tmp_path: Path) -> None:
    process = start("imagine", "a blue lamp", "--n", "8", folder=tmp_path)
    assert process.stderr is not None
    assert "demo brand" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == ExitCode.CANCELLED
    assert "Cancelled" in err
    assert "Traceback" not in err
    assert list(tmp_path.glob("*.png")) == []


class WatchedBar(Bar):
    """Tells when it shows something for the first time."""

    def __init__(self, terminal: Terminal, title: str) -> None:
        super().__init__(terminal, title)
        self.shown = asyncio.Event()

    def show(self, fraction: float, *, eta_s: float | None = None, title: str = "") -> None:
        super().show(fraction, eta_s=eta_s, title=title)
        self.shown.set()


async def test_a_followed_job_is_cancelled_with_its_follower() -> None:
    town = await make_town()
    card = await town.say(Imagine(brief=Brief(words="a red mug")))
    at = AtTerminal(house=town.house, owner=town.people["mia"], actor=town.actor("mia"))
    job_id = card.subject.removeprefix("job:")
    bar = WatchedBar(Terminal(), "")
    following = asyncio.create_task(followed(at, job_id, bar))
    await asyncio.wait_for(bar.shown.wait(), ENOUGH_S)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    async with town.house.store.read() as tx:
        assert (await tx.jobs.get(job_id)).state is JobState.CANCELLED


@pytest.mark.parametrize("role", ["all", "web"])
def test_serve_says_where_it_is_once_it_listens_and_stops_at_once(
    tmp_path: Path, role: str
) -> None:
    flags = ("--port", str(_free_port()), "--role", role, "--owner-link", "--json")
    process = start("serve", *flags, folder=tmp_path)
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["owner_link"].startswith(said["base_url"] + "/enter?key=")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=15)
    assert process.returncode == ExitCode.OK, err


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def test_the_demo_prints_one_owner_link_and_stops_at_ctrl_c(tmp_path: Path) -> None:
    process = start("demo", "--no-browser", "--port", str(_free_port()), folder=tmp_path)
    assert process.stdout is not None
    link = process.stdout.readline().strip()
    assert "/enter?key=" in link
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    assert process.returncode == ExitCode.OK, err
    assert out == ""
    assert (tmp_path / ".housestyle" / "housestyle.db").is_file()
