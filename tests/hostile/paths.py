"""Paths: names that climb out of their folder, wherever a name is taken from outside."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx

from bot.core.errors import HousestyleError
from brand.errors import KitInvalid
from brand.kit_loader import parse_kit
from brand.spec import RenderError
from generation.blobs import BlobFolder
from storage.blobs import FolderBlobs
from tests.fakes.generation_service import SteppedEngine, running_service, unix_settings
from tests.fakes.portal import ORIGIN, Portal, make_portal
from tests.fakes.routes import Address, addresses_of
from tests.hostile.score import Score, Taken

CANARY = "hs-canary-outside-the-folder"
UP = (
    "../",
    "..\\",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%252f",
    "..%c0%af",
    "..;/",
    "....//",
    "．．/",
)
TARGETS = ("etc/passwd", "canary.txt", "housestyle.db", "pyproject.toml")
ODD = (
    "/etc/passwd",
    "//etc/passwd",
    "\\\\server\\share",
    "C:\\windows\\win.ini",
    "file:///etc/passwd",
    "~root/.ssh/id_rsa",
    "a" * 5_000,
    "a/" * 500,
    "...",
    "con",
    "nul.png",
    "x\0.png",
    "x%00.png",
    "%00",
    "\u202ecod.exe",
    "{id}",
    "${HOME}",
    "`id`",
    "$(id)",
    "'; drop table jobs; --",
    "-rf",
    "--help",
)


def spellings() -> Iterator[str]:
    """Ways to write a path that should lead out of the folder."""
    for up in UP:
        for target in TARGETS:
            yield up * 6 + target
    yield from ODD


async def run() -> Score:
    """Try them on every address with a name in it, the blob folders and the kits."""
    score = Score()
    await _portal(score, await make_portal())
    with tempfile.TemporaryDirectory() as name:
        inner = _inner_folder(Path(name))
        await _blobs(score, inner)
        await _generation(score, inner)
    _brands(score)
    return score


def _inner_folder(outer: Path) -> Path:
    inner = outer / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (outer / "canary.txt").write_text(CANARY)
    return inner


async def _portal(score: Score, portal: Portal) -> None:
    """Every page and file with a name in its address, asked for by the one who sees most."""
    async with portal.browser("ida") as browser:
        for address in addresses_of(portal.app):
            if address.method == "GET" and address.names:
                await _ask_all(score, browser, address)


async def _generation(score: Score, folder: Path) -> None:
    """The generation service's own interface."""
    async with running_service(SteppedEngine(), unix_settings(folder)) as running:
        transport = httpx.AsyncHTTPTransport(uds=str(running.settings.socket))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            for method, path in (
                ("HEAD", "/blobs/{name}"),
                ("PUT", "/blobs/{name}"),
                ("GET", "/renders/{name}/picture"),
                ("GET", "/renders/{name}/events"),
            ):
                await _ask_all(score, client, Address(method=method, path=path, names=("name",)))


async def _ask_all(score: Score, client: httpx.AsyncClient, address: Address) -> None:
    for spelled in spellings():
        with score.attempt(f"{address} with {spelled[:60]!r}"):
            quoted = quote(spelled, safe="%./\\:;")
            try:
                url = httpx.URL(ORIGIN + address.filled(quoted))
            except httpx.InvalidURL:
                continue  # no client can even ask for it
            _check(await client.request(address.method, url))


def _check(answer: httpx.Response) -> None:
    if answer.status_code >= 500:
        raise RuntimeError(f"answered {answer.status_code}")
    if answer.status_code < 300:
        raise Taken(f"answered {answer.status_code} with {len(answer.content)} bytes")


async def _blobs(score: Score, folder: Path) -> None:
    archive = FolderBlobs(folder)
    inputs = BlobFolder(folder, max_blob_bytes=1_000, max_bytes=10_000)
    for spelled in spellings():
        with score.attempt(f"archive {spelled[:60]!r}", (HousestyleError,), must_refuse=True):
            await archive.get(spelled)
        with score.attempt(f"archive knows {spelled[:60]!r}"):
            if await archive.exists(spelled):
                raise Taken("it is there")
        with score.attempt(f"inputs {spelled[:60]!r}", (RenderError,)):
            if inputs.has(spelled):
                raise Taken("it is there")
        with (
            score.attempt(f"input put as {spelled[:60]!r}", (RenderError,), must_refuse=True),
            inputs.incoming(spelled) as incoming,
        ):
            incoming.write(b"x")


def _brands(score: Score) -> None:
    """A brand's id becomes a part of file names."""
    for spelled in spellings():
        with score.attempt(f"brand {spelled[:60]!r}", (KitInvalid,), must_refuse=True):
            parse_kit(f"[brand]\nid = {_toml(spelled)}\nname = 'x'\n")


def _toml(text: str) -> str:
    plain = "".join(f"\\u{ord(c):04x}" if ord(c) < 65536 else c for c in text)
    return f'"{plain}"'
