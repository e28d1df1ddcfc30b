"""Addresses: none that a person types is ever called, and no redirect leaves the house."""

import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from bot.core.errors import HousestyleError
from tests.fakes.portal import Portal, make_portal
from tests.hostile.score import Score, Taken

HOSTS = (
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001",
    "0", "0.0.0.0", "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[fe80::1]", "[fe80::1%25eth0]",
    "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.0.1", "169.254.169.254", "169.254.1.1", "100.64.0.1", "192.0.0.1", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "metadata.google.internal", "metadata",
    "127.0.0.1.nip.io", "localtest.me", "１２７.０.０.１", "①②⑦.⓪.⓪.①", "127。0。0。1", "xn--4gbwdl.xn--wgbh1c",
)  # fmt: skip
WHOLE = (
    "http://user@127.0.0.1/", "http://example.com@127.0.0.1/", "http://127.0.0.1#@example.com/",
    "http://127.0.0.1\\@example.com/", "http://example.com:80@127.0.0.1:22/", "http:127.0.0.1",
    "http:/127.0.0.1", "http:///127.0.0.1", "//127.0.0.1/", "\\\\127.0.0.1\\x", "/\\127.0.0.1",
    "https:127.0.0.1", "file:///etc/passwd", "file://localhost/etc/passwd", "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211/", "ftp://127.0.0.1/", "data:image/png;base64,iVBORw0KGgo=", "jar:http://x!/",
    "ldap://127.0.0.1/", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " http://127.0.0.1/",
    "\thttp://127.0.0.1/", "http://127.0.0.1\r\nHost: x/", "http://%31%32%37.0.0.1/", "http://127.0.0.1%00.com/",
    "unix:///var/run/docker.sock", "view-source:http://127.0.0.1/", "blob:http://127.0.0.1/x",
)  # fmt: skip
_CALLS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")


def spellings() -> Iterator[str]:
    """Ways to name a machine that a stranger must not have called."""
    for host in HOSTS:
        yield f"http://{host}/x.png"
    yield from WHOLE


class Watch:
    """Counts what this process would connect to. An audit hook stays for good, so there is one."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, args: tuple[object, ...]) -> None:
        if event in _CALLS:
            self.calls.append(f"{event} {args[1:]!r}")


_watch: list[Watch] = []


async def run() -> Score:
    """Try them as references, in words, and as places to go back to."""
    if not _watch:
        _watch.append(Watch())
    watch, score, portal = _watch[0], Score(), await make_portal()
    async with portal.browser("mia") as browser:
        for spelled in spellings():
            await _typed(score, watch, portal, browser, spelled)
            await _back(score, browser, spelled)
    return score


async def _typed(
    score: Score, watch: Watch, portal: Portal, browser: httpx.AsyncClient, spelled: str
) -> None:
    for line in (f"/imagine a mug --ref {spelled}", f'/imagine a mug --ref "{spelled}"'):
        with score.attempt(f"{line!r}", (HousestyleError,)):
            watch.calls.clear()
            answer = await browser.post("/chat/drafts", data={"text": line})
            queued = await _jobs(portal)
            if answer.status_code >= 500:
                raise RuntimeError(f"answered {answer.status_code}")
            if watch.calls or queued:
                raise Taken(f"{watch.calls[:1]} {queued} jobs")
    with score.attempt(f"attached: {spelled!r}"):
        watch.calls.clear()
        form = {"text": "/imagine a mug", "reference": spelled}
        answer = await browser.post("/chat/drafts", data=form)
        if answer.status_code < 400 or answer.status_code >= 500 or watch.calls:
            raise Taken(f"answered {answer.status_code}, {watch.calls[:1]}")


async def _jobs(portal: Portal) -> int:
    async with portal.town.house.store.read() as tx:
        return len(await tx.jobs.recent())


async def _back(score: Score, browser: httpx.AsyncClient, spelled: str) -> None:
    """Where a form sends one afterwards is always a page of ours."""
    forms = (
        ("/theme", {"theme": "dark"}),
        ("/brand", {"brand": "acme"}),
        ("/act", {"action": "x:y"}),
    )
    for path, form in forms:
        with score.attempt(f"{path} and back to {spelled!r}"):
            answer = await browser.post(path, data={**form, "back": spelled})
            if answer.status_code >= 500:
                raise RuntimeError(f"answered {answer.status_code}")
            target = answer.headers.get("location", "/")
            parts = urlsplit(target)
            foreign = parts.scheme or parts.netloc or not target.startswith("/")
            if foreign or target.startswith(("//", "/\\")) or any(ord(c) < 32 for c in target):
                raise Taken(f"it leads to {target!r}")
