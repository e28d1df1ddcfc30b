"""A portal on loopback with everything running behind it, and the system's Chromium before it."""

import asyncio
import concurrent.futures
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bot.clock import SystemClock
from bot.core.publishing import Publisher
from bot.core.rendering import RenderingWorker
from bot.core.sending import Sender
from bot.core.tariff import Tariff
from bot.web.portal import build_portal
from bot.web.server import PortalServer
from brand.demo import demo_kit
from brand.kit import LoraPolicy
from brand.verdicts import Evidence, Fact, Swatch, Verdict
from tests.fakes.drawn import DrawnRenderer
from tests.fakes.portal import Portal, make_portal
from tests.fakes.studio import FakeStudio

if TYPE_CHECKING:
    from bot.web.signing_in.providers import Provider

T = TypeVar("T")
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PASSED = Evidence(
    verdicts=(
        Verdict(
            name="palette",
            passed=True,
            summary="palette 92 %: teal 41, orange 33, cream 18",
            facts=(Fact("palette", 92.0, "%"),),
            swatches=(
                Swatch("teal", "#0f7c7c", 0.41, 0.12),
                Swatch("orange", "#f08a3c", 0.33, 0.08),
                Swatch("cream", "#f6ead2", 0.18),
                Swatch("navy", "#1b2a49", 0.0),
            ),
        ),
        Verdict(name="sharpness", passed=True, summary="sharp"),
        Verdict(name="near_duplicate", passed=True, summary="not like anything before"),
        Verdict(name="moderation", passed=None, summary="moderation: not installed"),
    )
)
WAIT_MS = 20_000
SIZES = {"phone": (390, 844), "desk": (1280, 800)}
LOOKS = pytest.mark.parametrize(
    ("size", "scheme"),
    [
        ("phone", "light"),
        ("desk", "dark"),
        pytest.param("phone", "dark", marks=pytest.mark.deep),
        pytest.param("desk", "light", marks=pytest.mark.deep),
    ],
)
"""Each size and each scheme once, and `make test-deep` the rest of their pairs."""


class Live:
    """A served portal. `call` runs a coroutine on its loop."""

    def __init__(self, folder: Path) -> None:
        self.renderer = DrawnRenderer(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.portal: Portal
        self.providers: tuple[Provider, ...] = ()
        """Those that people may sign in with, from the next `serve` on."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: PortalServer | None = None
        self._stop = asyncio.Event()
        self._tasks: list[concurrent.futures.Future[None]] = []

    def start(self) -> None:
        """Make the town and serve it."""
        self.portal = self.call(
            make_portal(
                replace(demo_kit(), lora=LoraPolicy()),  # drawings have no use for one
                base_url=self.url,
                clock=SystemClock(),
                renderer=self.renderer,
                studio=FakeStudio(PASSED),
                tariff=Tariff(per_hour=36.0),
            )
        )
        house = self.portal.town.house
        loops = (RenderingWorker(house, "w"), Publisher(house, "p"), Sender(house, "s"))
        self._tasks = [self._soon(loop.run(self._stop)) for loop in loops]
        self.serve()

    def serve(self) -> None:
        """Listen, as a freshly started portal of this house; returns once connections are taken."""
        self.portal.app = build_portal(
            self.portal.town.house, self.portal.desk, providers=self.providers
        )
        server = PortalServer(self.portal.app, host="127.0.0.1", port=self.port)
        self._server = server
        self._serving = self._soon(server.serve())
        self.call(self._started(server))

    async def _started(self, server: PortalServer) -> None:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)

    def hang_up(self) -> None:
        """Stop serving; the house goes on."""
        assert self._server is not None
        self._loop.call_soon_threadsafe(self._server.stop)
        self._serving.result(10)

    def close(self) -> None:
        """Stop everything."""
        self.hang_up()
        self._loop.call_soon_threadsafe(self._stop.set)
        for task in self._tasks:
            task.result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def call(self, work: Coroutine[object, object, T]) -> T:
        """Run it on the portal's loop and wait."""
        return self._soon(work).result(30)

    def _soon(self, work: Coroutine[object, object, T]) -> concurrent.futures.Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def link(self, who: str) -> str:
        """A one-time link."""
        return f"{self.url}/enter?key={self.call(self.portal.link(who))}"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A served portal, empty but for its people and the demo brand."""
    served = Live(tmp_path)
    served.start()
    yield served
    served.close()


@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    """One browser for this folder's tests. It must be gone before the next folder's: while it
    runs, the main thread counts as one with a running event loop."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


def ready(page: Page) -> None:
    """Wait for the page's scripts. By a selector: a function that has to be asked again needs
    eval, which the page's own policy forbids."""
    page.wait_for_selector("html.js", state="attached")


def pictures_ready(page: Page) -> None:
    """Wait for all pictures but those that load when they are scrolled to. Asked from here, not
    by a function that waits in the page: see `ready`."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while not page.evaluate("[...document.images].every(i => i.complete || i.loading == 'lazy')"):
        assert time.monotonic() < deadline, "pictures that never come"
        page.wait_for_timeout(50)


def key(page: Page, name: str) -> None:
    """Press a key that the page's scripts listen to, once they do: a page can be seen earlier."""
    ready(page)
    page.keyboard.press(name)


class Visit:
    """One person's browser window. Everything that the console complains of is kept."""

    def __init__(self, live: Live, context: BrowserContext) -> None:
        self.live = live
        self.context = context
        self.complaints: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """One more tab."""
        page = self.context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _console(self, message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def enter(self, who: str) -> "Visit":
        """Sign in, by the link and the Enter key."""
        self.page.goto(self.live.link(who))
        # A busy browser puts the focus on the button only after the page counts as loaded.
        self.page.wait_for_selector("form button:focus")
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/chat/**")
        return self

    def go(self, path: str) -> Page:
        """Open a page of the portal."""
        self.page.goto(self.live.url + path)
        return self.page

    def axe(self) -> list[str]:
        """What axe finds on the page as it stands. Run by the debugger: the page's own policy
        lets no foreign script in."""
        session = self.context.new_cdp_session(self.page)
        expression = AXE + "\n;axe.run(document, {resultTypes: ['violations']}).then(found =>"
        expression += " found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' '"
        expression += " + n.failureSummary).join(' | ')))"
        answer = session.send(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True},
        )
        session.detach()
        found: list[str] = answer["result"]["value"]
        return found


def window_of(live: Live, browser: Browser, size: str, scheme: str) -> Visit:
    """A window of one of SIZES, in the scheme "light" or "dark". Close its context."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=size == "phone",
        is_mobile=size == "phone",
    )
    return Visit(live, context)


@pytest.fixture
def visit(live: Live, browser: Browser) -> Iterator[Visit]:
    """A window with scripts on; at the end the console must have been silent."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    window = Visit(live, context)
    yield window
    context.close()
    assert not window.complaints
